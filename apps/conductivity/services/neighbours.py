"""The neighbours of good ones: what a search is about, and a search again at a person's wish."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction

from apps.campaigns.models import Campaign
from apps.campaigns.permissions import permit
from apps.campaigns.selectors import protocol_of
from apps.conductivity.models import KappaPlan
from apps.conductivity.selectors import potential_of, settings_digest, symmetry_tolerances, ultrahigh
from apps.core.errors import Conflict
from apps.jobs import services as jobs
from apps.jobs.bindings import HEAVY, LIGHT, JobSpec
from apps.jobs.models import Job
from apps.maps.models import Selection, SoapMap
from apps.maps.selectors import newest_map
from apps.structures.models import Candidate, Exclusion, Outcome

PLANNED_TOGETHER = 4
"""Crystals whose plans one job makes: their relaxation under symmetry goes one by one."""


class MapMissing(Conflict):
    """There is no map to search on."""

    code = "map_missing"


def plan_jobs(campaign: Campaign, candidates: Sequence[Candidate], *, sweep: int) -> list[JobSpec]:
    """Jobs that plan the κ_L of these candidates; raises PotentialMissing."""
    protocol = protocol_of(campaign)
    params = {
        "campaign": campaign.pk,
        "potential": potential_of(campaign, sweep).pk,
        "settings": settings_digest(protocol),
        "tolerances": symmetry_tolerances(protocol),
        "sweep": sweep,
    }
    batches = [candidates[i : i + PLANNED_TOGETHER] for i in range(0, len(candidates), PLANNED_TOGETHER)]
    return [
        JobSpec("kappa_plan", tuple(str(c.pk) for c in batch), params, f"plan κ_L of {len(batch)} crystals", HEAVY)
        for batch in batches
    ]


def neighbours_job(campaign: Campaign, centres: Iterable[int], *, sweep: int, again: bool = False) -> JobSpec:
    """The search around `centres` on the newest map; raises MapMissing. One unit: a search is never split."""
    found = map_of(campaign)
    params = {
        "map": found.pk,
        "centres": sorted(centres),
        "exclude": sorted(_closed(campaign)),
        "settings": protocol_of(campaign).as_dict()["neighbours"],
        "sweep": sweep,
        "again": again,
    }
    return JobSpec("neighbours", (str(campaign.pk),), params, f"neighbours of {len(params['centres'])} crystals", LIGHT)


@transaction.atomic
def neighbours_search_again(*, campaign: Campaign, user: Any) -> Job:
    """Search around every ultrahigh crystal that is known by now; what it finds is planned and waits for a start.

    Needs 'operate'; raises MapMissing, Conflict when there is no ultrahigh crystal. Reopens no step.
    """
    permit(user, "operate", campaign)
    centres = ultrahigh(campaign)
    if not centres:
        raise Conflict("No crystal is ultrahigh by the protocol's limit and method: there is nothing to search around.")
    sweep = 1 + max(Selection.objects.filter(campaign=campaign).values_list("sweep", flat=True), default=0)
    spec = neighbours_job(campaign, centres, sweep=sweep, again=True)
    (job,) = jobs.enqueue([spec], group=f"neighbours:{campaign.pk}")
    return job


def map_of(campaign: Campaign) -> SoapMap:
    """The newest map; raises MapMissing."""
    found = newest_map(campaign)
    if found is None:
        raise MapMissing(f"“{campaign.name}” has no map yet: neighbours are searched on it.")
    return found


def _closed(campaign: Campaign) -> set[int]:
    """Those that are not searched for: with a κ_L or a plan for it, duplicate, excluded."""
    planned = KappaPlan.objects.filter(candidate__campaign=campaign).values_list("candidate_id", flat=True)
    excluded = Exclusion.objects.filter(candidate__campaign=campaign, undone_at__isnull=True)
    doubled = Candidate.objects.filter(campaign=campaign, outcome=Outcome.DUPLICATE)
    return {*planned, *excluded.values_list("candidate_id", flat=True), *doubled.values_list("pk", flat=True)}
