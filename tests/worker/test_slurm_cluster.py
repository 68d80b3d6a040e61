"""Jobs on a real Slurm: whatever happens there or here, each is done once, and the outcome is the right one."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models.functions import Now

from apps.artifacts import services as artifacts
from apps.jobs import services as jobs
from apps.jobs.bindings import HPC
from apps.jobs.models import Attempt, Job, Outcome, State
from apps.jobs.selectors import is_abroad, why_waiting
from apps.worker.closing import Closing
from apps.worker.cluster import Cluster, name_of
from apps.worker.launchers import stage_environment
from apps.worker.polling import Poller
from apps.worker.runner import Timing
from apps.worker.slurm import Asked, SchedulerAway, Slurm
from apps.worker.submission import Submitter
from tests.faults.echoes.binding import ECHO, spec
from tests.faults.echoes.models import Echo
from tests.worker.slurm_node import SlurmNode, why_not

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(bool(why_not()), reason=f"no Slurm: {why_not()}"),
]

BINDINGS = {"echo": ECHO}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmNode]:
    node = SlurmNode(tmp_path_factory.mktemp("slurm"))
    try:
        node.start()
        yield node
    finally:
        node.stop()


@pytest.fixture
def cluster(node: SlurmNode, tmp_path: Path, settings) -> Iterator[Cluster]:
    settings.ARTIFACTS = tmp_path / "artifacts"
    environment = stage_environment() | {"SLURM_CONF": node.environment["SLURM_CONF"]}
    slurm = Slurm(environment=environment)
    yield Cluster(slurm, tmp_path / "stages", sys.executable, "kappakit.testing.echo_run")
    node.end_all()


@pytest.fixture
def submitter(cluster: Cluster) -> Submitter:
    return Submitter(BINDINGS, cluster, Timing(lease_s=5, heartbeat_s=0.5), Closing(lambda job, touched: None))


@pytest.fixture
def poller(cluster: Cluster) -> Poller:
    return Poller(BINDINGS, cluster, Closing(lambda job, touched: None), grace_s=0.5)


def queued(*words: str, **more: object) -> Job:
    (job,) = jobs.enqueue([spec(*words, queue=HPC, **more)], group="step:1")
    return job


def fresh(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def polled_until(poller: Poller, condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while True:
        poller.poll()
        if condition():
            return
        assert time.monotonic() < end, list(Job.objects.values("state", "progress_note", "error_message"))
        time.sleep(0.2)


def polled_until_over(poller: Poller, job: Job) -> Attempt:
    polled_until(poller, lambda: fresh(job).state != State.WAITING)
    return Attempt.objects.filter(job=job).latest("number")


def running(poller: Poller, job: Job) -> None:
    polled_until(poller, lambda: "running" in fresh(job).progress_note)


def test_a_job_is_computed_by_slurm_and_fetched(submitter: Submitter, poller: Poller):
    job = queued("a", "b", seconds=1.0, time_limit_s=90)
    assert submitter.work(HPC) is True
    assert (fresh(job).state, fresh(job).lease_owner) == (State.WAITING, "")
    attempt = polled_until_over(poller, job)
    assert fresh(job).state == State.DONE
    assert list(Echo.objects.values_list("word", flat=True)) == ["a", "b"]
    assert (attempt.outcome, attempt.exit_code, attempt.versions["stage"]) == (Outcome.DONE, 0, "1")
    assert b"echo of 2 words" in artifacts.read(attempt.log)
    assert attempt.resources["state"] == "fetched"
    assert attempt.resources["asked"] == {"cores": 1, "time_s": 90, "memory_mib": None}
    assert attempt.resources["used"]["time_s"] >= 1.0
    assert attempt.resources["used"]["memory_mib"] > 1.0
    assert not list(poller.cluster.folders.iterdir())


def test_while_it_waits_people_are_told_where_it_is_and_how_far(submitter: Submitter, poller: Poller, node: SlurmNode):
    first = queued("a", misdeeds={"a": "hang"}, seconds=0.1)
    first_asks = {"cores": 2}
    Job.objects.filter(pk=first.pk).update(params=first.params | first_asks)
    second = queued("b")
    submitter.work(HPC), submitter.work(HPC)
    running(poller, first)
    polled_until(poller, lambda: "piece 9" in why_waiting(fresh(first)))
    assert why_waiting(fresh(first)).endswith(f"running on {node.host}, 0 min; piece 9")
    assert fresh(first).progress_done == 9
    polled_until(poller, lambda: "queued (Resources)" in why_waiting(fresh(second)))
    attempt = Attempt.objects.get(job=second)
    assert (attempt.resources["state"], attempt.ended_at) == ("queued", None)


@pytest.mark.parametrize(
    ("misdeed", "state", "outcome"),
    [
        ("input", State.FAILED, Outcome.INPUT),
        ("transient", State.QUEUED, Outcome.TRANSIENT),
        ("bug", State.QUEUED, Outcome.BUG),
        ("segfault", State.QUEUED, Outcome.KILLED),
    ],
)
def test_each_kind_of_failure_is_fetched_too(
    submitter: Submitter, poller: Poller, misdeed: str, state: str, outcome: str
):
    job = queued("a", misdeeds={"a": misdeed})
    submitter.work(HPC)
    attempt = polled_until_over(poller, job)
    assert (fresh(job).state, attempt.outcome) == (state, outcome)
    assert attempt.resources["scheduler_state"] == "FAILED"
    assert attempt.message


def test_over_its_time_limit_it_is_ended_by_slurm(submitter: Submitter, poller: Poller, node: SlurmNode):
    job = queued("a", misdeeds={"a": "hang"}, time_limit_s=60)
    submitter.work(HPC)
    running(poller, job)
    number = Attempt.objects.get(job=job).resources["id"]
    node.ask("scontrol", "update", f"jobid={number}", f"EndTime={time.strftime('%FT%T')}")
    attempt = polled_until_over(poller, job)
    assert (fresh(job).state, attempt.outcome) == (State.FAILED, Outcome.TIMEOUT)
    assert attempt.resources["scheduler_state"] == "TIMEOUT"


def test_a_cancelled_job_is_over_here_at_once_and_there_soon(submitter: Submitter, poller: Poller, node: SlurmNode):
    job = queued("a", misdeeds={"a": "hang"})
    submitter.work(HPC)
    running(poller, job)
    jobs.cancel(jobs=[fresh(job)])
    assert fresh(job).state == State.CANCELLED
    assert Attempt.objects.get(job=job).outcome == Outcome.CANCELLED
    assert is_abroad()
    polled_until(poller, lambda: not is_abroad())
    assert node.ask("squeue", "--noheader", "--states=all", "--format=%T", f"--name={name_of(job, 1)}") == "CANCELLED\n"
    assert not list(poller.cluster.folders.iterdir())


def test_a_job_whose_node_is_lost_is_tried_again_and_done_when_the_node_is_back(
    submitter: Submitter, poller: Poller, node: SlurmNode
):
    job = queued("a", seconds=3.0)
    submitter.work(HPC)
    running(poller, job)
    node.lose_node()
    attempt = polled_until_over(poller, job)
    assert (fresh(job).state, attempt.outcome) == (State.QUEUED, Outcome.LOST)
    assert (attempt.resources["state"], attempt.resources["scheduler_state"]) == ("lost", "NODE_FAIL")
    submitter.work(HPC)
    node.start_node()
    polled_until_over(poller, job)
    assert fresh(job).state == State.DONE
    assert Echo.objects.count() == 1


def test_a_job_that_somebody_ends_on_the_cluster_counts_as_lost(submitter: Submitter, poller: Poller, node: SlurmNode):
    job = queued("a", misdeeds={"a": "hang"})
    submitter.work(HPC)
    node.ask("scancel", f"--name={name_of(job, 1)}")
    assert polled_until_over(poller, job).outcome == Outcome.LOST


class Killed(BaseException):
    """Our process is gone: nothing after this line of it runs."""


class DyingSlurm(Slurm):
    """Takes the job, and then our side is killed before it can write that down."""

    def submit(self, name: str, script: str, asked: Asked, log: Path) -> str:
        super().submit(name, script, asked, log)
        raise Killed


def killed_after_sbatch(submitter: Submitter) -> None:
    slurm = submitter.cluster.slurm
    dying = DyingSlurm(environment=slurm.environment)
    with pytest.raises(Killed):
        replace(submitter, cluster=replace(submitter.cluster, slurm=dying)).work(HPC)


def expire(job: Job) -> None:
    assert fresh(job).state == State.RUNNING
    Job.objects.filter(pk=job.pk).update(lease_until=Now() - timedelta(seconds=1))
    jobs.expired_return()


@pytest.mark.parametrize("seconds", [4.0, 0.0])
def test_an_orphan_is_found_again_by_its_name_and_not_submitted_twice(
    submitter: Submitter, poller: Poller, node: SlurmNode, seconds: float
):
    job = queued("a", seconds=seconds)
    killed_after_sbatch(submitter)
    if not seconds:
        name = name_of(job, 1)
        while submitter.cluster.slurm.listed()[name].state != "COMPLETED":
            time.sleep(0.1)
    expire(job)
    submitter.work(HPC)
    assert (fresh(job).attempt, fresh(job).external_id) == (2, name_of(job, 1))
    polled_until_over(poller, job)
    assert fresh(job).state == State.DONE
    assert Echo.objects.count() == 1
    assert [name for name in node.names() if name.startswith(f"kappaweb-{job.pk}-")].count(name_of(job, 1)) == 1
    assert name_of(job, 2) not in node.names()


def test_an_orphan_of_a_job_that_was_cancelled_meanwhile_is_ended(
    submitter: Submitter, poller: Poller, node: SlurmNode
):
    job = queued("a", misdeeds={"a": "hang"})
    killed_after_sbatch(submitter)
    jobs.cancel(jobs=[job])
    expire(job)
    assert fresh(job).state == State.CANCELLED
    polled_until(poller, lambda: not is_abroad())
    assert not node.ask("squeue", "--noheader")


def test_what_slurm_can_never_give_fails_with_its_words(submitter: Submitter):
    job = queued("a")
    greedy = replace(submitter.cluster.slurm, options=("--mem=900G",))
    replace(submitter, cluster=replace(submitter.cluster, slurm=greedy)).work(HPC)
    assert (fresh(job).state, fresh(job).error_code) == (State.FAILED, "input")
    assert "Memory specification can not be satisfied" in fresh(job).error_message


def test_a_cluster_that_is_away_costs_no_attempt(submitter: Submitter, poller: Poller):
    job = queued("a")
    away = Slurm(environment=stage_environment() | {"SLURM_CONF": "/nowhere/slurm.conf"}, timeout_s=1)
    replace(submitter, cluster=replace(submitter.cluster, slurm=away)).work(HPC)
    assert (fresh(job).state, fresh(job).max_attempts - fresh(job).attempt) == (State.QUEUED, 3)
    assert fresh(job).error_message
    Job.objects.update(not_before_at=Now())
    submitter.work(HPC)
    with pytest.raises(SchedulerAway):
        replace(poller, cluster=replace(poller.cluster, slurm=away)).poll()
    assert fresh(job).state == State.WAITING
    polled_until_over(poller, job)
    assert fresh(job).state == State.DONE


def test_the_commands_can_go_through_another_host(submitter: Submitter, poller: Poller):
    """`sh -c` takes one line of words, as ssh does."""
    job = queued("a")
    cluster = replace(submitter.cluster, slurm=replace(submitter.cluster.slurm, via=("sh", "-c")))
    replace(submitter, cluster=cluster).work(HPC)
    polled_until_over(replace(poller, cluster=cluster), job)
    assert fresh(job).state == State.DONE
