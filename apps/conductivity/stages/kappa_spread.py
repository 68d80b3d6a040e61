"""κ_L of a sweep's best crystals by every member of the committee, one crystal a job."""

from __future__ import annotations

from typing import Any

from apps.campaigns.models import Step
from apps.campaigns.selectors import protocol_of
from apps.committees.selectors import committees_of, member_refs, members_ready, members_with
from apps.conductivity.models import KappaPlan
from apps.conductivity.selectors import plans_to_spread, symmetry_tolerances
from apps.conductivity.services.plans import plan_job
from apps.conductivity.services.spreads import spread_record
from apps.jobs.bindings import Binding, JobSpec, Loaded
from apps.jobs.models import Job
from apps.jobs.selectors import heavy_queue
from apps.structures.selectors import crystal_of
from kappakit.pipeline import CountReport, report_as_dict
from kappakit.stages.contracts import SpreadInputs, SpreadOutputs

STAGE = "kappa_spread"


def plan(step_id: int) -> list[JobSpec]:
    """One job a crystal; none where nobody's κ_L was asked for or computed."""
    step = Step.objects.select_related("campaign__potential").get(pk=step_id)
    newest = committees_of(step.campaign).last()
    members = [member.pk for member in members_ready(newest)] if newest else []
    if not members:
        return []
    return [_job(row, members) for row in plans_to_spread(step.campaign, step.candidates, step.sweep)]


def load(job: Job) -> Loaded:
    """The primitive cell as the plan left it, and the members."""
    plan = _plan(job)
    refs, files = member_refs(members_with(job.params["members"]))
    inputs = SpreadInputs(
        id=str(plan.candidate_id),
        primitive=crystal_of(plan.primitive),
        members=refs,
        dimensionality=plan.dimensionality,
        **symmetry_tolerances(protocol_of(plan.candidate.campaign)),
    )
    return Loaded(inputs, plan.settings, files)


def save(job: Job, outputs: SpreadOutputs, artifacts: Any) -> set[int]:
    """κ_L by each member, and the interval beside the value."""
    plan = _plan(job)
    spread_record(plan=plan, members=job.params["members"], outputs=outputs)
    return {plan.candidate_id}


def report(step_id: int) -> dict[str, Any]:
    """Crystals with a spread, and those whose job gave none."""
    step = Step.objects.select_related("campaign__potential").get(pk=step_id)
    asked = plans_to_spread(step.campaign, step.candidates, step.sweep)
    kept = KappaPlan.objects.filter(pk__in=[row.pk for row in asked], spreads__isnull=False).distinct().count()
    return report_as_dict(CountReport(kept, len(asked) - kept))


def _job(plan: KappaPlan, members: list[int]) -> JobSpec:
    """As long as the plan's own κ_L for every member."""
    return JobSpec(
        kind=STAGE,
        units=(str(plan.pk),),
        params={"members": members},
        label=f"κ_L of {plan.candidate} by {len(members)} members",
        queue=heavy_queue(),
        time_limit_s=plan_job(plan).time_limit_s * len(members),
    )


def _plan(job: Job) -> KappaPlan:
    return KappaPlan.objects.select_related("candidate__campaign", "primitive").get(pk=int(job.units[0]))


BINDING = Binding(STAGE, plan=plan, load=load, save=save, report=report)
