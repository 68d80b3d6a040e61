"""The nearest neighbours of the ultrahigh crystals, on the newest map."""

from __future__ import annotations

from typing import Any

from apps.campaigns.models import Campaign, Step
from apps.campaigns.selectors import protocol_of
from apps.conductivity.selectors import open_candidates
from apps.conductivity.services.neighbours import neighbours_job, plan_jobs
from apps.jobs import services as jobs
from apps.jobs.bindings import Binding, JobSpec, Loaded
from apps.jobs.models import Job
from apps.maps.models import Selection, SelectionKind, SoapMap
from apps.maps.selectors import vectors_of
from apps.maps.services import Chosen, selection_record
from kappakit.pipeline import SelectionReport, report_as_dict
from kappakit.stages.contracts import NeighboursInputs, NeighboursOutputs

STAGE = "neighbours"


def plan(step_id: int) -> list[JobSpec]:
    """One search; without a centre it ends with an empty selection and a note."""
    step = Step.objects.select_related("campaign").get(pk=step_id)
    return [neighbours_job(step.campaign, step.candidates, sweep=step.sweep)]


def load(job: Job) -> Loaded:
    """Vectors of the map that the job names."""
    settings = job.params["settings"]
    ids, vectors = vectors_of(SoapMap.objects.get(pk=job.params["map"]), settings["space"])
    inputs = NeighboursInputs(
        ids=tuple(map(str, ids)),
        vectors=vectors,
        centres=tuple(map(str, job.params["centres"])),
        exclude=tuple(map(str, job.params["exclude"])),
    )
    return Loaded(inputs, settings)


def save(job: Job, outputs: NeighboursOutputs, artifacts: Any) -> set[int]:
    """The selection; a search that a person asked for goes on to plan what it found."""
    campaign = Campaign.objects.select_related("potential").get(pk=int(job.units[0]))
    selection = selection_record(
        map=SoapMap.objects.get(pk=job.params["map"]),
        kind=SelectionKind.NEIGHBOURS,
        sweep=job.params["sweep"],
        settings=job.params["settings"],
        notes=[*outputs.notes, *_notes(job, campaign)],
        members=[Chosen(int(n.id), n.rank, n.distance, "knn", int(n.centre)) for n in outputs.neighbours],
    )
    found = {int(key) for key in outputs.found}
    if job.params["again"] and found:
        specs = plan_jobs(campaign, open_candidates(campaign, found), sweep=job.params["sweep"])
        jobs.enqueue(specs, group=f"kappa-plan:{selection.pk}")
    return found


def report(step_id: int) -> dict[str, Any]:
    """The newest selection of this sweep and its members, each once."""
    step = Step.objects.select_related("campaign").get(pk=step_id)
    selection = Selection.objects.filter(
        campaign=step.campaign, kind=SelectionKind.NEIGHBOURS, sweep=step.sweep
    ).latest("id")
    found = selection.members.order_by("candidate_id").values_list("candidate_id", flat=True).distinct()
    return report_as_dict(SelectionReport(selection.pk, tuple(found)))


def _notes(job: Job, campaign: Campaign) -> list[str]:
    if job.params["centres"]:
        return []
    limit = protocol_of(campaign).conductivity.ultrahigh
    return [f"No crystal conducts more than {limit:g} W/(m·K): there is nothing to search around."]


BINDING = Binding(STAGE, plan=plan, load=load, save=save, report=report)
