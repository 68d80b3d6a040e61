"""Standardise each crystal, relax it under its symmetry, and say what its κ_L will take."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple
from typing import Any

from apps.campaigns.models import Campaign, Step
from apps.campaigns.selectors import protocol_of
from apps.conductivity.models import KappaPlan, PlanState
from apps.conductivity.selectors import minutes_spent, open_candidates, plans_for, potential_of
from apps.conductivity.services.neighbours import plan_jobs
from apps.conductivity.sweeps import Cost, Sweep, what_starts
from apps.jobs.bindings import Binding, JobSpec, Loaded
from apps.jobs.models import Job
from apps.structures.models import Candidate, Refusal, Structure
from apps.structures.selectors import crystal_of
from apps.structures.services import structures_record
from apps.training.selectors import model_files, model_get, potential_ref
from kappakit.pipeline import KappaPlanReport, report_as_dict
from kappakit.stages.contracts import Item, KappaPlanInputs, KappaPlanItem, KappaPlanOutputs

STAGE = "kappa_plan"


def plan(step_id: int) -> list[JobSpec]:
    """Plan what is not planned yet with this potential and these settings."""
    step = Step.objects.select_related("campaign__potential").get(pk=step_id)
    candidates = open_candidates(step.campaign, step.candidates)
    potential_of(step.campaign, step.sweep)
    planned = set(plans_for(step.campaign, step.candidates, step.sweep).values_list("candidate_id", flat=True))
    return plan_jobs(step.campaign, [c for c in candidates if c.pk not in planned], sweep=step.sweep)


def load(job: Job) -> Loaded:
    """The relaxed crystals and the potential."""
    campaign = _campaign(job)
    potential = model_get(job.params["potential"])
    candidates = Candidate.objects.filter(pk__in=map(int, job.units)).select_related("relaxed", "relaxation")
    inputs = KappaPlanInputs(
        items=tuple(_item(c) for c in candidates.order_by("pk")),
        potential=potential_ref(potential),
        **job.params["tolerances"],
    )
    settings = protocol_of(campaign).as_dict()["conductivity"]
    return Loaded(inputs, settings, model_files(potential))


def save(job: Job, outputs: KappaPlanOutputs, artifacts: Any) -> set[int]:
    """One KappaPlan a crystal; what has no plan is refused, with the reason."""
    campaign = _campaign(job)
    cells = structures_record([item.primitive for item in outputs.plans])
    for item, cell in zip(outputs.plans, cells, strict=True):
        _record(job, campaign, item, cell)
    _refuse(campaign, {int(r.source): (r.reason, r.detail) for r in outputs.refusals})
    return {int(unit) for unit in job.units}


def failed(job: Job, message: str) -> set[int]:
    """Nothing came out: its crystals are refused with what the job said."""
    _refuse(_campaign(job), {int(unit): ("failed", message) for unit in job.units})
    return {int(unit) for unit in job.units}


def report(step_id: int) -> dict[str, Any]:
    """What starts by itself, most promising first, and what waits for a person."""
    step = Step.objects.select_related("campaign__potential").get(pk=step_id)
    taken = [candidate.pk for candidate in open_candidates(step.campaign, step.candidates)]
    plans = plans_for(step.campaign, taken, step.sweep).filter(state=PlanState.PLANNED)
    sweep = _starts(plans, step.campaign)
    return report_as_dict(KappaPlanReport(sweep.start, sweep.waiting))


def _starts(plans: Iterable[KappaPlan], campaign: Campaign) -> Sweep:
    costs = [Cost(p.candidate_id, p.expected_minutes, p.promise) for p in plans]
    return what_starts(costs, protocol_of(campaign).conductivity, spent=minutes_spent(campaign))


def _campaign(job: Job) -> Campaign:
    return Campaign.objects.select_related("potential").get(pk=job.params["campaign"])


def _item(candidate: Candidate) -> Item:
    energy = candidate.relaxation.energy_per_atom if candidate.relaxation else None
    return Item(str(candidate.pk), crystal_of(candidate.relaxed), energy)


def _record(job: Job, campaign: Campaign, item: KappaPlanItem, cell: Structure) -> None:
    copied = (
        "symmetry_kept dimensionality energy_change max_force max_stress supercells_fc3 supercells_fc2 "
        "atoms_per_supercell pairs_omitted evaluations q_points expected_force_minutes expected_bte_minutes "
        "expected_lbte_minutes expected_memory promise promise_method promise_note"
    )
    values = {name: getattr(item, name) for name in copied.split()}
    KappaPlan.objects.get_or_create(
        candidate_id=int(item.id),
        potential_id=job.params["potential"],
        settings_digest=job.params["settings"],
        defaults=values
        | {
            "settings": protocol_of(campaign).as_dict()["conductivity"],
            "sweep": job.params["sweep"],
            "primitive": cell,
            "space_group_number": item.number,
            "space_group": item.symbol,
            "supercell": [list(row) for row in item.supercell],
            "mesh": list(item.mesh.numbers),
            "mesh_rule": item.mesh.rule,
            "mesh_length": item.mesh.length,
            "shells": [list(astuple(shell)) for shell in item.shells],
        },
    )


def _refuse(campaign: Campaign, why: dict[int, tuple[str, str]]) -> None:
    rows = Candidate.objects.filter(pk__in=why).order_by("pk")
    Refusal.objects.bulk_create(
        [
            Refusal(campaign=campaign, step_name=STAGE, source=c.source, reason=why[c.pk][0][:50], detail=why[c.pk][1])
            for c in rows
        ],
        ignore_conflicts=True,
    )


BINDING = Binding(STAGE, plan=plan, load=load, save=save, failed=failed, report=report)
