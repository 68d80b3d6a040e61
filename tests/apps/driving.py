"""What the worker does around a stage, without a process: plan, load, save."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apps.campaigns.models import Campaign, Step
from apps.campaigns.selectors import step_group
from apps.campaigns.services import step_done, step_open
from apps.jobs.bindings import Binding, Loaded
from apps.jobs.models import Job
from apps.jobs.services import enqueue

Stage = Callable[[Loaded], Any]


def step_begun(campaign: Campaign, binding: Binding) -> tuple[Step, list[Job]]:
    """The step's row and its jobs."""
    step = step_open(campaign=campaign, name=binding.name, sweep=0, iteration=0, candidates=())
    assert binding.plan is not None
    return step, enqueue(binding.plan(step.pk), group=step_group(step.pk))


def step_through(campaign: Campaign, binding: Binding, stage: Stage) -> tuple[set[int], dict[str, Any]]:
    """The whole step: candidates touched, report."""
    step, jobs = step_begun(campaign, binding)
    touched: set[int] = set()
    for job in jobs:
        touched |= binding.save(job, stage(binding.load(job)), {})
    assert binding.report is not None
    report = binding.report(step.pk)
    step_done(step=step, report=report)
    return touched, report
