"""Sample: the most diverse crystals of the newest map, and the reference crystals that the protocol names."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db.models import Q

from apps.campaigns.models import Campaign
from apps.campaigns.selectors import protocol_of
from apps.core.errors import Conflict
from apps.jobs.bindings import LIGHT, Binding, JobSpec, Loaded
from apps.jobs.models import Job
from apps.maps.models import Selection, SelectionKind, SoapMap
from apps.maps.selectors import newest_map, vectors_of
from apps.maps.services import Chosen, selection_record
from apps.structures.models import Candidate, Origin, Outcome
from apps.structures.selectors import step_of, unique_pool
from apps.structures.stages.planning import step_get
from kappakit.pipeline import SelectionReport, report_as_dict
from kappakit.stages.contracts import SampleInputs, SampleOutputs

STAGE = "sample"


def plan(step_id: int) -> list[JobSpec]:
    """One job on the newest map."""
    step = step_get(step_id)
    found = _map(step.campaign)
    params = {"map": found.pk}
    return [JobSpec(STAGE, (str(step.campaign_id),), params, f"Diverse sample on map {found.version}", LIGHT)]


def load(job: Job) -> Loaded:
    """Vectors and energies of the map's candidates that are still kept; references that have to be in."""
    campaign = step_of(job).campaign
    settings = protocol_of(campaign).sample
    energies = dict(unique_pool(campaign, Outcome.KEPT).values_list("pk", "relaxation__energy_per_atom"))
    ids, vectors = vectors_of(SoapMap.objects.get(pk=job.params["map"]), settings.space)
    rows = [row for row, pk in enumerate(ids) if pk in energies]
    inputs = SampleInputs(
        ids=tuple(str(ids[row]) for row in rows),
        vectors=vectors[rows],
        energies=tuple(energies[ids[row]] for row in rows),
        mandatory=tuple(map(str, _mandatory(campaign, settings.references))),
    )
    return Loaded(inputs, asdict(settings))


def save(job: Job, outputs: SampleOutputs, artifacts: Any) -> set[int]:
    """The selection with its members."""
    campaign = step_of(job).campaign
    selection_record(
        map=SoapMap.objects.get(pk=job.params["map"]),
        kind=SelectionKind.SAMPLE,
        sweep=0,
        settings=asdict(protocol_of(campaign).sample),
        notes=outputs.notes,
        members=[Chosen(int(pick.id), pick.order, pick.distance, pick.how) for pick in outputs.picks],
    )
    return {int(pick.id) for pick in outputs.picks}


def report(step_id: int) -> dict[str, Any]:
    """The newest sample and its candidates, in order."""
    campaign = step_get(step_id).campaign
    found = Selection.objects.filter(campaign=campaign, kind=SelectionKind.SAMPLE).order_by("-id").first()
    if found is None:
        raise LookupError("the step ended without a selection")
    members = found.members.order_by("order").values_list("candidate_id", flat=True)
    return report_as_dict(SelectionReport(found.pk, tuple(members)))


def _mandatory(campaign: Campaign, names: str) -> list[int]:
    """Kept candidates that came in as a reference crystal, or are known as one that the protocol names."""
    wanted = Q(origin=Origin.REFERENCE) | Q(known_as__name__in=names.split())
    rows: Any = Candidate.objects.filter(wanted, pk__in=unique_pool(campaign, Outcome.KEPT).values("pk"))
    return list(rows.order_by("index").values_list("pk", flat=True))


def _map(campaign: Campaign) -> SoapMap:
    found = newest_map(campaign)
    if found is None:
        raise Conflict("The campaign has no map to sample from.")
    return found


BINDING = Binding(STAGE, load=load, save=save, plan=plan, report=report)
