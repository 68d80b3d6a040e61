"""What a comparison found to be one crystal."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from apps.campaigns.models import Campaign
from apps.structures.models import Candidate, DuplicateMatch, Outcome
from kappakit.stages.contracts import Match

BATCH = 1000


def matches_add(campaign: Campaign, pool: QuerySet[Candidate], matches: Sequence[Match], detail: str) -> set[int]:
    """A DuplicateMatch for each match whose duplicate is still in `pool`; the ids of the pool."""
    still = set(pool.values_list("pk", flat=True))
    rows = [
        DuplicateMatch(
            campaign=campaign,
            representative_id=int(match.representative),
            duplicate_id=int(match.duplicate),
            rms_forward=match.rms_forward,
            rms_backward=match.rms_backward,
            energy_difference=match.energy_difference,
            conflict=match.conflict,
        )
        for match in matches
        if int(match.duplicate) in still
    ]
    DuplicateMatch.objects.bulk_create(rows, batch_size=BATCH)
    Candidate.objects.filter(pk__in=[row.duplicate_id for row in rows]).update(
        outcome=Outcome.DUPLICATE, outcome_reason="match", outcome_detail=detail
    )
    return still
