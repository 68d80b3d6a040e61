"""Generation report: what generated crystals are worth as they were made, and where they lie in the latent space."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from apps.campaigns.selectors import protocol_of
from apps.jobs.bindings import HEAVY, Binding, JobSpec, Loaded
from apps.jobs.models import Job
from apps.structures.models import GenerationReport
from apps.structures.selectors import generations_spread, latents_of, start_items, step_of
from apps.structures.stages.planning import POOL_LIMIT_S, step_get
from apps.training.selectors import GENERATOR, generator_ref, model_files
from kappakit.pipeline import CountReport, report_as_dict
from kappakit.stages.contracts import GenerationReportInputs, GenerationReportOutputs

STAGE = "generation_report"
DIGITS = 4


def plan(step_id: int) -> list[JobSpec]:
    """One job over at most the protocol's number of crystals; none where nothing was generated."""
    campaign = step_get(step_id).campaign
    count = len(generations_spread(campaign, protocol_of(campaign).generate.report_count))
    if not count:
        return []
    return [
        JobSpec(STAGE, (str(campaign.pk),), {}, f"Measure {count} generated crystals", HEAVY, time_limit_s=POOL_LIMIT_S)
    ]


def load(job: Job) -> Loaded:
    """Evenly spread generated crystals, as they were made."""
    campaign = step_of(job).campaign
    settings = protocol_of(campaign).generate
    ids = generations_spread(campaign, settings.report_count)
    inputs = GenerationReportInputs(start_items(ids), latents_of(ids), generator_ref(campaign.generator), campaign.seed)
    return Loaded(inputs, asdict(settings), model_files(campaign.generator, GENERATOR))


def save(job: Job, outputs: GenerationReportOutputs, artifacts: Any) -> set[int]:
    """The campaign's one report; no candidate changes."""
    campaign = step_of(job).campaign
    GenerationReport.objects.update_or_create(
        campaign=campaign,
        defaults={
            "model": campaign.generator,
            "figures": asdict(outputs.figures),
            "notes": list(outputs.notes),
            "candidates": [int(pk) for pk in outputs.ids],
            "training": list(outputs.training),
            "plane": np.round(outputs.plane, DIGITS).tolist(),
        },
    )
    return set()


def report(step_id: int) -> dict[str, Any]:
    """Crystals measured."""
    found = GenerationReport.objects.filter(campaign=step_get(step_id).campaign).first()
    return report_as_dict(CountReport(found.figures["crystals"] if found else 0))


BINDING = Binding(STAGE, load=load, save=save, plan=plan, report=report)
