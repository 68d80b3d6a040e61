"""Stability: energy above the hull of the campaign's unique crystals and the relaxed references."""

from __future__ import annotations

from typing import Any

from apps.jobs.bindings import LIGHT, Binding, JobSpec, Loaded
from apps.jobs.models import Job
from apps.structures.models import Candidate
from apps.structures.selectors import items_of, reference_items, step_of, unique_pool
from apps.structures.services import rows_set
from apps.structures.stages.planning import step_get, whole_pool
from apps.structures.stages.relax import relax_digest
from kappakit.pipeline import CountReport, report_as_dict
from kappakit.stages.contracts import StabilityInputs, StabilityOutputs

STAGE = "stability"


def plan(step_id: int) -> list[JobSpec]:
    """One job: a hull needs all of its phases."""
    step = step_get(step_id)
    return whole_pool(STAGE, step, unique_pool(step.campaign).count(), "Energy above the hull", LIGHT)


def load(job: Job) -> Loaded:
    """Unique candidates and references, energies of the campaign's potential only."""
    campaign = step_of(job).campaign
    items = items_of(unique_pool(campaign).values_list("pk", flat=True))
    return Loaded(StabilityInputs(items, reference_items(campaign, relax_digest(campaign))))


def save(job: Job, outputs: StabilityOutputs, artifacts: Any) -> set[int]:
    """eV/atom above the hull, or the note why there is none."""
    ids = [int(energy.id) for energy in outputs.energies]
    rows_set(
        Candidate,
        ids,
        above_hull=[energy.above_hull for energy in outputs.energies],
        hull_note=[energy.note[:200] for energy in outputs.energies],
    )
    return set(ids)


def report(step_id: int) -> dict[str, Any]:
    """Crystals with and without a hull."""
    pool = unique_pool(step_get(step_id).campaign)
    placed = pool.filter(above_hull__isnull=False).count()
    return report_as_dict(CountReport(placed, pool.count() - placed))


BINDING = Binding(STAGE, load=load, save=save, plan=plan, report=report)
