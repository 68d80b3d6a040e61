"""DFT calculations and the campaign that they belong to: cancelled and resumed with it, holding its step open."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.campaigns.models import Campaign, CampaignState, Step, StepState
from apps.campaigns.selectors import step_row
from apps.campaigns.services import campaign_cancel, campaign_resume
from apps.core.clock import now
from apps.dft.models import Decision, DftCalculation
from apps.dft.selectors import jobs_of, why_open
from apps.dft.services import calculation_decide, calculation_void
from apps.jobs.bindings import Binding
from apps.jobs.models import Job, State
from apps.worker.advance import advance
from kappakit.pipeline import CountReport, report_as_dict
from tests.apps.gate import Gate, a_gate

pytestmark = pytest.mark.django_db


@pytest.fixture
def gate(db: None) -> Gate:
    gate = a_gate()
    Campaign.objects.filter(pk=gate.campaign.pk).update(state=CampaignState.RUNNING)
    gate.campaign.refresh_from_db()
    return gate


def approved(gate: Gate) -> DftCalculation:
    return calculation_decide(calculation=gate.waiting[0], version=1, answer="approve", user=gate.approver)


def holding(gate: Gate) -> dict[str, Binding]:
    """The campaign's first step, without jobs, held by the gate."""
    step = Binding(
        name="import_structures",
        load=lambda job: pytest.fail("nothing is run here"),
        save=lambda job, outputs, artifacts: set(),
        plan=lambda step_id: [],
        report=lambda step_id: report_as_dict(CountReport(1)),
    )
    return {"import_structures": replace(step, holds=lambda step_id: why_open(gate.campaign, gate.request.key))}


def test_a_cancelled_campaign_takes_its_calculations_along_and_brings_them_back(gate: Gate) -> None:
    calculation = approved(gate)
    campaign_cancel(campaign=gate.campaign, user=gate.operator)
    assert jobs_of(calculation).get().state == State.CANCELLED
    campaign_resume(campaign=gate.campaign, user=gate.operator)
    assert jobs_of(calculation).get().state == State.QUEUED
    assert Job.objects.filter(kind="calculate").count() == 1


def test_resuming_brings_back_nothing_that_was_withdrawn_in_between(gate: Gate) -> None:
    calculation = approved(gate)
    campaign_cancel(campaign=gate.campaign, user=gate.operator)
    calculation_void(calculation=calculation, user=gate.operator, reason="wrong cell")
    campaign = campaign_resume(campaign=gate.campaign, user=gate.operator)
    assert campaign.state == CampaignState.RUNNING
    assert jobs_of(calculation).get().state == State.CANCELLED
    assert {c.state for c in gate.waiting} == {Decision.VOIDED, Decision.PROPOSED}


def test_a_calculation_that_waits_holds_its_step_open_and_the_step_says_so(gate: Gate) -> None:
    advance(gate.campaign.pk, holding(gate))
    step = Step.objects.get()
    assert step.state == StepState.RUNNING
    assert "2 DFT calculations wait for approval" in step_row(step, now=now()).why_waiting
    for calculation in gate.waiting:
        calculation_decide(calculation=calculation, version=1, answer="deny", user=gate.approver, reason="no")
    advance(gate.campaign.pk, holding(gate))
    step.refresh_from_db()
    assert step.state == StepState.DONE
