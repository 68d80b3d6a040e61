"""How far a campaign is, and what it waits for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from apps.campaigns.models import CampaignState, Step
from apps.campaigns.selectors import reports_of, step_group, steps_of, why_waiting
from apps.campaigns.services import campaign_halt, step_done, step_open, step_planned
from apps.core.clock import now
from apps.jobs import services as jobs
from apps.jobs.bindings import JobSpec
from apps.jobs.models import Job, Outcome
from apps.jobs.services import Ending
from kappakit.pipeline import CountReport, StepKey
from tests.apps.rows import a_campaign, a_user

pytestmark = pytest.mark.django_db


def a_step(campaign, *batches: int) -> Step:
    step = step_open(campaign=campaign, name="generate", sweep=0, iteration=0, candidates=())
    numbers = iter(range(1000))
    specs = [
        JobSpec("generate", tuple(str(next(numbers)) for _ in range(size)), {}, "generate", "light") for size in batches
    ]
    jobs.enqueue(specs, group=step_group(step.pk))
    step_planned(step=step, expected_units=sum(batches))
    return step


@pytest.fixture
def campaign():
    return a_campaign(a_user("owner"), state=CampaignState.RUNNING)


def test_progress_counts_units_and_what_running_jobs_tell(campaign):
    a_step(campaign, 4, 4, 2)
    _, lease = jobs.claim(queue="light", owner="me", host="here", lease_s=60)
    jobs.complete(lease, Ending(Outcome.DONE))
    _, lease = jobs.claim(queue="light", owner="me", host="here", lease_s=60)
    jobs.heartbeat(lease, lease_s=60, progress=(1, 2, "half"))
    (row,) = steps_of(campaign, now=now())
    assert (row.jobs.done, row.jobs.running, row.jobs.queued, row.jobs.total) == (1, 1, 1, 3)
    assert row.units_done == pytest.approx(4 + 2)
    assert row.progress == pytest.approx(0.6)
    assert row.title == "Generate crystals"


def test_the_expected_time_is_extrapolated_from_what_is_done(campaign):
    step = a_step(campaign, 5, 5)
    Step.objects.filter(pk=step.pk).update(started_at=Now() - timedelta(seconds=100))
    assert steps_of(campaign, now=now())[0].expected_s is None
    _, lease = jobs.claim(queue="light", owner="me", host="here", lease_s=60)
    jobs.complete(lease, Ending(Outcome.DONE))
    (row,) = steps_of(campaign, now=now())
    assert row.elapsed_s == pytest.approx(100, abs=5)
    assert row.expected_s == pytest.approx(200, abs=10)


def test_a_step_without_a_worker_says_so(campaign):
    a_step(campaign, 1)
    (row,) = steps_of(campaign, now=now())
    assert "No worker" in row.why_waiting
    assert "No worker" in why_waiting(campaign)


def test_a_step_that_runs_waits_for_nothing(campaign):
    a_step(campaign, 1, 1)
    jobs.claim(queue="light", owner="me", host="here", lease_s=60)
    assert steps_of(campaign, now=now())[0].why_waiting == ""
    assert why_waiting(campaign) == ""


def test_a_halted_campaign_says_why(campaign):
    campaign_halt(campaign=campaign, reason="the disk is full")
    campaign.refresh_from_db()
    assert why_waiting(campaign) == "the disk is full"


def test_reports_come_back_as_they_were_given(campaign):
    step = a_step(campaign, 1)
    step_done(step=step, report={"kept": 5, "dropped": 2})
    assert reports_of(campaign) == {StepKey("generate"): CountReport(5, 2)}


def test_many_steps_take_few_queries(campaign, django_assert_max_num_queries):
    for sweep in range(12):
        step = step_open(campaign=campaign, name="conductivity", sweep=sweep, iteration=0, candidates=())
        step_done(step=step, report={"computed": 1, "ultrahigh": []})
    assert not Job.objects.exists()
    with django_assert_max_num_queries(2):
        assert len(steps_of(campaign, now=now())) == 12
