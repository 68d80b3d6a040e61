"""What the worker notes of steps, and what follows for their campaign."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from apps.campaigns.models import Campaign, CampaignState, Step, StepState


def step_open(*, campaign: Campaign, name: str, sweep: int, iteration: int, candidates: Iterable[int]) -> Step:
    """The step's row, made where the campaign does not have it yet."""
    step, _ = Step.objects.get_or_create(
        campaign=campaign, name=name, sweep=sweep, iteration=iteration, defaults={"candidates": list(candidates)}
    )
    return step


def step_planned(*, step: Step, expected_units: int) -> None:
    """Note of how many units it consists."""
    Step.objects.filter(pk=step.pk).update(expected_units=expected_units)


def step_waits(*, step: Step, why: str) -> None:
    """Note what a step waits for that has no job open, such as people."""
    Step.objects.filter(pk=step.pk, state=StepState.RUNNING).exclude(note=why).update(note=why)


def step_done(*, step: Step, report: Mapping[str, Any], note: str = "") -> bool:
    """RUNNING → DONE with its report; False when somebody else moved it first."""
    return _step_move(step, StepState.DONE, report=dict(report), note=note)


@transaction.atomic
def step_failed(*, step: Step, reason: str) -> bool:
    """RUNNING → FAILED; the campaign halts with the reason. False when somebody else moved it first."""
    if not _step_move(step, StepState.FAILED, note=reason):
        return False
    campaign_halt(campaign=step.campaign, reason=reason)
    return True


def campaign_halt(*, campaign: Campaign, reason: str) -> bool:
    """RUNNING → HALTED; False when it was not running."""
    rows = Campaign.objects.filter(pk=campaign.pk, state=CampaignState.RUNNING)
    return bool(rows.update(state=CampaignState.HALTED, halt_reason=reason))


def campaign_done(*, campaign: Campaign) -> bool:
    """RUNNING → DONE; False when it was not running."""
    rows = Campaign.objects.filter(pk=campaign.pk, state=CampaignState.RUNNING)
    return bool(rows.update(state=CampaignState.DONE, finished_at=Now()))


def _step_move(step: Step, to: StepState, **changes: Any) -> bool:
    rows = Step.objects.filter(pk=step.pk, state=StepState.RUNNING)
    return bool(rows.update(state=to, ended_at=Now(), **changes))
