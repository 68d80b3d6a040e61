"""Thin: near-duplicates among what was generated are set aside before the potential relaxes each of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apps.campaigns.selectors import protocol_of
from apps.jobs.bindings import HEAVY, Binding, JobSpec, Loaded
from apps.jobs.models import Job
from apps.structures.models import Candidate, DuplicateMatch, Outcome
from apps.structures.selectors import generated_pool, start_items, step_of
from apps.structures.services import matches_add
from apps.structures.stages.planning import step_get, whole_pool
from kappakit.pipeline import CountReport, report_as_dict
from kappakit.stages.contracts import DeduplicateOutputs, ThinInputs

STAGE = "thin"
DETAIL = "Almost the same as another generated candidate before relaxation: see the match."


def plan(step_id: int) -> list[JobSpec]:
    """One job over all generated crystals; none where nothing was generated."""
    step = step_get(step_id)
    size = generated_pool(step.campaign).count()
    return whole_pool(STAGE, step, size, "Drop near-duplicates", HEAVY) if size else []


def load(job: Job) -> Loaded:
    """Generated crystals as they were made, in order."""
    campaign = step_of(job).campaign
    items = start_items(generated_pool(campaign).values_list("pk", flat=True))
    return Loaded(ThinInputs(items), asdict(protocol_of(campaign).generate))


def save(job: Job, outputs: DeduplicateOutputs, artifacts: Any) -> set[int]:
    """A DuplicateMatch for each that is set aside."""
    campaign = step_of(job).campaign
    return matches_add(campaign, generated_pool(campaign), outputs.matches, DETAIL)


def report(step_id: int) -> dict[str, Any]:
    """Crystals that go on, and those set aside."""
    campaign = step_get(step_id).campaign
    aside = DuplicateMatch.objects.filter(campaign=campaign, duplicate__relaxation__isnull=True, undone_at__isnull=True)
    waiting = Candidate.objects.filter(campaign=campaign, outcome=Outcome.PENDING, relaxed__isnull=True)
    return report_as_dict(CountReport(waiting.count(), aside.count()))


BINDING = Binding(STAGE, load=load, save=save, plan=plan, report=report)
