"""What people and steps do with committees."""

from apps.committees.services.committees import (
    CommitteeMissing,
    committee_begun,
    committee_used_again,
    final_fit_record,
    member_failed,
    member_trained,
    uncertainties_record,
)
from apps.committees.services.labels import LabelsRefused, label_sets_record, labels_add
from apps.committees.services.rounds import round_propose

__all__ = [
    "CommitteeMissing",
    "LabelsRefused",
    "committee_begun",
    "committee_used_again",
    "final_fit_record",
    "label_sets_record",
    "labels_add",
    "member_failed",
    "member_trained",
    "round_propose",
    "uncertainties_record",
]
