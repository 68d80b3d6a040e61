"""A campaign goes from step to step by itself, and stops with a reason."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from apps.accounts.services import owner_ensure
from apps.campaigns.models import Campaign, CampaignState, Step, StepState
from apps.campaigns.services import campaign_resume
from apps.core.errors import ApplicationError
from apps.jobs import services as jobs
from apps.jobs.bindings import Binding, JobSpec
from apps.jobs.models import Job, Outcome, State
from apps.jobs.services import Ending
from apps.worker.advance import advance, advance_group
from kappakit.pipeline import REPORTS
from kappakit.protocol import PROTOCOLS
from tests.faults.echoes.binding import spec

pytestmark = pytest.mark.django_db

EMPTY: dict[str, dict[str, Any]] = {
    "CountReport": {"kept": 1, "dropped": 0},
    "EmbedReport": {"map_id": 1, "points": 1},
    "SelectionReport": {"selection_id": 1, "candidates": [1]},
    "KappaPlanReport": {"start": [1], "waiting": []},
    "ConductivityReport": {"computed": 1, "ultrahigh": [1]},
}


@dataclass
class Script:
    """Bindings that queue one echo a step, or as `units` says, and report something plausible."""

    units: dict[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    planned: list[str] = field(default_factory=list)

    def bindings(self) -> dict[str, Binding]:
        return {name: self._binding(name) for name in REPORTS if type(self).reportable(name)}

    @staticmethod
    def reportable(name: str) -> bool:
        return REPORTS[name].__name__ in EMPTY

    def _binding(self, name: str) -> Binding:
        def plan(step_id: int) -> list[JobSpec]:
            self.planned.append(name)
            return [spec(*units) for units in self.units.get(name, (("x",),))]

        return Binding(
            name=name,
            load=lambda job: pytest.fail("nothing is run here"),
            save=lambda job, outputs, artifacts: set(),
            plan=plan,
            report=lambda step_id: dict(EMPTY[REPORTS[name].__name__]),
        )


@pytest.fixture
def campaign() -> Campaign:
    protocol = PROTOCOLS["smoke"]
    return Campaign.objects.create(
        name="c",
        owner=owner_ensure(username="o"),
        protocol=protocol.as_dict(),
        protocol_digest=protocol.digest,
        state=CampaignState.RUNNING,
    )


def run_all(ending: Ending | None = None) -> Job | None:
    """Take every queued job to its end; the last one."""
    last = None
    while (found := jobs.claim(queue="light", owner="me", host="here", lease_s=60)) is not None:
        last, lease = found
        jobs.fail(lease, ending) if ending else jobs.complete(lease, Ending(Outcome.DONE))
    return last


def test_a_campaign_runs_through_its_whole_itinerary(campaign: Campaign):
    script = Script()
    advance(campaign.pk, script.bindings())
    while (last := run_all()) is not None:
        advance_group(last.group, script.bindings())
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.DONE
    assert script.planned[:3] == ["import_structures", "generate", "relax"]
    assert script.planned[-4:] == ["conductivity", "neighbours", "kappa_plan", "conductivity"]
    assert set(Step.objects.values_list("state", flat=True)) == {StepState.DONE}


def test_advancing_twice_plans_once(campaign: Campaign):
    script = Script()
    advance(campaign.pk, script.bindings())
    advance(campaign.pk, script.bindings())
    assert script.planned == ["import_structures"]
    assert Job.objects.count() == 1
    assert Step.objects.get().expected_units == 1


def test_a_step_without_jobs_is_reported_at_once(campaign: Campaign):
    script = Script(units={"import_structures": ()})
    advance(campaign.pk, script.bindings())
    assert script.planned == ["import_structures", "generate"]


def test_a_step_waits_for_its_last_job(campaign: Campaign):
    script = Script(units={"import_structures": (("a",), ("b",))})
    advance(campaign.pk, script.bindings())
    job, lease = jobs.claim(queue="light", owner="me", host="here", lease_s=60)
    jobs.complete(lease, Ending(Outcome.DONE))
    advance_group(job.group, script.bindings())
    assert Step.objects.get().state == StepState.RUNNING


def test_one_failed_job_among_others_does_not_stop_a_step(campaign: Campaign):
    script = Script(units={"import_structures": (("a",), ("b",))})
    advance(campaign.pk, script.bindings())
    _, lease = jobs.claim(queue="light", owner="me", host="here", lease_s=60)
    jobs.fail(lease, Ending(Outcome.INPUT, "not a crystal"))
    advance_group(run_all().group, script.bindings())
    assert script.planned == ["import_structures", "generate"]


def test_a_step_of_which_nothing_was_done_halts_the_campaign_and_is_retried_in_place(campaign: Campaign):
    script = Script()
    advance(campaign.pk, script.bindings())
    failed = run_all(Ending(Outcome.INPUT, "the file is empty"))
    advance_group(failed.group, script.bindings())
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.HALTED
    assert "the file is empty" in campaign.halt_reason
    campaign_resume(campaign=campaign, user=campaign.owner)
    assert Job.objects.get(pk=failed.pk).state == State.QUEUED
    advance_group(run_all().group, script.bindings())
    assert script.planned == ["import_structures", "generate"]


def test_a_plan_that_refuses_halts_the_campaign_with_its_sentence(campaign: Campaign):
    def refuse(step_id: int) -> list[JobSpec]:
        raise ApplicationError("There is no potential.")

    bindings = Script().bindings()
    bindings["import_structures"] = replace(bindings["import_structures"], plan=refuse)
    advance(campaign.pk, bindings)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.halt_reason) == (CampaignState.HALTED, "There is no potential.")


def test_a_bug_in_a_plan_halts_this_campaign_loudly(campaign: Campaign):
    def broken(step_id: int) -> list[JobSpec]:
        raise KeyError("forgotten")

    bindings = Script().bindings()
    bindings["import_structures"] = replace(bindings["import_structures"], plan=broken)
    advance(campaign.pk, bindings)
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.HALTED
    assert "KeyError" in campaign.halt_reason


def test_a_step_that_nothing_can_do_halts_the_campaign(campaign: Campaign):
    advance(campaign.pk, {})
    campaign.refresh_from_db()
    assert campaign.halt_reason == "No stage of this installation does the step import_structures."
