"""Jobs move only as the rules say, and only for whoever holds the lease."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import ProgrammingError, connection, transaction
from django.db.models.functions import Now

from apps.core.errors import Conflict
from apps.jobs import services as jobs
from apps.jobs.models import Attempt, Job, Outcome, State
from apps.jobs.selectors import counts_by_state, of_group, wakes_missing, why_waiting
from apps.jobs.services import Ending, Lease, LeaseLost
from tests.faults.echoes.binding import spec

pytestmark = pytest.mark.django_db

DONE = Ending(Outcome.DONE)
BUG = Ending(Outcome.BUG, "boom")
LOST = Ending(Outcome.LOST)


def claimed(owner: str = "me", queue: str = "light") -> tuple[Job, Lease]:
    found = jobs.claim(queue=queue, owner=owner, host="here", lease_s=60)
    assert found is not None
    return found


def state(job: Job) -> str:
    return Job.objects.get(pk=job.pk).state


def expire(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_until=Now() - timedelta(seconds=1))


def test_enqueueing_the_same_work_twice_makes_one_job():
    first = jobs.enqueue([spec("a", "b"), spec("c")], group="step:1")
    again = jobs.enqueue([spec("a", "b")], group="step:1")
    assert again == [first[0]]
    assert Job.objects.count() == 2


def test_another_group_gets_a_job_of_its_own():
    jobs.enqueue([spec("a")], group="step:1")
    jobs.enqueue([spec("a")], group="step:2")
    assert Job.objects.count() == 2


def test_higher_priority_is_claimed_first_then_the_older():
    jobs.enqueue([spec("a"), spec("b"), spec("c", priority=5)], group="step:1")
    assert [claimed()[0].units for _ in range(3)] == [["c"], ["a"], ["b"]]
    assert jobs.claim(queue="light", owner="me", host="here", lease_s=60) is None


def test_a_queue_gives_only_its_own_jobs():
    jobs.enqueue([spec("a", queue="heavy")], group="step:1")
    assert jobs.claim(queue="light", owner="me", host="here", lease_s=60) is None


def test_who_lost_the_lease_can_write_nothing():
    (job,) = jobs.enqueue([spec("a")], group="step:1")
    _, stale = claimed("frozen")
    expire(job)
    jobs.expired_return()
    _, fresh = claimed("quick")
    for write in (
        lambda: jobs.heartbeat(stale, lease_s=60),
        lambda: jobs.complete(stale, DONE),
        lambda: jobs.fail(stale, BUG),
        lambda: jobs.fence(stale),
        lambda: jobs.release(stale),
    ):
        with pytest.raises(LeaseLost), transaction.atomic():
            write()
    jobs.complete(fresh, DONE)
    assert state(job) == State.DONE
    assert [a.outcome for a in Attempt.objects.order_by("number")] == [Outcome.LOST, Outcome.DONE]


def test_a_completed_job_cannot_be_completed_again():
    jobs.enqueue([spec("a")], group="step:1")
    _, lease = claimed()
    jobs.complete(lease, DONE)
    with pytest.raises(LeaseLost):
        jobs.complete(lease, DONE)


def test_the_database_refuses_an_illegal_move_even_to_raw_sql():
    (job,) = jobs.enqueue([spec("a")], group="step:1")
    with (
        pytest.raises(ProgrammingError, match="Invalid transition"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE jobs_job SET state = 'DONE' WHERE id = %s", [job.pk])


def test_a_dying_batch_is_halved_until_the_poisonous_crystal_is_alone():
    jobs.enqueue([spec("a", "b", "c", "poison")], group="step:1")
    done: list[str] = []
    while (found := jobs.claim(queue="light", owner="me", host="here", lease_s=60)) is not None:
        job, lease = found
        if "poison" in job.units:
            jobs.fail(lease, Ending(Outcome.KILLED, "signal 11"))
            Job.objects.filter(state=State.QUEUED).update(not_before_at=Now())
        else:
            done += job.units
            jobs.complete(lease, DONE)
    assert sorted(done) == ["a", "b", "c"]
    left = of_group("step:1").get(state=State.FAILED)
    assert left.units == ["poison"]
    assert left.attempt == 3
    assert counts_by_state(["step:1"]) == {"step:1": {"DONE": 2, "FAILED": 1}}


def test_a_transient_failure_waits_before_it_is_tried_again():
    (job,) = jobs.enqueue([spec("a")], group="step:1")
    jobs.fail(claimed()[1], Ending(Outcome.TRANSIENT, "busy"))
    assert jobs.claim(queue="light", owner="me", host="here", lease_s=60) is None
    job.refresh_from_db()
    assert job.state == State.QUEUED
    assert job.not_before_at > job.created_at + timedelta(seconds=4)
    jobs.node_seen(name="light@here", host="here", queues=["light"], slots=1, devices=[])
    assert why_waiting(job).startswith("Tries again at")


def test_a_refused_input_fails_at_once():
    (job,) = jobs.enqueue([spec("a", "b")], group="step:1")
    jobs.fail(claimed()[1], Ending(Outcome.INPUT, "not a crystal"))
    job.refresh_from_db()
    assert (job.state, job.error_code, job.error_message) == (State.FAILED, "input", "not a crystal")


def test_a_job_whose_workers_keep_dying_fails_in_the_end():
    (job,) = jobs.enqueue([spec("a")], group="step:1")
    gone: list[Job] = []
    for _ in range(6):
        claimed()
        expire(job)
        gone += jobs.expired_return()
    assert gone == [job]
    assert state(job) == State.FAILED


def test_a_stopped_worker_costs_the_job_no_attempt():
    (job,) = jobs.enqueue([spec("a")], group="step:1")
    for _ in range(5):
        jobs.release(claimed()[1])
    job.refresh_from_db()
    assert job.state == State.QUEUED
    assert job.max_attempts - job.attempt == 3


def test_cancelling_ends_what_waits_and_asks_what_runs():
    first, second = jobs.enqueue([spec("a"), spec("b")], group="step:1")
    _, lease = claimed()
    jobs.cancel(jobs=[first, second])
    assert [state(first), state(second)] == [State.RUNNING, State.CANCELLED]
    assert jobs.heartbeat(lease, lease_s=60) is True
    jobs.fail(lease, BUG)
    assert state(first) == State.CANCELLED


def test_a_failed_job_is_retried_in_place_and_a_finished_one_is_not():
    (job,) = jobs.enqueue([spec("a")], group="step:1")
    jobs.fail(claimed()[1], Ending(Outcome.INPUT, "no"))
    jobs.retry(job=job)
    _, lease = claimed()
    jobs.complete(lease, DONE)
    with pytest.raises(Conflict):
        jobs.retry(job=job)


def test_a_heartbeat_carries_the_progress():
    (job,) = jobs.enqueue([spec("a")], group="step:1")
    jobs.heartbeat(claimed()[1], lease_s=60, progress=(3, 10, "crystal 3"))
    job.refresh_from_db()
    assert (job.progress_done, job.progress_total, job.progress_note) == (3, 10, "crystal 3")


def test_why_a_job_waits_is_always_known():
    first, second, gpu = jobs.enqueue([spec("a"), spec("b"), spec("c", queue="gpu")], group="step:1")
    assert why_waiting(first) == "No worker takes light jobs."
    assert "No GPU" in why_waiting(gpu)
    jobs.node_seen(name="light@here", host="here", queues=["light"], slots=1, devices=[])
    assert why_waiting(first) == "Next in the queue."
    assert why_waiting(second) == "In the queue: 1 before it."


def test_wakes_are_resent_for_free_slots_only():
    jobs.enqueue([spec(str(n)) for n in range(10)], group="step:1")
    assert wakes_missing() == {"light": 1}
    jobs.node_seen(name="light@here", host="here", queues=["light"], slots=3, devices=[])
    claimed()
    assert wakes_missing() == {"light": 2}
