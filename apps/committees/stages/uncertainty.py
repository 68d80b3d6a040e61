"""How far the members disagree about a sweep's candidates, who is to be labelled next, or why the loop ends."""

from __future__ import annotations

from typing import Any

from apps.artifacts.services import path_of_digest
from apps.campaigns.models import Step
from apps.committees.models import Committee, LabelSetKind
from apps.committees.selectors import committee_at, member_refs, members_ready, members_with
from apps.committees.services import CommitteeMissing, committee_used_again, uncertainties_record
from apps.committees.stages.materials import TEST, committee_settings, set_of, step_get
from apps.jobs.bindings import Binding, JobSpec, Loaded
from apps.jobs.models import Job
from apps.jobs.selectors import heavy_queue
from apps.structures.selectors import items_of, step_of, unique_pool
from kappakit.pipeline import UncertaintyReport, report_as_dict
from kappakit.stages.contracts import UncertaintyInputs, UncertaintyOutputs

STAGE = "uncertainty"
TIME_LIMIT_S = 24 * 3600
NOBODY = "No candidate is left whose uncertainty could be asked."


def plan(step_id: int) -> list[JobSpec]:
    """One job for all candidates; none where none is left. A later sweep begins with the last sweep's members."""
    step = step_get(step_id)
    committee = _committee(step)
    candidates = _open(step)
    if not candidates:
        Committee.objects.filter(pk=committee.pk).update(stopped=NOBODY)
        return []
    params = {"members": [member.pk for member in members_ready(committee)], "candidates": candidates}
    label = f"Uncertainty of {len(candidates)} crystals"
    return [JobSpec(STAGE, (str(committee.pk),), params, label, heavy_queue(), time_limit_s=TIME_LIMIT_S)]


def load(job: Job) -> Loaded:
    """The relaxed crystals that are still open, the members, the fixed test set."""
    step = step_of(job)
    refs, files = member_refs(members_with(job.params["members"]))
    test = set_of(step.campaign, LabelSetKind.TEST)
    inputs = UncertaintyInputs(items_of(_open(step)), refs, TEST)
    return Loaded(inputs, committee_settings(step.campaign), files | {TEST: str(path_of_digest(test.artifact.sha256))})


def save(job: Job, outputs: UncertaintyOutputs, artifacts: Any) -> set[int]:
    """Records, calibration, and what follows."""
    return uncertainties_record(committee=_of(job), outputs=outputs)


def report(step_id: int) -> dict[str, Any]:
    """The worst candidate that was never labelled, all above the threshold, the highest value."""
    step = step_get(step_id)
    committee = _committee(step)
    return report_as_dict(UncertaintyReport(committee.worst_id, tuple(committee.above), committee.highest))


def _committee(step: Step) -> Committee:
    found = committee_at(step.campaign, step.sweep, step.iteration)
    if found is None and step.sweep and not step.iteration:
        return committee_used_again(campaign=step.campaign, sweep=step.sweep)
    if found is None:
        raise CommitteeMissing("No committee was trained for this iteration.")
    return found


def _open(step: Step) -> list[int]:
    """Those of the step that are relaxed, no duplicates, and taken out by nobody since."""
    return list(unique_pool(step.campaign).filter(pk__in=step.candidates).values_list("pk", flat=True))


def _of(job: Job) -> Committee:
    return Committee.objects.select_related("campaign", "trained").get(pk=int(job.units[0]))


BINDING = Binding(STAGE, plan=plan, load=load, save=save, report=report)
