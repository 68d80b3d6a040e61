"""How far the newest committee disagrees about candidates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import F, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.expressions import Func

from apps.campaigns.models import Campaign
from apps.committees.models import UncertaintyRecord
from apps.committees.selectors.history import UncertaintyFacts

UNITS = {"energy": "meV/atom", "forces": "eV/Å"}
"""Criterion → what an uncertainty is in."""


def has_committee(campaign: Campaign) -> bool:
    """Whether the campaign's protocol asks for a committee."""
    return bool(campaign.protocol.get("committee", {}).get("size", 0))


def threshold_of(settings: Mapping[str, Any]) -> float:
    """Of a snapshot of CommitteeSettings, in the criterion's unit."""
    forces = settings.get("criterion") == "forces"
    return float(settings.get("force_threshold" if forces else "threshold", 0.0))


def uncertainties(ids: Iterable[int]) -> dict[int, UncertaintyFacts]:
    """Candidate → what the newest committee that evaluated it says. One query."""
    rows = (
        UncertaintyRecord.objects.filter(candidate_id__in=list(ids))
        .annotate(
            members=_cardinality(),
            settings=F("committee__settings"),
            sweep=F("committee__sweep"),
            iteration=F("committee__iteration"),
            asked_sweep=F("candidate__label_rounds__committee__sweep"),
            asked_iteration=F("candidate__label_rounds__committee__iteration"),
        )
        .order_by("candidate_id", "-committee_id")
        .distinct("candidate_id")
        .defer("energies")
    )
    return {row.candidate_id: _facts(row) for row in rows}


def with_uncertainty(rows: QuerySet[Any], candidate: str = "candidate_id") -> QuerySet[Any]:
    """`rows` with `energy_std` (meV/atom) and `committee_members` of the newest committee that evaluated the candidate
    named by their column `candidate`; None where none did."""
    newest = UncertaintyRecord.objects.filter(candidate_id=OuterRef(candidate)).order_by("-committee_id")
    return rows.annotate(
        energy_std=Subquery(newest.values("energy_std")[:1]),
        committee_members=Subquery(newest.annotate(members=_cardinality()).values("members")[:1]),
    )


def _cardinality() -> Func:
    return Func(F("energies"), function="cardinality", output_field=IntegerField())


def _facts(row: Any) -> UncertaintyFacts:
    criterion = row.settings.get("criterion", "energy")
    threshold = threshold_of(row.settings)
    asked = None if row.asked_sweep is None else (row.asked_sweep, row.asked_iteration)
    return UncertaintyFacts(
        energy_std=row.energy_std,
        force_spread=row.force_spread,
        members=row.members,
        sweep=row.sweep,
        iteration=row.iteration,
        criterion=criterion,
        threshold=threshold,
        unit=UNITS[criterion],
        above=(row.force_spread if criterion == "forces" else row.energy_std) > threshold,
        labelled_in=asked,
    )
