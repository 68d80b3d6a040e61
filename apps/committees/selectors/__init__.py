"""Questions about committees, their labels, and the potentials that came of them."""

from apps.committees.selectors.committees import (
    committee_at,
    committees_of,
    labelled_candidates,
    last_committee,
    member_refs,
    members_of,
    members_ready,
    members_with,
    records_of,
    round_at,
    round_counts,
)
from apps.committees.selectors.labels import label_count, label_items, label_set, without_stress
from apps.committees.selectors.potentials import final_fits_of, final_potential, oracle_of

__all__ = [
    "committee_at",
    "committees_of",
    "final_fits_of",
    "final_potential",
    "label_count",
    "label_items",
    "label_set",
    "labelled_candidates",
    "last_committee",
    "member_refs",
    "members_of",
    "members_ready",
    "members_with",
    "oracle_of",
    "records_of",
    "round_at",
    "round_counts",
    "without_stress",
]
