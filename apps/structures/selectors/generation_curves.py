"""Distinct crystals against how many were generated, and how far they moved when they were relaxed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.campaigns.models import Campaign
from apps.structures.models import Candidate, DuplicateMatch, GenerationReport, Origin, Outcome, Refusal
from kappakit.rarefaction import rarefaction
from kappakit.sampling import evenly

STEP = "generate"
POINTS = 40
MOST_VIOLINS = 5000
"""Crystals whose deviations are drawn."""
PERCENT = 100.0


@dataclass(frozen=True)
class GenerationCurves:
    """Expected distinct crystals among `drawn` of the `total` that were asked of the generator (rarefaction).

    `relaxed`: how many of the total ended in a local minimum. `unique`: distinct ones of those; `novel`: of these,
    those that match no training crystal and nothing that came in otherwise; `kept`: those that pass the screen.
    `novel_known`: whether the comparison was made.
    """

    total: int
    refused: int
    relaxed: int
    drawn: tuple[int, ...]
    unique: tuple[float, ...]
    novel: tuple[float, ...]
    kept: tuple[float, ...]
    novel_known: bool


@dataclass(frozen=True)
class Deviations:
    """Generated → relaxed, of `crystals`: lengths, angles and volume in %, positions in units of (V/N)^(1/3)."""

    crystals: int
    lengths: tuple[float, ...]
    angles: tuple[float, ...]
    volume: tuple[float, ...]
    positions: tuple[float, ...]


@dataclass(frozen=True)
class LatentMap:
    """The latent space laid out, no unit: candidates (id, x, y), and training crystals (name, x, y)."""

    candidates: tuple[tuple[int, float, float], ...]
    training: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True)
class Kind:
    """A distinct crystal: how many generated ones became it, and what its representative is."""

    copies: int
    novel: bool
    kept: bool


def generation_curves(campaign: Campaign) -> GenerationCurves:
    """Rarefaction curves of all that was generated; four queries whatever the campaign's size."""
    refused = Refusal.objects.filter(campaign=campaign, step_name=STEP).count()
    facts = _facts(campaign)
    generated = [pk for pk, row in facts.items() if row[0] == Origin.GENERATED]
    kinds, relaxed = _kinds(campaign, facts, generated)
    total = refused + len(generated)
    drawn = _drawn(total)
    return GenerationCurves(
        total=total,
        refused=refused,
        relaxed=relaxed,
        drawn=drawn,
        unique=_curve(kinds, total, drawn),
        novel=_curve([k for k in kinds if k.novel], total, drawn),
        kept=_curve([k for k in kinds if k.kept], total, drawn),
        novel_known=any(row[3] for row in facts.values()),
    )


def generation_deviations(campaign: Campaign) -> Deviations:
    """Of at most MOST_VIOLINS generated candidates, evenly."""
    names = ("deviation_lengths", "deviation_angles", "deviation_volume", "deviation_positions")
    rows = Candidate.objects.filter(campaign=campaign, origin=Origin.GENERATED, relaxed__isnull=False).order_by("index")
    ids = list(rows.values_list("pk", flat=True))
    some = rows.filter(pk__in=[ids[place] for place in evenly(len(ids), MOST_VIOLINS)])
    chosen = list(some.values_list(*(f"relaxation__{name}" for name in names)))
    return Deviations(
        crystals=len(chosen),
        lengths=tuple(PERCENT * value for lengths, *_ in chosen for value in lengths or ()),
        angles=tuple(PERCENT * value for _, angles, *_ in chosen for value in angles or ()),
        volume=tuple(PERCENT * volume for *_, volume, _ in chosen if volume is not None),
        positions=tuple(positions for *_, positions in chosen if positions is not None),
    )


def generation_report_of(campaign: Campaign) -> GenerationReport | None:
    """What was measured of the generated crystals as they were made, with the model that made them."""
    rows = GenerationReport.objects.select_related("model").defer("model__card", "model__curve")
    return rows.filter(campaign=campaign).first()


def latent_map(report: GenerationReport) -> LatentMap:
    """The report's plane, point by point."""
    split = len(report.candidates)
    made = zip(report.candidates, report.plane[:split], strict=True)
    known = zip(report.training, report.plane[split:], strict=True)
    return LatentMap(tuple((pk, x, y) for pk, (x, y) in made), tuple((name, x, y) for name, (x, y) in known))


Facts = dict[int, tuple[Any, ...]]
"""Candidate → (origin, outcome, relaxed, compared with training crystals, the one that it matches)."""


def _facts(campaign: Campaign) -> Facts:
    columns = ("origin", "outcome", "relaxed_id", "generation__compared", "generation__training_source")
    rows = Candidate.objects.filter(campaign=campaign).values_list("pk", *columns)
    return {pk: facts for pk, *facts in rows}


def _kinds(campaign: Campaign, facts: Facts, generated: list[int]) -> tuple[list[Kind], int]:
    """Distinct crystals that generated ones became, and how many of those ended in a local minimum."""
    live = DuplicateMatch.objects.filter(campaign=campaign, undone_at__isnull=True)
    doubles = dict(live.values_list("duplicate_id", "representative_id"))
    ends = [end for pk in generated if _relaxed(facts[end := _representative(pk, doubles)])]
    kinds = [
        Kind(copies, _is_novel(facts[end]), facts[end][1] == Outcome.KEPT) for end, copies in Counter(ends).items()
    ]
    return kinds, len(ends)


def _representative(pk: int, doubles: dict[int, int]) -> int:
    """Follows matches: a near-duplicate's representative may turn out a duplicate after relaxation."""
    seen = {pk}
    while pk in doubles and doubles[pk] not in seen:
        pk = doubles[pk]
        seen.add(pk)
    return pk


def _relaxed(row: tuple[Any, ...]) -> bool:
    return row[2] is not None and row[1] != Outcome.REJECTED


def _is_novel(row: tuple[Any, ...]) -> bool:
    return row[0] == Origin.GENERATED and bool(row[3]) and not row[4]


def _drawn(total: int) -> tuple[int, ...]:
    return tuple(int(n) for n in np.unique(np.geomspace(1, total, POINTS).round().astype(int))) if total else ()


def _curve(kinds: list[Kind], total: int, drawn: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(float(v) for v in rarefaction([kind.copies for kind in kinds], total, drawn))
