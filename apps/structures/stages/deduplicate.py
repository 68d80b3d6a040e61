"""Deduplicate: one job over all relaxed candidates; each match is kept as evidence."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apps.campaigns.selectors import protocol_of
from apps.jobs.bindings import HEAVY, Binding, JobSpec, Loaded
from apps.jobs.models import Job
from apps.structures.models import Candidate, DuplicateMatch, Outcome
from apps.structures.selectors import items_of, relaxed_pool, step_of, unique_pool
from apps.structures.stages.planning import outcome_count, step_get, whole_pool
from kappakit.pipeline import CountReport, report_as_dict
from kappakit.stages.contracts import DeduplicateInputs, DeduplicateOutputs

STAGE = "deduplicate"
DETAIL = "The same crystal as another candidate: see the match."
BATCH = 1000


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
    still = set(relaxed_pool(campaign).values_list("pk", flat=True))
    matches = [
        DuplicateMatch(
            campaign=campaign,
            representative_id=int(match.representative),
            duplicate_id=int(match.duplicate),
            rms_forward=match.rms_forward,
            rms_backward=match.rms_backward,
            energy_difference=match.energy_difference,
            conflict=match.conflict,
        )
        for match in outputs.matches
        if int(match.duplicate) in still
    ]
    DuplicateMatch.objects.bulk_create(matches, batch_size=BATCH)
    duplicates = [match.duplicate_id for match in matches]
    Candidate.objects.filter(pk__in=duplicates).update(
        outcome=Outcome.DUPLICATE, outcome_reason="match", outcome_detail=DETAIL
    )
    return still


def report(step_id: int) -> dict[str, Any]:
    """Unique crystals and duplicates."""
    campaign = step_get(step_id).campaign
    kept = unique_pool(campaign).count()
    return report_as_dict(CountReport(kept, outcome_count(campaign, Outcome.DUPLICATE)))


BINDING = Binding(STAGE, load=load, save=save, plan=plan, report=report)
