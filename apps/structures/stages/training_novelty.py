"""Training novelty: unique generated candidates against the crystals that their generator learned from."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apps.campaigns.models import Campaign
from apps.campaigns.selectors import protocol_of
from apps.jobs.bindings import HEAVY, Binding, JobSpec, Loaded
from apps.jobs.models import Job
from apps.structures.models import Generation
from apps.structures.selectors import items_of, step_of, unique_pool
from apps.structures.services import rows_set
from apps.structures.stages.planning import batches, step_get
from apps.training.selectors import GENERATOR, generator_ref, model_files
from kappakit.pipeline import CountReport, report_as_dict
from kappakit.stages.contracts import TrainingNoveltyInputs, TrainingNoveltyOutputs

STAGE = "training_novelty"
BATCH = 512
"""Large: each job reduces the training crystals anew."""


def plan(step_id: int) -> list[JobSpec]:
    """Batches of unique candidates that the generator made."""
    pool = _generated(step_get(step_id).campaign)
    return batches(STAGE, list(pool.values_list("pk", flat=True)), BATCH, "Compare with training crystals", HEAVY)


def load(job: Job) -> Loaded:
    """The batch and the generator with its data set."""
    campaign = step_of(job).campaign
    inputs = TrainingNoveltyInputs(items_of(map(int, job.units)), generator_ref(campaign.generator))
    return Loaded(inputs, asdict(protocol_of(campaign).deduplicate), model_files(campaign.generator, GENERATOR))


def save(job: Job, outputs: TrainingNoveltyOutputs, artifacts: Any) -> set[int]:
    """Which training crystal each one matches, '' for none."""
    ids = [int(verdict.id) for verdict in outputs.verdicts]
    rows_set(
        Generation,
        ids,
        compared=[True] * len(ids),
        training_source=[verdict.source[:300] for verdict in outputs.verdicts],
        training_rms=[verdict.rms for verdict in outputs.verdicts],
    )
    return set(ids)


def report(step_id: int) -> dict[str, Any]:
    """Crystals that are new to the generator; known ones go on too and are counted as fallen away."""
    compared = Generation.objects.filter(candidate__in=_generated(step_get(step_id).campaign), compared=True)
    novel = compared.filter(training_source="").count()
    return report_as_dict(CountReport(novel, compared.count() - novel))


def _generated(campaign: Campaign) -> Any:
    return unique_pool(campaign).filter(generation__isnull=False)


BINDING = Binding(STAGE, load=load, save=save, plan=plan, report=report)
