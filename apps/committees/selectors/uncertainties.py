"""How far the newest committee disagrees about candidates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import F, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.expressions import Func
from django.db.models.functions import JSONObject

from apps.campaigns.models import Campaign
from apps.committees.models import UncertaintyRecord
from apps.committees.selectors.history import UncertaintyFacts
from apps.structures.models import Candidate

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
    rows = Candidate.objects.filter(pk__in=list(ids), uncertainties__isnull=False).distinct()
    told = rows.values_list("pk", newest_told("pk")).order_by()
    return {pk: facts for pk, record in told if (facts := uncertainty_facts(record))}


def newest_told(candidate: str) -> Subquery:
    """What `uncertainty_facts` reads, of the candidate that a query's column `candidate` names: an annotation."""
    asked = "candidate__label_rounds__committee__"
    told = JSONObject(
        energy_std="energy_std",
        force_spread="force_spread",
        members=_cardinality(),
        settings="committee__settings",
        sweep="committee__sweep",
        iteration="committee__iteration",
        asked_sweep=f"{asked}sweep",
        asked_iteration=f"{asked}iteration",
    )
    return Subquery(_newest(candidate).values(told=told)[:1])


def uncertainty_facts(told: Mapping[str, Any] | None) -> UncertaintyFacts | None:
    """Of `newest_told`; None where no committee evaluated the candidate."""
    if told is None:
        return None
    criterion = told["settings"].get("criterion", "energy")
    threshold = threshold_of(told["settings"])
    asked = None if told["asked_sweep"] is None else (told["asked_sweep"], told["asked_iteration"])
    return UncertaintyFacts(
        **{name: told[name] for name in ("energy_std", "force_spread", "members", "sweep", "iteration")},
        criterion=criterion,
        threshold=threshold,
        unit=UNITS[criterion],
        above=told["force_spread" if criterion == "forces" else "energy_std"] > threshold,
        labelled_in=asked,
    )


def with_uncertainty(rows: QuerySet[Any], candidate: str = "candidate_id") -> QuerySet[Any]:
    """`rows` with `energy_std` (meV/atom) and `committee_members` of the newest committee that evaluated the candidate
    named by their column `candidate`; None where none did."""
    newest = _newest(candidate)
    return rows.annotate(
        energy_std=Subquery(newest.values("energy_std")[:1]),
        committee_members=Subquery(newest.annotate(members=_cardinality()).values("members")[:1]),
    )


def _newest(candidate: str) -> QuerySet[UncertaintyRecord]:
    return UncertaintyRecord.objects.filter(candidate_id=OuterRef(candidate)).order_by("-committee_id")


def _cardinality() -> Func:
    return Func(F("energies"), function="cardinality", output_field=IntegerField())
