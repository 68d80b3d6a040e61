"""A worker takes a real job through a real process."""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connection

from apps.artifacts import services as artifacts
from apps.artifacts.models import Artifact
from apps.jobs import services as jobs
from apps.jobs.bindings import Binding
from apps.jobs.models import Attempt, Job, State
from apps.worker.launchers import LocalLauncher, runs_in
from apps.worker.runner import Runner, Timing
from kappakit import run
from kappakit.testing.echo import EchoInputs
from tests.faults.echoes.binding import ECHO, spec
from tests.faults.echoes.models import Echo

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def runner(tmp_path: Path, settings) -> Runner:
    settings.ARTIFACTS = tmp_path / "artifacts"
    return Runner(
        bindings={"echo": ECHO},
        launcher=LocalLauncher("kappakit.testing.echo_run"),
        folders=tmp_path / "stages",
        timing=Timing(lease_s=5, heartbeat_s=0.1, look_s=0.05, patience_s=5),
        threads=lambda queue: 1,
        finished=lambda job, touched: None,
    )


def queued(*words: str, **more: object) -> Job:
    (job,) = jobs.enqueue([spec(*words, **more)], group="step:1")
    return job


def fresh(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def meanwhile(work: Callable[[], object]) -> threading.Thread:
    def run_and_hang_up() -> None:
        work()
        connection.close()

    thread = threading.Thread(target=run_and_hang_up)
    thread.start()
    return thread


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def running_attempt(job: Job) -> Attempt:
    until(lambda: Attempt.objects.filter(job=job, pid__isnull=False, ended_at=None).exists())
    return Attempt.objects.get(job=job, ended_at=None)


def test_a_job_runs_in_a_process_of_its_own_and_its_results_are_kept(runner: Runner, tmp_path: Path):
    job = queued("a", "b")
    assert runner.work("light") is True
    assert fresh(job).state == State.DONE
    assert list(Echo.objects.values_list("word", flat=True)) == ["a", "b"]
    attempt = Attempt.objects.get()
    assert attempt.exit_code == 0
    assert attempt.versions["stage"] == "1"
    assert b"echo of 2 words" in artifacts.read(attempt.log)
    assert artifacts.read(Artifact.objects.get(kind="words")) == b"a\nb"
    assert list((tmp_path / "stages").iterdir()) == []


def test_an_empty_queue_is_no_work(runner: Runner):
    assert runner.work("light") is False


@pytest.mark.parametrize(
    ("misdeed", "state", "code"),
    [("input", State.FAILED, "input"), ("transient", State.QUEUED, "transient"), ("bug", State.QUEUED, "bug")],
)
def test_each_kind_of_failure_has_its_consequence(runner: Runner, misdeed: str, state: str, code: str):
    job = queued("a", misdeeds={"a": misdeed})
    runner.work("light")
    assert (fresh(job).state, fresh(job).error_code) == (state, code)
    assert "a" in Attempt.objects.get().message


def test_a_segfault_halves_the_batch_and_harms_nobody_else(runner: Runner):
    queued("a", "b", "poison", misdeeds={"poison": "segfault"})
    while runner.work("light"):
        Job.objects.filter(state=State.QUEUED).update(not_before_at="2020-01-01T00:00Z")
    assert sorted(Echo.objects.filter(failed=False).values_list("word", flat=True)) == ["a", "b"]
    assert list(Echo.objects.filter(failed=True).values_list("word", flat=True)) == ["poison"]


def test_a_cancelled_job_has_its_process_killed(runner: Runner):
    job = queued("a", misdeeds={"a": "hang"})
    thread = meanwhile(lambda: runner.work("light"))
    pid = running_attempt(job).pid
    jobs.cancel(jobs=[job])
    thread.join()
    assert fresh(job).state == State.CANCELLED
    assert not Path(f"/proc/{pid}").exists()


def test_a_job_over_its_time_limit_is_killed(runner: Runner):
    job = queued("a", misdeeds={"a": "hang"}, time_limit_s=1)
    runner.work("light")
    assert (fresh(job).state, fresh(job).error_code) == (State.FAILED, "timeout")


def test_progress_reaches_the_row_while_the_stage_runs(runner: Runner):
    job = queued("a", seconds=2.0)
    thread = meanwhile(lambda: runner.work("light"))
    until(lambda: fresh(job).progress_note.startswith("piece"))
    assert fresh(job).progress_total == 10
    thread.join()


def test_a_worker_that_lost_its_lease_kills_its_stage_and_writes_nothing(runner: Runner):
    job = queued("a", seconds=3.0)
    thread = meanwhile(lambda: runner.work("light"))
    pid = running_attempt(job).pid
    Job.objects.filter(pk=job.pk).update(attempt=7, lease_owner="another")
    thread.join()
    assert not Path(f"/proc/{pid}").exists()
    assert not Echo.objects.exists()
    assert fresh(job).state == State.RUNNING


def test_a_stopping_worker_gives_its_job_back(runner: Runner):
    job = queued("a", misdeeds={"a": "hang"})
    thread = meanwhile(lambda: runner.work("light"))
    running_attempt(job)
    runner.stopping.set()
    thread.join()
    assert fresh(job).state == State.QUEUED
    assert runner.work("light") is False


def test_a_stage_left_by_a_frozen_worker_is_ended_by_the_next_attempt(runner: Runner, tmp_path: Path):
    job = queued("a")
    folder = tmp_path / "stages" / f"job-{job.pk}" / "1"
    jobs.claim(queue="light", owner="frozen", host="here", lease_s=0)
    run.prepare(folder, "echo", EchoInputs(("a",), misdeeds={"a": "hang"}), {}, 1)
    old = runner.launcher.launch(folder)
    Attempt.objects.update(pid=old.pid, host=socket.gethostname())
    until(lambda: runs_in(old.pid, folder))
    jobs.expired_return()
    runner.work("light")
    assert old.wait(5) == -9
    assert fresh(job).state == State.DONE


def test_a_bug_in_saving_rolls_everything_back_and_is_told(runner: Runner):
    def save(job: Job, outputs: object, files: object) -> set[int]:
        Echo.objects.create(job_id=job.pk, word="half")
        raise RuntimeError("saving is broken")

    broken = Binding(name="echo", load=ECHO.load, save=save)
    job = queued("a")
    replace(runner, bindings={"echo": broken}).work("light")
    assert not Echo.objects.exists()
    assert "saving is broken" in Attempt.objects.get(job=job).message


def test_an_unknown_kind_says_so(runner: Runner):
    job = queued("a")
    replace(runner, bindings={}).work("light")
    assert "No binding is called echo" in fresh(job).error_message


def test_a_full_disk_is_tried_again_later_and_nothing_is_lost(runner: Runner, monkeypatch: pytest.MonkeyPatch):
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    job = queued("a")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        runner.work("light")
    assert fresh(job).state == State.QUEUED
    assert "is full: make room" in fresh(job).error_message
    Job.objects.update(not_before_at="2020-01-01T00:00Z")
    runner.work("light")
    assert fresh(job).state == State.DONE
