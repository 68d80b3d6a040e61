"""How many candidates each step left."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q

from apps.campaigns.models import Campaign
from apps.structures.models import Candidate, DuplicateMatch, Exclusion, Origin, Outcome, Refusal

PREFIX = "n_"
"""An aggregate may not be called like a column."""


@dataclass(frozen=True)
class Funnel:
    """Counts of a campaign's candidates.

    `total` = imported + generated + training + reference; `refused` never became candidates. Each candidate is waiting
    (not yet relaxed), thinned (a near-duplicate, set aside before), rejected, or relaxed; each relaxed one a duplicate
    or unique; `unique` counts those that no later step took out too. `kept` passed the screen. `excluded` (by a
    curator) are counted beside all others.
    """

    total: int
    imported: int
    generated: int
    training: int
    reference: int
    refused: int
    refused_by_reason: dict[str, int]
    waiting: int
    thinned: int
    relaxed: int
    rejected: int
    rejected_by_reason: dict[str, int]
    duplicates: int
    conflicts: int
    unique: int
    screened_out: int
    kept: int
    excluded: int
    novelty: dict[str, int] = field(default_factory=dict)


def funnel(campaign: Campaign) -> Funnel:
    """The funnel of a campaign, by five queries whatever its size."""
    rows = Candidate.objects.filter(campaign=campaign)
    counts = {name.removeprefix(PREFIX): count for name, count in rows.aggregate(**_counts()).items()}
    refused = _by(Refusal.objects.filter(campaign=campaign), "reason")
    rejected = _by(rows.filter(outcome=Outcome.REJECTED), "outcome_reason")
    novelty = _by(rows.exclude(novelty="").exclude(outcome=Outcome.DUPLICATE), "novelty")
    conflicts = DuplicateMatch.objects.filter(campaign=campaign, undone_at__isnull=True).exclude(conflict="").count()
    return Funnel(
        **counts,
        refused=sum(refused.values()),
        refused_by_reason=refused,
        rejected_by_reason=rejected,
        conflicts=conflicts,
        unique=counts["relaxed"] - counts["duplicates"],
        novelty=novelty,
    )


def _counts() -> dict[str, Count]:
    excluded = Exists(Exclusion.objects.filter(candidate=OuterRef("pk"), undone_at__isnull=True))
    asked: dict[str, Any] = {
        "total": Q(),
        "imported": Q(origin=Origin.IMPORTED),
        "generated": Q(origin=Origin.GENERATED),
        "training": Q(origin=Origin.TRAINING),
        "reference": Q(origin=Origin.REFERENCE),
        "waiting": Q(outcome=Outcome.PENDING, relaxed__isnull=True),
        "thinned": Q(outcome=Outcome.DUPLICATE, relaxed__isnull=True),
        "relaxed": Q(relaxed__isnull=False) & ~Q(outcome=Outcome.REJECTED),
        "rejected": Q(outcome=Outcome.REJECTED),
        "duplicates": Q(outcome=Outcome.DUPLICATE, relaxed__isnull=False),
        "screened_out": Q(outcome=Outcome.SCREENED_OUT),
        "kept": Q(outcome=Outcome.KEPT),
        "excluded": excluded,
    }
    return {PREFIX + name: Count("pk", filter=condition) for name, condition in asked.items()}


def _by(rows: Any, column: str) -> dict[str, int]:
    return dict(rows.order_by(column).values_list(column).annotate(Count("pk")))
