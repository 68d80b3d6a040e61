"""New candidates and refusals, many at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models import Max

from apps.campaigns.models import Campaign
from apps.structures.models import LATENT, Candidate, Generation, Origin, Outcome, Refusal
from apps.structures.services.bulk import numbering_lock
from apps.structures.services.structures import structure_ids
from kappakit.crystals import Crystal
from kappakit.stages import contracts

UNKNOWN_ELEMENT = "unknown-element"
BATCH = 1000


@dataclass(frozen=True, eq=False)
class Made:
    """How the campaign's trained generator came to a crystal: see models.Generation; `latent` (d,)."""

    latent: np.ndarray
    consistency: float | None
    symmetrised: str


@dataclass(frozen=True, eq=False)
class Newcomer:
    """A crystal on its way in; `source` is unique in its campaign."""

    crystal: Crystal
    source: str
    label: str = ""
    seed: int | None = None
    generator: str = ""
    generation: Made | None = None


def candidates_add(campaign: Campaign, origin: Origin, newcomers: Sequence[Newcomer]) -> set[int]:
    """Candidates of those whose source is new, numbered in order; their ids.

    What the campaign's potential does not know is rejected at once. Others who add to the campaign wait until the
    transaction ends, so that numbers are given once.
    """
    numbering_lock(campaign.pk)
    sources = [newcomer.source for newcomer in newcomers]
    known = set(Candidate.objects.filter(campaign=campaign, source__in=sources).values_list("source", flat=True))
    fresh = [newcomer for newcomer in newcomers if newcomer.source not in known]
    structures = structure_ids(newcomer.crystal for newcomer in fresh)
    first = 1 + (Candidate.objects.filter(campaign=campaign).aggregate(Max("index"))["index__max"] or 0)
    rows = [
        _row(campaign, origin, index, newcomer, structures[newcomer.crystal.digest])
        for index, newcomer in enumerate(fresh, first)
    ]
    made = Candidate.objects.bulk_create(rows, batch_size=BATCH)
    _generations_add(campaign, zip(made, fresh, strict=True))
    return {row.pk for row in made}


def refusals_add(campaign: Campaign, step_name: str, refusals: Iterable[contracts.Refusal]) -> None:
    """Note what did not become a candidate."""
    Refusal.objects.bulk_create(
        (
            Refusal(
                campaign=campaign, step_name=step_name, source=r.source[:300], reason=r.reason[:50], detail=r.detail
            )
            for r in refusals
        ),
        batch_size=BATCH,
        ignore_conflicts=True,
    )


def _generations_add(campaign: Campaign, arrivals: Iterable[tuple[Candidate, Newcomer]]) -> None:
    rows = [
        Generation(
            candidate=row,
            model=campaign.generator,
            latent=np.asarray(given.generation.latent, dtype=LATENT).tobytes(),
            consistency=given.generation.consistency,
            symmetrised=given.generation.symmetrised[:20],
        )
        for row, given in arrivals
        if given.generation is not None
    ]
    Generation.objects.bulk_create(rows, batch_size=BATCH)


def _row(campaign: Campaign, origin: Origin, index: int, newcomer: Newcomer, structure_id: int) -> Candidate:
    return Candidate(
        campaign=campaign,
        index=index,
        origin=origin,
        source=newcomer.source[:300],
        label=newcomer.label[:200],
        seed=newcomer.seed,
        generator=newcomer.generator[:200],
        start_id=structure_id,
        **_unknown(campaign, newcomer.crystal),
    )


def _unknown(campaign: Campaign, crystal: Crystal) -> dict[str, str]:
    species = campaign.potential.species if campaign.potential else []
    strange = sorted(set(crystal.symbols) - set(species)) if species else []
    if not strange:
        return {}
    return {
        "outcome": Outcome.REJECTED,
        "outcome_reason": UNKNOWN_ELEMENT,
        "outcome_detail": f"The potential {campaign.potential.name} does not know {', '.join(strange)}.",
    }
