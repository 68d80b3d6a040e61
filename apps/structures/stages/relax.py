"""Relax: the start structures of the campaign's candidates and of the reference crystals, each geometry once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np
from django.db.models import OuterRef, Q, Subquery

from apps.campaigns.models import Campaign
from apps.campaigns.selectors import protocol_of
from apps.jobs.bindings import HEAVY, Binding, JobSpec, Loaded
from apps.jobs.models import Job
from apps.structures.models import Candidate, Outcome, Relaxation, Structure
from apps.structures.selectors import (
    FAILED,
    campaign_elements,
    crystals_by_id,
    references_within,
    settings_digest,
    step_of,
)
from apps.structures.services import structure_ids
from apps.structures.stages.planning import NothingLeft, batches, nothing_left, outcome_count, step_get
from apps.training.selectors import model_files, potential_ref
from kappakit.pipeline import CountReport, report_as_dict
from kappakit.stages.contracts import Item, Refusal, RelaxedItem, RelaxInputs, RelaxOutputs
from kappakit.units import gpa_from_ev_per_a3

STAGE = "relax"
TIME_LIMIT_S = 6 * 3600
NO_RESULT = ("batch",)
"""Settings that change no result."""


def relax_digest(campaign: Campaign) -> str:
    """Under which settings the campaign's relaxations are kept."""
    return settings_digest(asdict(protocol_of(campaign).relax), without=NO_RESULT)


def plan(step_id: int) -> list[JobSpec]:
    """Batches of like size. A geometry that this potential relaxed before is in one too, to be linked, not computed."""
    campaign = step_get(step_id).campaign
    open_ones = Candidate.objects.filter(_open(), campaign=campaign)
    if not open_ones.exists():
        raise NothingLeft(nothing_left(campaign))
    references = _references(campaign)
    wanted = Structure.objects.filter(Q(pk__in=open_ones.values("start_id")) | Q(pk__in=references))
    units = list(wanted.order_by("n_atoms", "pk").values_list("pk", flat=True))
    size = protocol_of(campaign).relax.batch
    return batches(STAGE, units, size, "Relax", HEAVY, time_limit_s=TIME_LIMIT_S)


def load(job: Job) -> Loaded:
    """The geometries of the batch that have no relaxation by this potential under these settings yet."""
    campaign = step_of(job).campaign
    units = {int(unit) for unit in job.units}
    missing = sorted(units - set(_relaxations(campaign, units).values_list("start_id", flat=True)))
    crystals = crystals_by_id(missing)
    items = tuple(Item(str(pk), crystals[pk]) for pk in missing)
    inputs = RelaxInputs(items, potential_ref(campaign.potential))
    return Loaded(inputs, asdict(protocol_of(campaign).relax), model_files(campaign.potential))


def save(job: Job, outputs: RelaxOutputs, artifacts: Any) -> set[int]:
    """Relaxations and end structures; candidates are linked, those that the potential cannot be trusted on rejected."""
    campaign = step_of(job).campaign
    ends = structure_ids(item.crystal for item in outputs.relaxed)
    rows = [_relaxed(campaign, outputs, item, ends[item.crystal.digest]) for item in outputs.relaxed]
    rows += [_rejected(campaign, outputs, refusal) for refusal in outputs.rejected]
    Relaxation.objects.bulk_create(rows, ignore_conflicts=True)
    return _link(campaign, {int(unit) for unit in job.units})


def failed(job: Job, message: str) -> set[int]:
    """The crystals of the batch are out, for a reason that a retry may take back."""
    rows = Candidate.objects.filter(_open(), campaign=step_of(job).campaign, start_id__in=map(int, job.units))
    touched = set(rows.values_list("pk", flat=True))
    Candidate.objects.filter(pk__in=touched).update(
        outcome=Outcome.REJECTED, outcome_reason=FAILED, outcome_detail=message
    )
    return touched


def report(step_id: int) -> dict[str, Any]:
    """Candidates relaxed and rejected."""
    campaign = step_get(step_id).campaign
    relaxed = Candidate.objects.filter(campaign=campaign, relaxed__isnull=False).exclude(outcome=Outcome.REJECTED)
    return report_as_dict(CountReport(relaxed.count(), outcome_count(campaign, Outcome.REJECTED)))


def _open() -> Q:
    return Q(relaxation__isnull=True) & (
        Q(outcome=Outcome.PENDING) | Q(outcome=Outcome.REJECTED, outcome_reason=FAILED)
    )


def _references(campaign: Campaign) -> list[int]:
    species = campaign.potential.species
    elements = campaign_elements(campaign)
    known = elements & set(species) if species else elements
    return [row.structure_id for row in references_within(known)]


def _relaxations(campaign: Campaign, starts: Iterable[int]) -> Any:
    return Relaxation.objects.filter(
        start_id__in=starts, potential=campaign.potential, settings_digest=relax_digest(campaign)
    )


def _common(campaign: Campaign, outputs: RelaxOutputs, start: str) -> dict[str, Any]:
    return {
        "start_id": int(start),
        "potential": campaign.potential,
        "settings_digest": relax_digest(campaign),
        "pressure": protocol_of(campaign).relax.pressure,
        "engine_version": outputs.potential_version[:200],
        "precision": outputs.precision,
        "compiled": outputs.compiled,
    }


def _relaxed(campaign: Campaign, outputs: RelaxOutputs, item: RelaxedItem, end_id: int) -> Relaxation:
    return Relaxation(
        **_common(campaign, outputs, item.id),
        end_id=end_id,
        energy_per_atom=item.energy_per_atom,
        max_force=item.max_force,
        max_stress=gpa_from_ev_per_a3(float(np.abs(item.stress).max())),
        steps=item.steps,
        converged=item.converged,
        deviation_lengths=list(item.deviations.lengths),
        deviation_angles=list(item.deviations.angles),
        deviation_volume=item.deviations.volume,
        deviation_positions=item.deviations.positions,
        soap_distance=item.soap_distance,
    )


def _rejected(campaign: Campaign, outputs: RelaxOutputs, refusal: Refusal) -> Relaxation:
    return Relaxation(
        **_common(campaign, outputs, refusal.source),
        rejected_reason=refusal.reason[:50],
        rejected_detail=refusal.detail,
    )


def _link(campaign: Campaign, starts: set[int]) -> set[int]:
    """Give the candidates that began as `starts` their relaxations, by two statements."""
    mine = Candidate.objects.filter(_open(), campaign=campaign, start_id__in=starts)
    touched = set(mine.values_list("pk", flat=True))
    rows = Candidate.objects.filter(pk__in=touched)
    found = _relaxations(campaign, starts).filter(start_id=OuterRef("start_id"))
    rows.update(
        relaxation_id=Subquery(found.values("pk")[:1]),
        relaxed_id=Subquery(found.values("end_id")[:1]),
        outcome=Outcome.PENDING,
        outcome_reason="",
        outcome_detail="",
    )
    out = found.filter(end__isnull=True)
    rows.filter(relaxation__isnull=False, relaxed__isnull=True).update(
        outcome=Outcome.REJECTED,
        outcome_reason=Subquery(out.values("rejected_reason")[:1]),
        outcome_detail=Subquery(out.values("rejected_detail")[:1]),
    )
    return touched


BINDING = Binding(STAGE, load=load, save=save, plan=plan, report=report, failed=failed)
