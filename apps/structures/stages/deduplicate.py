"""Deduplicate: one job over all relaxed candidates; each match is kept as evidence."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apps.campaigns.selectors import protocol_of
from apps.jobs.bindings import HEAVY, Binding, JobSpec, Loaded
from apps.jobs.models import Job
from apps.structures.models import Candidate, Outcome
from apps.structures.selectors import items_of, relaxed_pool, step_of, unique_pool
from apps.structures.services import matches_add
from apps.structures.stages.planning import step_get, whole_pool
from kappakit.pipeline import CountReport, report_as_dict
from kappakit.stages.contracts import DeduplicateInputs, DeduplicateOutputs

STAGE = "deduplicate"
DETAIL = "The same crystal as another candidate: see the match."


def plan(step_id: int) -> list[JobSpec]:
    """One job. Raises NothingLeft when no crystal is relaxed."""
    step = step_get(step_id)
    return whole_pool(STAGE, step, relaxed_pool(step.campaign).count(), "Remove duplicates", HEAVY)


def load(job: Job) -> Loaded:
    """Relaxed candidates with their energies; excluded ones and those marked by hand stay out."""
    campaign = step_of(job).campaign
    items = items_of(relaxed_pool(campaign).values_list("pk", flat=True))
    return Loaded(DeduplicateInputs(items), asdict(protocol_of(campaign).deduplicate))


def save(job: Job, outputs: DeduplicateOutputs, artifacts: Any) -> set[int]:
    """A DuplicateMatch for each match; what a curator decided while the job ran stays."""
    campaign = step_of(job).campaign
    return matches_add(campaign, relaxed_pool(campaign), outputs.matches, DETAIL)


def report(step_id: int) -> dict[str, Any]:
    """Unique crystals and duplicates."""
    campaign = step_get(step_id).campaign
    kept = unique_pool(campaign).count()
    merged = Candidate.objects.filter(campaign=campaign, outcome=Outcome.DUPLICATE, relaxed__isnull=False)
    return report_as_dict(CountReport(kept, merged.count()))


BINDING = Binding(STAGE, load=load, save=save, plan=plan, report=report)
