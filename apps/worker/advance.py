"""Campaigns move on: what comes next is asked of the pipeline, planned into jobs, and reported when they are over."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from django.db import InterfaceError, OperationalError, transaction

from apps.campaigns.selectors import (
    campaign_of_step,
    campaigns_running,
    protocol_of,
    reports_of,
    step_group,
    step_running,
)
from apps.campaigns.services import (
    campaign_done,
    campaign_halt,
    step_done,
    step_failed,
    step_open,
    step_planned,
    step_waits,
)
from apps.core.errors import ApplicationError
from apps.jobs.bindings import Binding
from apps.jobs.selectors import counts_by_state, of_group, open_count
from apps.jobs.services import enqueue
from apps.jobs.states import State
from kappakit.pipeline import PlannedStep, next_step

if TYPE_CHECKING:
    from apps.campaigns.models import Campaign, Step

logger = logging.getLogger(__name__)
T = TypeVar("T")


class StepBroken(Exception):
    """A step cannot go on; the message is the campaign's reason to halt."""


def advance_all(bindings: Mapping[str, Binding]) -> None:
    """Every running campaign: what an event missed is done now."""
    for campaign in campaigns_running():
        advance(campaign.pk, bindings)


def advance_group(group: str, bindings: Mapping[str, Binding]) -> None:
    """The campaign that asked for this group of jobs, by a step or beside one, if that was the group's last."""
    kind, _, rest = group.partition(":")
    if open_count(group):
        return
    if kind == "step":
        advance(campaign_of_step(int(rest)).pk, bindings)
    if kind == "campaign":
        advance(int(rest.partition(":")[0]), bindings)


@transaction.atomic
def advance(campaign_id: int, bindings: Mapping[str, Binding]) -> None:
    """Report every step that is over and plan the next one; one at a time for each campaign."""
    mine = campaigns_running().filter(pk=campaign_id).select_for_update(of=("self",))
    while (campaign := mine.first()) is not None and _one_step(campaign, bindings):
        pass


def _one_step(campaign: Campaign, bindings: Mapping[str, Binding]) -> bool:
    """Bring the next step as far as it goes; whether the one after it may be looked at."""
    planned = next_step(reports_of(campaign), protocol_of(campaign))
    if planned is None:
        campaign_done(campaign=campaign)
        return False
    step = _step(campaign, planned)
    if step_running(campaign) != step:
        campaign_halt(campaign=campaign, reason=step.note or f"The step {step.name} did not end well.")
        return False
    try:
        return _to_its_end(step, bindings)
    except StepBroken as broken:
        step_failed(step=step, reason=str(broken))
        return False


def _step(campaign: Campaign, planned: PlannedStep) -> Step:
    key = planned.key
    return step_open(
        campaign=campaign, name=key.name, sweep=key.sweep, iteration=key.iteration, candidates=planned.candidates
    )


def _to_its_end(step: Step, bindings: Mapping[str, Binding]) -> bool:
    binding = bindings.get(step.name)
    if binding is None or binding.plan is None or binding.report is None:
        raise StepBroken(f"No stage of this installation does the step {step.name}.")
    group = step_group(step.pk)
    if not of_group(group).exists():
        specs = _guarded(binding.plan, step.pk)
        enqueue(specs, group=group)
        step_planned(step=step, expected_units=sum(len(spec.units) for spec in specs))
    if open_count(group):
        return False
    _require_some_done(group)
    if why := _guarded(binding.holds, step.pk):
        step_waits(step=step, why=why)
        return False
    return step_done(step=step, report=_guarded(binding.report, step.pk))


def _require_some_done(group: str) -> None:
    """One bad crystal never blocks a campaign; a step of which nothing was done does."""
    counts = counts_by_state([group]).get(group, {})
    if counts and not counts.get(State.DONE):
        worst = of_group(group).filter(state=State.FAILED).first()
        raise StepBroken(f"{worst.label}: {worst.error_message}" if worst else "It was cancelled.")


def _guarded(ask: Callable[[int], T], step_id: int) -> T:
    """What an app plans or reports; its refusal, or its bug, halts this campaign and no other."""
    try:
        with transaction.atomic():
            return ask(step_id)
    except ApplicationError as refusal:
        raise StepBroken(refusal.message) from refusal
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.exception("step %s", step_id)
        raise StepBroken(f"A bug: {error!r}\n{traceback.format_exc(limit=-3)}") from error
