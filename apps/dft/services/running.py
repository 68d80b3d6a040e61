"""The one door to the DFT queue."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings as project

from apps.dft.errors import BudgetSpent, GateRefused, gate
from apps.dft.models import Decision, DftCalculation
from apps.dft.selectors import CALCULATE, CHECK_UPLOAD, budget_of, computes_here, group_of, outstanding
from apps.jobs import services as jobs
from apps.jobs.bindings import LIGHT, JobSpec
from apps.jobs.models import Job
from kappakit.protocol import DftRunSettings

MARGIN_S = 300
"""A code that ends itself at its wall time has so long before it is killed."""


def calculation_enqueue(calculation: DftCalculation, *, number: int, priority: int = 0) -> Job | None:
    """Queue attempt `number` (from 0) of an approved calculation; None where its engine does not run here.

    Raises GateRefused without a living approval of exactly these inputs, BudgetSpent when nothing is reserved any more
    and nothing is left. There is no other way in: the database refuses a DFT job that did not come from here as well.
    """
    if calculation.state != Decision.APPROVED:
        raise GateRefused("No DFT without an approval.")
    if not computes_here(calculation.engine):
        return None
    if outstanding(calculation) <= 0 and budget_of(calculation.campaign).left <= 0:
        raise BudgetSpent("The campaign's core-hours are used up: ask an approver for more.")
    return _queued(calculation, _spec(calculation, number, priority))


def upload_enqueue(calculation: DftCalculation, *, artifact_id: int, user: Any) -> Job:
    """Queue the reading of an uploaded result; raises GateRefused without a living approval."""
    params = {"inputs_sha256": calculation.inputs_sha256, "artifact": artifact_id, "user": user.pk}
    label = f"Check the upload for {calculation.request.title}: {calculation.label}"
    return _queued(calculation, JobSpec(CHECK_UPLOAD, (str(calculation.pk),), params, label, LIGHT))


def run_settings(calculation: DftCalculation) -> DftRunSettings:
    """How its next attempt runs."""
    return DftRunSettings(**calculation.run)


def _spec(calculation: DftCalculation, number: int, priority: int) -> JobSpec:
    run = run_settings(calculation)
    return JobSpec(
        kind=CALCULATE,
        units=(str(calculation.pk),),
        params={
            "inputs_sha256": calculation.inputs_sha256,
            "run": asdict(run),
            "attempt": number,
            "cores": run.cores,
            "memory_gib": run.memory,
        },
        label=f"{calculation.request.title}: {calculation.label}",
        queue=project.DFT_QUEUE,
        priority=priority,
        time_limit_s=int(run.walltime * 60) + MARGIN_S,
    )


def _queued(calculation: DftCalculation, spec: JobSpec) -> Job:
    with gate():
        (job,) = jobs.enqueue([spec], group=group_of(calculation))
    return job
