"""Two workers that bring crystals to one campaign at once, while a person cancels it."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from apps.campaigns.models import CampaignState
from apps.campaigns.services import campaign_cancel
from apps.jobs import services as jobs
from apps.jobs.bindings import JobSpec
from apps.structures.models import Candidate, Origin
from apps.structures.services import Newcomer, candidates_add
from tests.apps.outputs import diamond
from tests.apps.rows import a_campaign, a_user

pytestmark = pytest.mark.django_db(transaction=True)


def in_a_thread(work) -> threading.Thread:
    def run() -> None:
        work()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_numbers_are_given_once():
    campaign = a_campaign(a_user("owner"))
    barrier = threading.Barrier(3)

    def bring(name: str) -> None:
        barrier.wait()
        for batch in range(4):
            crystals = [Newcomer(diamond(1 + n / 100), f"{name}#{batch}-{n}") for n in range(5)]
            with transaction.atomic():
                candidates_add(campaign, Origin.GENERATED, crystals)

    threads = [in_a_thread(lambda name=name: bring(name)) for name in "abc"]
    for thread in threads:
        thread.join()
    numbers = Candidate.objects.filter(campaign=campaign).order_by("index").values_list("index", flat=True)
    assert list(numbers) == list(range(1, 61))


def test_cancelling_waits_for_a_job_that_saves_and_neither_fails():
    owner = a_user("owner")
    campaign = a_campaign(owner, state=CampaignState.RUNNING)
    step = campaign.steps.create(name="generate")
    jobs.enqueue([JobSpec("generate", ("0",), {}, "generate", "light")], group=f"step:{step.pk}")
    _, lease = jobs.claim(queue="light", owner="me", host="here", lease_s=60)
    fenced, failures = threading.Event(), []

    def cancel() -> None:
        fenced.wait()
        try:
            campaign_cancel(campaign=campaign, user=owner)
        except Exception as error:  # noqa: BLE001  whatever it is, the test tells
            failures.append(error)

    thread = in_a_thread(cancel)
    with transaction.atomic():
        jobs.fence(lease)
        fenced.set()
        thread.join(timeout=0.5)
        candidates_add(campaign, Origin.GENERATED, [Newcomer(diamond(), "search#0")])
        jobs.complete(lease, jobs.Ending(jobs.Outcome.DONE))
    thread.join()
    assert failures == []
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.CANCELLED
    assert Candidate.objects.count() == 1
