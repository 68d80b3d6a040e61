"""What the events missed is put right."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now

from apps.jobs import services as jobs
from apps.jobs.models import Job, State
from apps.worker import reconcile as module
from apps.worker.reconcile import reconcile
from tests.faults.echoes.binding import ECHO, spec
from tests.faults.echoes.models import Echo

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Queues and how many wake-ups they were sent."""
    sent: dict[str, int] = {}
    monkeypatch.setattr(module, "wake", lambda queue, times: sent.update({queue: times}))
    return sent


def lost_job() -> Job:
    (job,) = jobs.enqueue([spec("a")], group="step:1")
    jobs.claim(queue="light", owner="gone", host="elsewhere", lease_s=60)
    Job.objects.filter(pk=job.pk).update(lease_until=Now() - timedelta(seconds=1))
    return job


def test_the_job_of_a_lost_worker_goes_back_and_its_queue_is_woken(woken: dict[str, int]):
    job = lost_job()
    assert reconcile({"echo": ECHO}) is True
    assert Job.objects.get(pk=job.pk).state == State.QUEUED
    assert woken == {"light": 1}


def test_a_job_lost_too_often_fails_and_its_app_is_told(woken: dict[str, int]):
    job = lost_job()
    Job.objects.filter(pk=job.pk).update(max_attempts=0)
    reconcile({"echo": ECHO})
    assert Job.objects.get(pk=job.pk).state == State.FAILED
    assert Echo.objects.get().failed


def test_a_lost_job_that_was_to_be_cancelled_is(woken: dict[str, int]):
    job = lost_job()
    jobs.cancel(jobs=[job])
    reconcile({"echo": ECHO})
    assert Job.objects.get(pk=job.pk).state == State.CANCELLED


def test_a_live_lease_is_left_alone(woken: dict[str, int]):
    (job,) = jobs.enqueue([spec("a")], group="step:1")
    jobs.claim(queue="light", owner="me", host="here", lease_s=60)
    reconcile({"echo": ECHO})
    assert Job.objects.get(pk=job.pk).state == State.RUNNING
    assert woken == {}


def test_only_one_reconciles_at_a_time(woken: dict[str, int]):
    answers: list[bool] = []

    def other() -> None:
        answers.append(reconcile({}))
        connection.close()

    with module.alone(module.LOCK) as mine:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert mine is True
    assert answers == [False]
