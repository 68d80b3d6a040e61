"""A look at the cluster brings each job forward once, by what lies in its folder."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from apps.artifacts import services as artifacts
from apps.core.errors import StorageFull
from apps.jobs import dispatch
from apps.jobs import services as jobs
from apps.jobs.bindings import HPC, Binding
from apps.jobs.models import Attempt, Job, Outcome, State
from apps.jobs.selectors import is_abroad, why_waiting
from apps.worker import reconcile as reconciling
from apps.worker import tasks
from apps.worker.closing import Closing
from apps.worker.cluster import Cluster
from apps.worker.folders import StageFolder
from apps.worker.polling import Poller
from apps.worker.runner import Timing
from apps.worker.slurm import Account, Asked, SchedulerAway, Slurm, SlurmJob
from apps.worker.submission import Submitter
from kappakit import archive
from kappakit.testing.echo import EchoOutputs
from tests.faults.echoes.binding import ECHO, spec
from tests.faults.echoes.models import Echo

pytestmark = pytest.mark.django_db(transaction=True)

BINDINGS = {"echo": ECHO}


@dataclass(frozen=True)
class ListedSlurm(Slurm):
    """Takes everything and computes nothing; a test says what each job has come to."""

    states: dict[str, str] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)

    def submit(self, name: str, script: str, asked: Asked, log: Path) -> str:
        self.states[name] = "PENDING"
        return str(len(self.states))

    def listed(self, names: Iterable[str] = ()) -> dict[str, SlurmJob]:
        return {
            name: SlurmJob(str(number), state, "None", 0, "n1", name)
            for number, (name, state) in enumerate(self.states.items(), start=1)
        }

    def accounts(self, ids: Sequence[str]) -> dict[str, Account]:
        return {}

    def end(self, ids: Sequence[str]) -> None:
        self.ended.extend(ids)


@pytest.fixture
def slurm() -> ListedSlurm:
    return ListedSlurm()


@pytest.fixture
def cluster(slurm: ListedSlurm, tmp_path: Path, settings) -> Cluster:
    settings.ARTIFACTS = tmp_path / "artifacts"
    return Cluster(slurm, tmp_path / "stages", "python", "module")


@pytest.fixture
def submitter(cluster: Cluster) -> Submitter:
    return Submitter(BINDINGS, cluster, Timing(lease_s=5, heartbeat_s=0.5), Closing(lambda job, touched: None))


@pytest.fixture
def poller(cluster: Cluster) -> Poller:
    return Poller(BINDINGS, cluster, Closing(lambda job, touched: None))


def waiting(submitter: Submitter, *words: str) -> Job:
    (job,) = jobs.enqueue([spec(*words, queue=HPC)], group="step:1")
    submitter.work(HPC)
    return fresh(job)


def fresh(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def over(cluster: Cluster, job: Job, state: str, *, results: bool = True) -> StageFolder:
    """Slurm says `state`; the stage left results, or nothing."""
    cluster.slurm.states[job.external_id] = state
    folder = cluster.folder(job, job.external_id)
    if results:
        (folder.path / "words.txt").write_text("\n".join(job.units))
        archive.write(folder.path, "outputs", EchoOutputs(tuple(job.units), "words.txt"))
    return folder


@pytest.mark.parametrize("state", ["TIMEOUT", "NODE_FAIL", "FAILED", "COMPLETED"])
def test_valid_results_are_success_whatever_the_scheduler_says(submitter: Submitter, poller: Poller, state: str):
    job = waiting(submitter, "a")
    over(poller.cluster, job, state)
    poller.poll()
    assert fresh(job).state == State.DONE
    assert Attempt.objects.get().resources["scheduler_state"] == state


def test_the_schedulers_word_without_results_is_no_success(submitter: Submitter, poller: Poller):
    now = [0.0]
    poller = replace(poller, clock=lambda: now[0])
    job = waiting(submitter, "a")
    folder = over(poller.cluster, job, "COMPLETED")
    (folder.path / "outputs.json").write_text('{"words": ["a"')
    poller.poll()
    assert fresh(job).state == State.WAITING
    assert "its files are awaited" in why_waiting(fresh(job))
    now[0] = 61.0
    poller.poll()
    assert (fresh(job).state, fresh(job).error_code) == (State.QUEUED, "bug")
    assert not Echo.objects.exists()


def test_files_that_come_late_are_fetched(submitter: Submitter, poller: Poller):
    job = waiting(submitter, "a")
    over(poller.cluster, job, "COMPLETED", results=False)
    poller.poll()
    over(poller.cluster, job, "COMPLETED")
    poller.poll()
    assert fresh(job).state == State.DONE


def test_two_who_look_at_once_save_once(submitter: Submitter, cluster: Cluster):
    """Both have read the valid results before either saves."""
    job = waiting(submitter, "a")
    over(cluster, job, "COMPLETED")
    both = threading.Barrier(2)

    @dataclass(frozen=True)
    class Meeting(Closing):
        def store_files(self, binding: Binding, folder: StageFolder, outputs: Any) -> dict[str, int]:
            files = super().store_files(binding, folder, outputs)
            both.wait(10)
            return files

    ended: list[int] = []
    poller = Poller(BINDINGS, cluster, Meeting(lambda job, touched: ended.append(job.pk)))

    def look() -> None:
        poller.poll()
        connection.close()

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fresh(job).state == State.DONE
    assert (Echo.objects.count(), ended) == (1, [job.pk])


def test_a_look_that_is_late_does_not_touch_what_was_begun_again(submitter: Submitter, poller: Poller):
    job = waiting(submitter, "a")
    over(poller.cluster, job, "NODE_FAIL", results=False)
    (late,) = Attempt.objects.select_related("job").all()
    poller.poll()
    Job.objects.update(not_before_at="2020-01-01T00:00Z")
    submitter.work(HPC)
    poller._forward(late, poller.cluster.slurm.listed()[job.external_id], None)
    assert (fresh(job).state, fresh(job).attempt) == (State.WAITING, 2)
    assert list(Attempt.objects.order_by("number").values_list("outcome", flat=True)) == ["lost", "running"]


def test_a_bug_in_saving_one_job_does_not_stop_the_others(submitter: Submitter, cluster: Cluster):
    def save(job: Job, outputs: EchoOutputs, files: object) -> set[int]:
        if outputs.words == ("bad",):
            raise RuntimeError("saving is broken")
        return ECHO.save(job, outputs, {})

    bad, good = waiting(submitter, "bad"), waiting(submitter, "good")
    for job in (bad, good):
        over(cluster, job, "COMPLETED")
    broken = {"echo": replace(ECHO, save=save)}
    Poller(broken, cluster, Closing(lambda job, touched: None)).poll()
    assert (fresh(bad).state, fresh(bad).error_code) == (State.QUEUED, "bug")
    assert "saving is broken" in fresh(bad).error_message
    assert fresh(good).state == State.DONE


def test_results_wait_where_they_are_while_the_disk_is_full(
    submitter: Submitter, poller: Poller, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object, **__: object) -> None:
        raise StorageFull("no room")

    job = waiting(submitter, "a")
    over(poller.cluster, job, "COMPLETED")
    with monkeypatch.context() as patch:
        patch.setattr(artifacts, "store", full)
        poller.poll()
    assert fresh(job).state == State.WAITING
    poller.poll()
    assert fresh(job).state == State.DONE


def test_a_failed_job_is_forgotten_there_at_the_next_look(submitter: Submitter, poller: Poller):
    job = waiting(submitter, "a")
    over(poller.cluster, job, "TIMEOUT", results=False)
    poller.poll()
    assert fresh(job).state == State.FAILED
    poller.poll()
    assert (is_abroad(), poller.cluster.slurm.ended) == (False, [])
    assert not poller.cluster.folder(job, job.external_id).job.exists()


def test_who_is_cancelled_while_being_submitted_is_ended_at_the_next_look(submitter: Submitter, poller: Poller):
    job = waiting(submitter, "a")
    Job.objects.update(cancel_requested=True)
    poller.poll()
    assert fresh(job).state == State.CANCELLED
    assert poller.cluster.slurm.ended == ["1"]
    over(poller.cluster, job, "CANCELLED", results=False)
    poller.poll()
    assert not is_abroad()
    assert Attempt.objects.get().outcome == Outcome.CANCELLED


def test_a_cancelled_job_that_is_tried_again_takes_up_what_still_runs(submitter: Submitter, poller: Poller):
    job = waiting(submitter, "a")
    jobs.cancel(jobs=[job])
    jobs.retry(job=job)
    submitter.work(HPC)
    assert (fresh(job).attempt, fresh(job).external_id) == (2, job.external_id)
    over(poller.cluster, job, "COMPLETED")
    poller.poll()
    assert fresh(job).state == State.DONE


def test_a_scheduler_that_hangs_changes_nothing(submitter: Submitter, poller: Poller, tmp_path: Path):
    job = waiting(submitter, "a")
    hanging = Slurm(via=("sh", "-c", "exec sleep 5"), timeout_s=0.2)
    with pytest.raises(SchedulerAway):
        replace(poller, cluster=replace(poller.cluster, slurm=hanging)).poll()
    assert fresh(job).state == State.WAITING


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[object]]]:
    """Messages: task and arguments."""
    found: list[tuple[str, list[object]]] = []
    monkeypatch.setattr(dispatch, "_send", lambda task, queue, args, **more: found.append((task, args)))
    return found


def test_reconcile_has_the_cluster_asked_as_long_as_anything_is_there(
    submitter: Submitter, sent: list[tuple[str, list[object]]]
):
    reconciling.reconcile(BINDINGS)
    assert sent == []
    waiting(submitter, "a")
    sent.clear()
    reconciling.reconcile(BINDINGS)
    assert sent == [(dispatch.POLL, [False])]


def test_a_cancelled_job_has_the_cluster_told_at_once(submitter: Submitter, sent: list[tuple[str, list[object]]]):
    job = waiting(submitter, "a")
    jobs.cancel(jobs=[job])
    assert sent[-1] == (dispatch.POLL, [True])


def test_the_tasks_of_a_worker_with_slurm_hand_over_and_ask(
    cluster: Cluster, settings, monkeypatch: pytest.MonkeyPatch, sent: list[tuple[str, list[object]]]
):
    (job,) = jobs.enqueue([spec("a", queue=HPC)], group="step:1")
    monkeypatch.setattr(tasks, "cluster", lambda: cluster)
    settings.SLURM = True
    tasks.work(HPC)
    assert fresh(job).state == State.WAITING
    over(cluster, fresh(job), "COMPLETED")
    tasks.poll(True)
    assert fresh(job).state == State.DONE
