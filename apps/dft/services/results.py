"""What an attempt or an upload gave becomes rows; failures are tried again within the budget of their class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.artifacts import services as artifacts
from apps.campaigns.permissions import permit
from apps.core.errors import Conflict
from apps.dft.errors import BudgetSpent, gate
from apps.dft.estimates import core_hours
from apps.dft.models import Decision, DftCalculation, DftFile, DftOutcome, Failure, Source
from apps.dft.selectors import computes_here, consumed, jobs_of
from apps.dft.services import budget
from apps.dft.services.running import calculation_enqueue, run_settings, upload_enqueue
from apps.jobs.models import Attempt, Job
from apps.structures.services import structures_record
from kappakit.dft import next_try
from kappakit.ports import DftResult
from kappakit.stages.contracts import CalculateOutputs

VASPRUN = "vasprun.xml"
OUTCOME_CLASS = {"timeout": Failure.WALLTIME, "killed": Failure.MEMORY, "lost": Failure.LOST, "input": Failure.INPUT}
"""How a job ended → class of the failure, where the code could not say it itself."""


def calculation_ended(*, job: Job, outputs: CalculateOutputs, files: Mapping[str, int]) -> DftCalculation:
    """An attempt that ran to its end, with a result or with a failure of a class."""
    calculation = _of(job)
    hours = _spent(calculation, job, outputs.cores)
    _files(calculation, files)
    if calculation.state != Decision.APPROVED:
        return calculation
    if outputs.result is None:
        return _failed(calculation, outputs.failure or Failure.ENGINE, outputs.message)
    return _done(calculation, outputs.result, outputs, Source.COMPUTED, hours, host=_host(job))


def attempt_lost(*, job: Job, message: str) -> DftCalculation:
    """A job that failed for good without a word of the code: killed, out of time, lost, or a bug."""
    calculation = _of(job)
    _spent(calculation, job, run_settings(calculation).cores)
    if calculation.state != Decision.APPROVED:
        return calculation
    return _failed(calculation, OUTCOME_CLASS.get(job.error_code, Failure.ENGINE), message)


@transaction.atomic
def result_upload(*, calculation: DftCalculation, content: Any, file_name: str, user: Any) -> Job:
    """Take a vasprun.xml for an approved calculation; it is read and checked by a job. Needs 'operate'."""
    permit(user, "operate", calculation.campaign)
    if calculation.state != Decision.APPROVED:
        raise Conflict(f"It is {calculation.get_state_display()}: a result is taken for an approved calculation only.")
    if calculation.engine != "vasp":
        raise Conflict(f"{calculation.engine} runs by itself: only VASP results are uploaded.")
    artifact = artifacts.store(content, kind=VASPRUN, name=file_name[:200], content_type="application/xml")
    DftFile.objects.get_or_create(calculation=calculation, kind=VASPRUN, artifact=artifact, defaults={"added_by": user})
    return upload_enqueue(calculation, artifact_id=artifact.pk, user=user)


def upload_checked(*, job: Job, outputs: CalculateOutputs) -> DftCalculation:
    """An upload that fits is the result; one that does not changes nothing but the message."""
    calculation = _of(job)
    if calculation.state != Decision.APPROVED:
        return calculation
    if outputs.result is None:
        DftCalculation.objects.filter(pk=calculation.pk).update(message=f"Upload refused:\n{outputs.message}")
        calculation.refresh_from_db()
        return calculation
    return _done(calculation, outputs.result, outputs, Source.UPLOADED, 0.0, user_id=job.params["user"])


def _of(job: Job) -> DftCalculation:
    rows = DftCalculation.objects.select_related("campaign", "request").select_for_update(of=("self",))
    return rows.get(pk=int(job.units[0]))


def _spent(calculation: DftCalculation, job: Job, cores: int) -> float:
    """Enter what all attempts of the job took and was not entered yet; the calculation's core-hours so far."""
    rows = Attempt.objects.filter(job__in=jobs_of(calculation), job__kind=job.kind)
    total = sum(_seconds(row) for row in rows)
    new = core_hours(total, cores) - consumed(calculation)
    budget.consume(calculation, new, f"attempt {job.attempt} of job {job.pk}")
    return consumed(calculation)


def _seconds(attempt: Attempt) -> float:
    """What it ran, not how long a scheduler let it wait; one whose end is being written now ends now."""
    used = (attempt.resources or {}).get("used", {}).get("time_s")
    if used is not None:
        return float(used)
    end = attempt.ended_at or timezone.now()
    return max(0.0, (end - attempt.started_at).total_seconds())


def _host(job: Job) -> str:
    return Attempt.objects.filter(job=job, number=job.attempt).values_list("host", flat=True).first() or ""


def _failed(calculation: DftCalculation, kind: str, message: str) -> DftCalculation:
    run = run_settings(calculation)
    earlier = sum(1 for failure in calculation.failures if failure["kind"] == kind)
    record = {"kind": str(kind), "message": message, "run": calculation.run, "at": timezone.now().isoformat()}
    following = next_try(str(kind), earlier, run)
    changes: dict[str, Any] = {"failures": [*calculation.failures, record]}
    if following is not None:
        changes["run"] = asdict(following)
    DftCalculation.objects.filter(pk=calculation.pk).update(**changes)
    calculation.refresh_from_db()
    if following is None or not computes_here(calculation.engine):
        return _given_up(calculation, str(kind), message)
    try:
        calculation_enqueue(calculation, number=len(calculation.failures))
    except BudgetSpent as spent:
        return _given_up(calculation, str(kind), f"{message}\n{spent.message}")
    return calculation


def _given_up(calculation: DftCalculation, kind: str, message: str) -> DftCalculation:
    with gate():
        DftCalculation.objects.filter(pk=calculation.pk, state=Decision.APPROVED).update(
            state=Decision.FAILED, failure=kind, message=message
        )
    budget.release(calculation, "failed")
    calculation.refresh_from_db()
    return calculation


def _done(
    calculation: DftCalculation,
    result: DftResult,
    outputs: CalculateOutputs,
    source: Source,
    hours: float,
    *,
    host: str = "",
    user_id: int | None = None,
) -> DftCalculation:
    (structure,) = structures_record([result.crystal])
    with gate():
        DftOutcome.objects.create(
            calculation=calculation,
            structure=structure,
            source=source,
            uploaded_by_id=user_id,
            seconds=outputs.seconds,
            core_hours=hours,
            host=host,
            **_values(result),
        )
        DftCalculation.objects.filter(pk=calculation.pk, state=Decision.APPROVED).update(
            state=Decision.DONE, failure="", message=""
        )
    budget.release(calculation, "done")
    calculation.refresh_from_db()
    return calculation


def _values(result: DftResult) -> dict[str, Any]:
    same = ("energy", "energy_sigma0", "method", "method_sha256", "iterations", "steps", "magnetic_moment", "gap")
    return {name: getattr(result, name) for name in same} | {
        "cell": result.crystal.cell.tolist(),
        "frac": result.crystal.frac.tolist(),
        "forces": result.forces.tolist(),
        "stress": None if result.stress is None else result.stress.tolist(),
        "k_mesh": list(result.k_mesh),
        "version": result.version[:300],
        "notes": list(result.notes),
    }


def _files(calculation: DftCalculation, files: Mapping[str, int]) -> None:
    for kind, artifact_id in files.items():
        DftFile.objects.get_or_create(calculation=calculation, kind=kind[:32], artifact_id=artifact_id)
