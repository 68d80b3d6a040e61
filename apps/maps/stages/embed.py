"""Embed: kept candidates become a new, frozen version of the campaign's map."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apps.campaigns.selectors import protocol_of
from apps.jobs.bindings import HEAVY, Binding, JobSpec, Loaded
from apps.jobs.models import Job
from apps.maps.selectors import newest_map
from apps.maps.services import map_record
from apps.structures.models import Outcome
from apps.structures.selectors import items_of, step_of, unique_pool
from apps.structures.stages.planning import step_get, whole_pool
from kappakit.pipeline import EmbedReport, report_as_dict
from kappakit.stages.contracts import EmbedInputs, EmbedOutputs

STAGE = "embed"


def plan(step_id: int) -> list[JobSpec]:
    """One job over all kept candidates. Raises NothingLeft when the screen kept none."""
    step = step_get(step_id)
    return whole_pool(STAGE, step, unique_pool(step.campaign, Outcome.KEPT).count(), "Map", HEAVY)


def load(job: Job) -> Loaded:
    """Kept candidates that no curator took out."""
    campaign = step_of(job).campaign
    items = items_of(unique_pool(campaign, Outcome.KEPT).values_list("pk", flat=True))
    return Loaded(EmbedInputs(items), asdict(protocol_of(campaign).embed))


def save(job: Job, outputs: EmbedOutputs, artifacts: Any) -> set[int]:
    """The map with its points; SOAP vectors lie in an artifact."""
    campaign = step_of(job).campaign
    ids = [int(key) for key in outputs.ids]
    map_record(
        campaign=campaign,
        ids=ids,
        descriptors=outputs.descriptors,
        plane=outputs.plane,
        settings=asdict(protocol_of(campaign).embed),
        perplexity=outputs.perplexity,
        notes=outputs.notes,
    )
    return set(ids)


def report(step_id: int) -> dict[str, Any]:
    """The newest map."""
    found = newest_map(step_get(step_id).campaign)
    if found is None:
        raise LookupError("the step ended without a map")
    return report_as_dict(EmbedReport(found.pk, found.points.count()))


BINDING = Binding(STAGE, load=load, save=save, plan=plan, report=report)
