"""What attempts and uploads give: results, failures that are tried again by class, and the ledger."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from apps.core.errors import Conflict
from apps.dft.models import Decision, DftCalculation
from apps.dft.selectors import budget_of, consumed, history_of, jobs_of, outstanding, why_open
from apps.dft.services import calculation_decide, calculation_retry, calculation_void, result_upload
from apps.dft.stages import BINDINGS
from apps.jobs.models import Attempt, Job, State
from apps.jobs.services import node_seen
from kappakit.dft import DftTask, method_digest, method_of
from kappakit.ports import DftResult
from kappakit.stages.contracts import CalculateOutputs
from tests.apps.gate import Gate, a_gate, a_request

pytestmark = pytest.mark.django_db
CALCULATE, UPLOAD = BINDINGS


def approved(gate: Gate, number: int = 0) -> DftCalculation:
    return calculation_decide(calculation=gate.waiting[number], version=1, answer="approve", user=gate.approver)


def an_attempt(calculation: DftCalculation, *, seconds: float = 36.0) -> Job:
    """Its newest job as a worker would hold it, after `seconds`."""
    job = jobs_of(calculation).last()
    assert job is not None
    Attempt.objects.create(job=job, number=1, host="node", ended_at=timezone.now())
    Attempt.objects.filter(job=job).update(started_at=timezone.now() - timedelta(seconds=seconds))
    Job.objects.filter(pk=job.pk).update(attempt=1)
    job.refresh_from_db()
    return job


def a_result(calculation: DftCalculation) -> DftResult:
    task = DftTask.from_text(calculation.inputs)
    method = method_of(task.settings, engine_version="0", paw="none")
    return DftResult(
        crystal=task.crystal, energy=-18.0, energy_sigma0=-17.9, forces=np.zeros((2, 3)), stress=np.zeros((3, 3)),
        k_mesh=(4, 4, 4), method=method, method_sha256=method_digest(method), version="simulated 0", iterations=9,
    )  # fmt: skip


def succeeds(calculation: DftCalculation, **facts: Any) -> DftCalculation:
    job = an_attempt(calculation, **facts)
    CALCULATE.save(job, CalculateOutputs(a_result(calculation), "", "", 36.0, 1), {})
    calculation.refresh_from_db()
    return calculation


def fails(calculation: DftCalculation, kind: str) -> DftCalculation:
    job = an_attempt(calculation)
    CALCULATE.save(job, CalculateOutputs(None, kind, f"It was {kind}.", 36.0, 1), {})
    Job.objects.filter(pk=job.pk).update(state=State.CANCELLED)
    calculation.refresh_from_db()
    return calculation


def test_the_stage_gets_exactly_what_was_approved(gate: Gate) -> None:
    calculation = approved(gate)
    loaded = CALCULATE.load(jobs_of(calculation).get())
    assert loaded.inputs.text == calculation.inputs
    assert loaded.settings["max_iterations"] == 200


def test_a_result_is_stored_with_its_method_and_the_rest_of_the_reservation_comes_back(gate: Gate) -> None:
    done = succeeds(approved(gate))
    assert done.state == Decision.DONE
    assert done.outcome.energy == -18.0
    assert done.outcome.method["functional"] == "optB88-vdW"
    assert consumed(done) == pytest.approx(0.01, rel=0.05)
    assert outstanding(done) == pytest.approx(0.0)
    assert budget_of(gate.campaign).left == pytest.approx(100.0 - consumed(done))


@pytest.mark.parametrize(("kind", "tries"), [("input", 0), ("not_converged", 2), ("walltime", 1), ("lost", 3)])
def test_each_class_of_failure_has_its_own_budget_of_retries(gate: Gate, kind: str, tries: int) -> None:
    calculation = approved(gate)
    for attempt in range(tries):
        assert fails(calculation, kind).state == Decision.APPROVED
        assert jobs_of(calculation).count() == attempt + 2
    assert fails(calculation, kind).state == Decision.FAILED
    assert calculation.failure == kind
    assert len(calculation.failures) == tries + 1
    assert outstanding(calculation) == pytest.approx(0.0)


def test_a_run_that_did_not_converge_mixes_less_next_time_and_says_so(gate: Gate) -> None:
    calculation = fails(approved(gate), "not_converged")
    assert calculation.run["mixing"] == 0.025
    assert calculation.run["max_iterations"] == 400
    assert calculation.failures[0]["run"]["mixing"] == 0.05
    newest = jobs_of(calculation).last()
    assert newest is not None
    assert newest.params["run"]["mixing"] == 0.025


def test_a_killed_job_is_a_failure_of_memory_and_consumed_hours_stay_consumed(gate: Gate) -> None:
    calculation = approved(gate)
    job = an_attempt(calculation, seconds=3600.0)
    Job.objects.filter(pk=job.pk).update(error_code="killed")
    job.refresh_from_db()
    CALCULATE.failed(job, "Its process died by signal 9.")
    calculation.refresh_from_db()
    assert calculation.failures[0]["kind"] == "memory"
    assert calculation.run["memory"] == 16.0
    assert consumed(calculation) == pytest.approx(1.0, rel=0.01)


def test_an_attempt_that_spends_the_last_core_hour_is_not_followed_by_another() -> None:
    gate = a_gate(core_hours=0.5)
    calculation = approved(gate)
    job = an_attempt(calculation, seconds=7200.0)
    CALCULATE.save(job, CalculateOutputs(None, "lost", "Gone.", 7200.0, 1), {})
    calculation.refresh_from_db()
    assert calculation.state == Decision.FAILED
    assert "used up" in calculation.message
    assert budget_of(gate.campaign).left < 0


def test_a_failed_one_is_tried_again_under_the_same_approval(gate: Gate) -> None:
    calculation = fails(approved(gate), "input")
    calculation_retry(calculation=calculation, user=gate.operator)
    assert succeeds(DftCalculation.objects.get(pk=calculation.pk)).state == Decision.DONE
    assert calculation.decisions.count() == 1


def test_what_finished_here_makes_the_next_estimate(gate: Gate) -> None:
    node_seen(name="w", host="node", queues=["single"], slots=1, devices=[])
    assert gate.waiting[0].history == 0
    done = succeeds(approved(gate))
    assert history_of("gpaw").count == 1
    later = a_request(gate.campaign, gate.scientist, key="labels/0/1").calculations.get(order=0)
    assert later.history == 1
    assert later.estimate == pytest.approx(done.outcome.core_hours)


def test_a_result_that_comes_after_a_withdrawal_is_not_taken_but_paid_for(gate: Gate) -> None:
    calculation = approved(gate)
    job = an_attempt(calculation)
    calculation_void(calculation=calculation, user=gate.operator, reason="wrong")
    CALCULATE.save(job, CalculateOutputs(a_result(calculation), "", "", 36.0, 1), {})
    calculation.refresh_from_db()
    assert calculation.state == Decision.VOIDED
    assert not hasattr(calculation, "outcome")
    assert consumed(calculation) > 0


def test_a_step_is_told_what_it_waits_for(gate: Gate) -> None:
    assert "2 DFT calculations wait for approval" in why_open(gate.campaign, gate.request.key)
    for number in (0, 1):
        succeeds(approved(gate, number))
    assert why_open(gate.campaign, gate.request.key) == ""


def test_an_upload_for_another_engine_or_state_is_refused(gate: Gate, tmp_path: Path) -> None:
    file = tmp_path / "vasprun.xml"
    file.write_text("<modeling/>")
    with pytest.raises(Conflict, match="approved calculation only"):
        result_upload(calculation=gate.waiting[0], content=file, file_name="vasprun.xml", user=gate.operator)
    with pytest.raises(Conflict, match="only VASP"):
        result_upload(calculation=approved(gate), content=file, file_name="vasprun.xml", user=gate.operator)


def test_a_wrong_upload_says_what_differs_and_a_right_one_is_the_result(gate: Gate, tmp_path: Path) -> None:
    file = tmp_path / "vasprun.xml"
    file.write_text("<modeling/>")
    DftCalculation.objects.filter(request=gate.request).update(engine="vasp")
    calculation = approved(gate)
    assert not jobs_of(calculation).exists()
    job = result_upload(calculation=calculation, content=file, file_name="vasprun.xml", user=gate.operator)
    UPLOAD.save(job, CalculateOutputs(None, "input", "ENCUT is 400, not 600", 1.0, 1), {})
    calculation.refresh_from_db()
    assert (calculation.state, "ENCUT" in calculation.message) == (Decision.APPROVED, True)
    UPLOAD.save(job, CalculateOutputs(a_result(calculation), "", "", 1.0, 1), {})
    calculation.refresh_from_db()
    assert calculation.state == Decision.DONE
    assert (calculation.outcome.source, calculation.outcome.uploaded_by) == ("uploaded", gate.operator)


def test_waiting_in_a_schedulers_queue_costs_nothing(gate: Gate) -> None:
    calculation = approved(gate)
    job = an_attempt(calculation, seconds=7200.0)
    Attempt.objects.filter(job=job).update(resources={"asked": {"cores": 1}, "used": {"time_s": 36.0}})
    CALCULATE.save(job, CalculateOutputs(a_result(calculation), "", "", 36.0, 1), {})
    assert consumed(calculation) == pytest.approx(0.01)
