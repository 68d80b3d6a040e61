"""Novelty: unique candidates against the reference crystals that the same potential relaxed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apps.campaigns.selectors import protocol_of
from apps.jobs.bindings import LIGHT, Binding, JobSpec, Loaded
from apps.jobs.models import Job
from apps.structures.models import Candidate, NoveltyLevel, ReferenceCrystal
from apps.structures.selectors import items_of, reference_items, step_of, unique_pool
from apps.structures.services import rows_set
from apps.structures.stages.planning import batches, step_get
from apps.structures.stages.relax import relax_digest
from kappakit.pipeline import CountReport, report_as_dict
from kappakit.stages.contracts import NoveltyInputs, NoveltyOutputs

STAGE = "novelty"
BATCH = 128


def plan(step_id: int) -> list[JobSpec]:
    """Batches of unique candidates."""
    pool = unique_pool(step_get(step_id).campaign)
    return batches(STAGE, list(pool.values_list("pk", flat=True)), BATCH, "Compare with known crystals", LIGHT)


def load(job: Job) -> Loaded:
    """The batch and the relaxed references."""
    campaign = step_of(job).campaign
    inputs = NoveltyInputs(items_of(map(int, job.units)), reference_items(campaign, relax_digest(campaign)))
    return Loaded(inputs, asdict(protocol_of(campaign).deduplicate))


def save(job: Job, outputs: NoveltyOutputs, artifacts: Any) -> set[int]:
    """Level, name and distance of the best matching reference."""
    known = dict(ReferenceCrystal.objects.values_list("name", "pk"))
    ids = [int(verdict.id) for verdict in outputs.verdicts]
    rows_set(
        Candidate,
        ids,
        novelty=[NoveltyLevel(verdict.level).value for verdict in outputs.verdicts],
        known_as=[known.get(verdict.name) for verdict in outputs.verdicts],
        novelty_rms=[verdict.rms for verdict in outputs.verdicts],
    )
    return set(ids)


def report(step_id: int) -> dict[str, Any]:
    """Crystals compared; none falls away."""
    compared = unique_pool(step_get(step_id).campaign).exclude(novelty=NoveltyLevel.UNKNOWN)
    return report_as_dict(CountReport(compared.count()))


BINDING = Binding(STAGE, load=load, save=save, plan=plan, report=report)
