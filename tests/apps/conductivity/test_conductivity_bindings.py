"""Plans, κ_L, neighbours and force sets, from a step to rows and back to its report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apps.artifacts import services as artifacts
from apps.campaigns.models import Campaign, Step, StepState
from apps.conductivity import services
from apps.conductivity.models import KappaPlan, KappaTensor, PhononResult, PlanState
from apps.conductivity.selectors import PotentialMissing, minutes_spent, waiting_note, waiting_plans
from apps.core.errors import Conflict, NotAllowed
from apps.jobs.models import Job, State
from apps.reviews import services as reviews
from apps.reviews.models import CandidateSummary
from apps.reviews.selectors import ranked_table
from apps.structures.models import Candidate, Refusal
from kappakit.protocol import PROTOCOLS
from kappakit.stages import contracts as c
from tests.apps.kappa_steps import NAMED, a_step, conductivity_outputs, jobs_of, plan_item, reported
from tests.apps.rows import a_campaign, a_candidate, a_member, a_user

pytestmark = pytest.mark.django_db
LIMITS = replace(
    PROTOCOLS["demo"].conductivity,
    max_minutes=1.0,
    max_sweep_minutes=1.5,
    max_campaign_minutes=20.0,
)


@pytest.fixture(autouse=True)
def storage(tmp_path: Path, settings: Any) -> None:
    settings.ARTIFACTS = tmp_path / "artifacts"


@pytest.fixture
def campaign() -> Campaign:
    return a_campaign(a_user("owner"), protocol=replace(PROTOCOLS["demo"], conductivity=LIMITS))


@pytest.fixture
def candidates(campaign: Campaign) -> list[Candidate]:
    return [a_candidate(campaign, index) for index in range(4)]


def started(campaign: Campaign, candidates: list[Candidate], *costs: dict[str, Any]) -> tuple[Step, Step]:
    """The two steps of a sweep, planned with these costs, the second not yet planned."""
    planning = a_step(campaign, "kappa_plan", candidates)
    for job in jobs_of(planning):
        units = [x for x in candidates if str(x.pk) in job.units]
        items = tuple(plan_item(x, **costs[candidates.index(x)]) for x in units)
        NAMED["kappa_plan"].save(job, c.KappaPlanOutputs(items, ()), {})
    reported(planning)
    return planning, a_step(campaign, "conductivity", candidates)


def finish(job: Job, outputs: Any) -> set[int]:
    fc3 = artifacts.store_bytes(b"fc3", kind="fc3", name="fc3.hdf5")
    touched = NAMED["conductivity"].save(job, outputs, {"fc3": fc3.pk})
    reviews.candidate_summaries_refresh(touched)
    return touched


def test_plans_are_made_a_few_crystals_a_job_and_load_what_the_stage_needs(campaign, candidates) -> None:
    more = [*candidates, *(a_candidate(campaign, index) for index in range(4, 6))]
    jobs = jobs_of(a_step(campaign, "kappa_plan", more))
    assert [len(job.units) for job in jobs] == [4, 2]
    loaded = NAMED["kappa_plan"].load(jobs[0])
    assert [item.id for item in loaded.inputs.items] == [str(x.pk) for x in candidates]
    assert loaded.inputs.potential.sha256 == campaign.potential.sha256
    assert (loaded.inputs.symprec, loaded.inputs.angle_tolerance) == (0.1, 1.0)
    assert loaded.settings["pair_cutoff"] == 3.0


def test_what_is_excluded_or_doubled_meanwhile_is_not_planned(campaign, candidates) -> None:
    reviews.candidate_exclude(candidate=candidates[0], user=campaign.owner, reason="r")
    undone = reviews.candidate_exclude(candidate=candidates[3], user=campaign.owner, reason="r")
    reviews.exclusion_undo(exclusion=undone, user=campaign.owner, reason="r")
    reviews.duplicate_mark(candidate=candidates[1], representative=candidates[2], user=campaign.owner, reason="r")
    (job,) = jobs_of(a_step(campaign, "kappa_plan", candidates))
    assert job.units == [str(candidates[2].pk), str(candidates[3].pk)]


def test_a_campaign_without_a_potential_plans_nothing(campaign, candidates) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(potential=None)
    with pytest.raises(PotentialMissing):
        jobs_of(a_step(campaign, "kappa_plan", candidates))


def test_a_sweep_starts_the_most_promising_within_its_minutes_and_the_rest_waits(campaign, candidates) -> None:
    """The second promises most; the third would take longer than a crystal may; the first no longer fits."""
    costs = [
        {"expected_bte_minutes": 0.8, "promise": 900.0},
        {"expected_bte_minutes": 0.7, "promise": 2000.0},
        {"expected_bte_minutes": 1.0, "promise": 5000.0},
        {"expected_bte_minutes": 0.5, "promise": 1200.0},
    ]
    planning, running = started(campaign, candidates, *costs)
    assert planning.report == {
        "start": (candidates[1].pk, candidates[3].pk),
        "waiting": (candidates[2].pk, candidates[0].pk),
    }
    jobs = jobs_of(running)
    plans = {plan.candidate_id: plan for plan in KappaPlan.objects.all()}
    assert [job.units for job in jobs] == [[str(plans[candidates[i].pk].pk)] for i in (1, 3)]
    assert [plans[x.pk].state for x in candidates] == ["PLANNED", "STARTED", "PLANNED", "STARTED"]
    assert [plan.candidate_id for plan in waiting_plans(campaign)] == [candidates[2].pk, candidates[0].pk]
    assert waiting_note(plans[candidates[2].pk]) == "planned: 96 supercells, 1.1 min: start?"


def test_what_a_campaign_has_spent_is_not_there_for_its_next_sweep(campaign, candidates) -> None:
    _, running = started(campaign, candidates[:1], {})
    (job,) = jobs_of(running)
    assert minutes_spent(campaign) == pytest.approx(0.25), "what is under way counts as it is expected"
    finish(job, conductivity_outputs(2000.0))
    assert minutes_spent(campaign) == pytest.approx(0.2), "what is done counts as it took: 12 s"


def test_a_calculation_may_take_a_crystal_s_minutes_for_finer_meshes(campaign, candidates) -> None:
    _, running = started(campaign, candidates[:1], {})
    (job,) = jobs_of(running)
    assert NAMED["conductivity"].load(job).inputs.minutes == LIMITS.max_minutes


def test_a_crystal_that_cannot_be_planned_is_refused_with_the_reason(campaign, candidates) -> None:
    (job,) = jobs_of(a_step(campaign, "kappa_plan", candidates[:2]))
    refusal = c.Refusal(str(candidates[1].pk), "not-relaxed", "500 steps were not enough")
    NAMED["kappa_plan"].save(job, c.KappaPlanOutputs((plan_item(candidates[0]),), (refusal,)), {})
    row = Refusal.objects.get()
    assert (row.step_name, row.source, row.reason) == ("kappa_plan", candidates[1].source, "not-relaxed")
    assert KappaPlan.objects.count() == 1


def test_a_conductivity_is_saved_with_files_modes_and_a_label(campaign, candidates) -> None:
    _, running = started(campaign, candidates[:1], {})
    (job,) = jobs_of(running)
    loaded = NAMED["conductivity"].load(job)
    assert (loaded.inputs.lbte, loaded.inputs.minutes) == ("auto", 1.0)
    assert finish(job, conductivity_outputs(2000.0, methods=("RTA", "LBTE"))) == {candidates[0].pk}
    phonons = PhononResult.objects.get()
    assert (phonons.plan.state, phonons.job, phonons.bands["breaks"]) == ("DONE", job, [1])
    assert [file.kind for file in phonons.files.all()] == ["fc3"]
    with np.load(artifacts.path(phonons.modes)) as stored:
        assert set(stored) >= {"linewidths", "group_velocities", "weights"}
    rta = KappaTensor.objects.get(method="RTA")
    assert (rta.temperature, rta.largest) == (300.0, 2000.0)
    assert rta.principal == pytest.approx([2000.0, 4000 / 3, 2000 / 3])
    assert rta.label == [
        "carbon-test (abababab)", "RTA", "mesh of 28.5 Å (8×8×8)", "300 K", "stable phonons", "symmetry kept",
        "supercell 3×3×3, pairs within 3 Å", "forces in float32, noise 2e-05 eV/Å",
        "converged: 2.0 % by the mesh's last step (21.4 → 28.5 Å), error about 6.0 %",
    ]  # fmt: skip
    assert (rta.converged, rta.change, rta.error) == (True, pytest.approx(0.02), pytest.approx(0.06))
    assert [(row["length"], row["numbers"], row["irreducible"]) for row in rta.mesh_steps] == [
        (21.4, [6, 6, 6], 44),
        (28.5, [8, 8, 8], 85),
    ]
    assert phonons.parts == {"forces": 4.0, "Boltzmann equation": 8.0}
    assert CandidateSummary.objects.get(pk=candidates[0].pk).kappa_lbte == 2000.0


def test_only_rankable_crystals_above_the_limit_are_reported_as_ultrahigh(campaign, candidates) -> None:
    costs = [{}, {}, {"symmetry_kept": False}, {}]
    planning, running = started(campaign, candidates, *costs)
    Step.objects.filter(pk=planning.pk).update(report={"start": [x.pk for x in candidates], "waiting": []})
    jobs = jobs_of(running)
    outcomes = [(900.0, "stable"), (700.0, "stable"), (3000.0, "stable"), (3000.0, "imaginary")]
    for job, (kappa, dynamical) in zip(jobs, outcomes, strict=True):
        finish(job, conductivity_outputs(kappa, dynamical=dynamical))
    assert reported(running) == {"computed": 4, "ultrahigh": (candidates[0].pk,)}
    table = ranked_table(campaign)
    assert [row.largest for row in table.rows] == [900.0, 700.0]
    assert (table.left_out.imaginary, table.left_out.symmetry_broken) == (1, 1)


def test_a_conductivity_that_fails_keeps_the_reason_and_is_tried_again(campaign, candidates) -> None:
    _, running = started(campaign, candidates[:1], {})
    (job,) = jobs_of(running)
    assert NAMED["conductivity"].failed(job, "out of memory") == {candidates[0].pk}
    plan = KappaPlan.objects.get()
    assert (plan.state, plan.error) == ("FAILED", "out of memory")
    assert reported(running) == {"computed": 0, "ultrahigh": ()}
    again = reviews.plan_retry(plan=plan, user=campaign.owner)
    assert (again.group, again.key) == (f"kappa:{plan.pk}", job.key)
    finish(again, conductivity_outputs(1000.0))
    plan.refresh_from_db()
    assert (plan.state, plan.error) == ("DONE", "")


def test_a_step_tried_again_in_place_restarts_its_failed_plan(campaign, candidates) -> None:
    _, running = started(campaign, candidates[:1], {})
    (job,) = jobs_of(running)
    NAMED["conductivity"].failed(job, "a node was lost")
    NAMED["conductivity"].load(job)
    finish(job, conductivity_outputs(1000.0))
    assert KappaPlan.objects.get().state == PlanState.DONE


def test_a_waiting_plan_is_started_later_and_reopens_no_step(campaign, candidates) -> None:
    planning, running = started(campaign, candidates[:1], {"expected_bte_minutes": 50.0})
    assert jobs_of(running) == []
    assert reported(running) == {"computed": 0, "ultrahigh": ()}
    plan = KappaPlan.objects.get()
    with pytest.raises(NotAllowed):
        reviews.plan_start(plan=plan, user=a_member(campaign, "curator"))
    operator = a_member(campaign, "operator")
    job = reviews.plan_start(plan=plan, user=operator)
    assert CandidateSummary.objects.get(pk=candidates[0].pk).kappa_state == "STARTED"
    with pytest.raises(Conflict):
        reviews.plan_start(plan=plan, user=operator)
    assert NAMED["conductivity"].load(job).inputs.minutes == plan.expected_minutes
    finish(job, conductivity_outputs(2000.0))
    assert [row.largest for row in ranked_table(campaign).rows] == [2000.0]
    for step in (planning, running):
        step.refresh_from_db()
        assert step.state == StepState.DONE
    assert running.report == {"computed": 0, "ultrahigh": []}


def test_a_cancelled_conductivity_is_tried_again(campaign, candidates) -> None:
    started(campaign, candidates[:1], {"expected_bte_minutes": 50.0})
    plan = KappaPlan.objects.get()
    job = services.plan_start(plan=plan, user=campaign.owner)
    plan.refresh_from_db()
    with pytest.raises(Conflict):
        services.plan_retry(plan=plan, user=campaign.owner)
    Job.objects.filter(pk=job.pk).update(state=State.CANCELLED)
    assert services.plan_retry(plan=plan, user=campaign.owner).state == State.QUEUED
