"""κ_L of one crystal a job: of the sweep's own, and of those that a person starts later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import F

from apps.campaigns.models import Step
from apps.conductivity.models import KappaPlan, PlanState
from apps.conductivity.selectors import conductivity_settings, plans_for, ultrahigh
from apps.conductivity.services.phonons import Standing, phonons_record
from apps.conductivity.services.plans import lbte_of, minutes_of, plan_failed, plan_resumed, plans_started, symprec_of
from apps.jobs.bindings import Binding, JobSpec, Loaded
from apps.jobs.models import Job
from apps.structures.selectors import crystal_of
from apps.training.selectors import model_files, potential_ref
from kappakit.pipeline import ConductivityReport, report_as_dict
from kappakit.stages.contracts import ConductivityInputs, ConductivityOutputs

STAGE = "conductivity"
DIGEST_SHOWN = 8


def plan(step_id: int) -> list[JobSpec]:
    """Start what the plan of this sweep lets start."""
    step = Step.objects.select_related("campaign").get(pk=step_id)
    planned = Step.objects.get(campaign=step.campaign, name="kappa_plan", sweep=step.sweep)
    start = (planned.report or {}).get("start", [])
    plans = (
        plans_for(step.campaign, start, step.sweep)
        .select_related("candidate__campaign")
        .order_by(F("promise").desc(nulls_last=True), "evaluations", "id")
    )
    return plans_started(plans)


def load(job: Job) -> Loaded:
    """The primitive cell as the plan left it."""
    plan = _plan(job)
    plan_resumed(plan=plan)
    inputs = ConductivityInputs(
        id=str(plan.candidate_id),
        primitive=crystal_of(plan.primitive),
        potential=potential_ref(plan.potential),
        symprec=symprec_of(plan),
        dimensionality=plan.dimensionality,
        lbte=lbte_of(plan),
        minutes=minutes_of(plan),
    )
    return Loaded(inputs, plan.settings, model_files(plan.potential))


def files(outputs: ConductivityOutputs) -> Mapping[str, str]:
    """Force constants, forces and the phono3py yaml."""
    return outputs.files


def save(job: Job, outputs: ConductivityOutputs, artifacts: Mapping[str, int]) -> set[int]:
    """Phonons, files and tensors; the plan is done."""
    plan = _plan(job)
    potential = plan.potential
    standing = Standing(
        source=potential.name,
        version=potential.sha256[:DIGEST_SHOWN] or potential.version,
        symmetry_kept=plan.symmetry_kept,
        dimensionality=plan.dimensionality,
        settings=conductivity_settings(plan.settings),
    )
    phonons_record(outputs, standing, job_id=job.pk, plan=plan, artifacts=artifacts)
    KappaPlan.objects.filter(pk=plan.pk, state=PlanState.STARTED).update(state=PlanState.DONE)
    return {plan.candidate_id}


def failed(job: Job, message: str) -> set[int]:
    """The plan keeps what happened and may be tried again."""
    return {plan_failed(plan_id=int(job.units[0]), message=message)}


def report(step_id: int) -> dict[str, Any]:
    """How many were computed, and which are above the limit by the method that ranks."""
    step = Step.objects.select_related("campaign__potential").get(pk=step_id)
    done = plans_for(step.campaign, step.candidates, step.sweep).filter(state=PlanState.DONE)
    ids = list(done.values_list("candidate_id", flat=True))
    return report_as_dict(ConductivityReport(len(ids), tuple(ultrahigh(step.campaign, ids))))


def _plan(job: Job) -> KappaPlan:
    joined = ("candidate__campaign", "potential", "primitive")
    return KappaPlan.objects.select_related(*joined).get(pk=int(job.units[0]))


BINDING = Binding(STAGE, plan=plan, load=load, files=files, save=save, failed=failed, report=report)
