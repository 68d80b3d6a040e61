"""A convergence study: what may be varied, started, computed point by point, cancelled, tried again."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import ProgrammingError

from apps.campaigns.services import campaign_cancel, campaign_resume
from apps.conductivity.models import KappaPlan, KappaStudy, PhononResult, StudyPoint
from apps.conductivity.selectors import conductivity_settings
from apps.conductivity.selectors.studies import study_group, study_offers
from apps.conductivity.selectors.study_facts import studies_of, study_facts
from apps.conductivity.services import studies_reconcile, study_cancel, study_retry, study_start
from apps.conductivity.stages import kappa_study
from apps.conductivity.study_values import (
    Expected,
    StudyRefused,
    checked,
    expected_minutes,
    first_values,
    varied,
)
from apps.core.errors import Conflict, NotAllowed, NotThere
from apps.jobs import services as jobs
from apps.jobs.models import Job, State
from apps.reviews.selectors.programs import jobs_visible
from kappakit.protocol import ConductivitySettings
from tests.apps.rows import a_campaign, a_candidate, a_member, a_plan, a_user
from tests.apps.studying import SETTINGS, Bench, a_bench, begins, ends, fails, job_of, outputs
from tests.apps.validating import run_job

PLAIN = ConductivitySettings(displacements="systematic")


# --- what may be varied


@pytest.mark.parametrize(
    ("name", "settings", "fields", "unit"),
    [
        ("mesh", PLAIN, ("mesh_length",), "Å"),
        ("cutoff", PLAIN, ("pair_cutoff",), "Å"),
        ("cutoff", replace(PLAIN, displacements="random"), ("fc3_cutoff",), "Å"),
        ("supercell", replace(PLAIN, supercell_rule="width"), ("fc3_width", "fc2_width"), "Å"),
        ("supercell", replace(PLAIN, supercell_rule="repeat"), ("fc3_supercell", "fc2_supercell"), "repetitions"),
        ("displacement", PLAIN, ("displacement",), "Å"),
        ("displacement", replace(PLAIN, displacements="random"), ("random_displacement",), "Å"),
    ],
)
def test_which_field_is_varied_follows_the_settings(name, settings, fields, unit) -> None:
    found = varied(name, settings)
    assert (found.fields, found.unit) == (fields, unit)
    assert found.present == getattr(settings, fields[0])
    values = first_values(found)
    assert found.present in values
    assert checked(values, found) == values


@pytest.mark.parametrize(
    ("name", "values", "says"),
    [
        ("mesh", [25.0], "give 2 to 12 values, not 1"),
        ("mesh", [float(n) for n in range(5, 18)], "not 13"),
        ("mesh", [0.0, 25.0], "0 lies outside 1 to 200 Å"),
        ("mesh", [25.0, 1e4], "10000 lies outside 1 to 200 Å"),
        ("mesh", [25.0, math.nan], "nan lies outside"),
        ("mesh", [25.0, math.inf], "inf lies outside"),
        ("mesh", [25.0, -25.0], "-25 lies outside"),
        ("mesh", [20.0, 25.0, 20.0], "20 is given twice"),
        ("cutoff", [0.0, 3.0], "0 stands for no cutoff"),
        ("displacement", [0.03, 0.5], "0.5 lies outside 0.001 to 0.2 Å"),
    ],
)
def test_values_that_are_no_series_are_refused_with_the_reason(name, values, says) -> None:
    with pytest.raises(StudyRefused) as refusal:
        checked(values, varied(name, PLAIN))
    assert says in str(refusal.value.detail["values"])


def test_repetitions_are_whole_numbers() -> None:
    with pytest.raises(StudyRefused, match=r"2\.5 is not a whole number"):
        checked([2.0, 2.5], varied("supercell", replace(PLAIN, supercell_rule="repeat")))


def test_expected_times_grow_as_the_work_does() -> None:
    present = Expected(forces=2.0, equation=1.0)

    def minutes(name: str, value: float, settings: ConductivitySettings = PLAIN) -> float:
        return expected_minutes(value, varied(name, settings), present, settings)

    assert minutes("mesh", 25.0) == pytest.approx(3.0)
    assert minutes("mesh", 50.0) == pytest.approx(2.0 + 64.0)
    assert minutes("displacement", 0.01) == pytest.approx(3.0)
    assert minutes("cutoff", 6.0) == pytest.approx(8 * 3.0)
    wide = replace(PLAIN, supercell_rule="width")
    assert minutes("supercell", 12.0, wide) == pytest.approx(8 * 3.0)
    assert minutes("supercell", 12.0, replace(wide, pair_cutoff=0.0)) == pytest.approx(64 * 3.0)


# --- a study in the database


@pytest.fixture
def bench(db: None) -> Bench:
    return a_bench()


def points(study: KappaStudy) -> list[StudyPoint]:
    return list(study.points.select_related("study__candidate").order_by("order"))


def test_each_value_is_a_job_and_the_study_is_done_with_the_last(bench: Bench) -> None:
    study = bench.start(values=(15.0, 10.0, 12.0))
    assert [point.value for point in points(study)] == [10.0, 12.0, 15.0]
    queued = Job.objects.filter(group=study_group(study)).order_by("id")
    assert [job.units for job in queued] == [[str(point.pk)] for point in points(study)]
    for at, point in enumerate(points(study)):
        ends(point, 1000.0 + 100 * at)
    study.refresh_from_db()
    assert (study.state, study.finished_at is not None) == ("DONE", True)
    (facts,) = study_facts([study])
    assert [point.present for point in facts.points] == [False, True, False]
    assert [point.change for point in facts.points] == [None, pytest.approx(1 / 11), pytest.approx(1 / 12)]
    assert (facts.minutes_left, facts.state_words) == (None, "3 of 3 points are done.")


def test_a_point_gets_the_plan_s_settings_with_its_value(bench: Bench) -> None:
    study = bench.start("supercell", (2.0, 3.0))
    loaded = kappa_study.load(job_of(points(study)[1]))
    plan = KappaPlan.objects.get()
    assert loaded.settings == {**plan.settings, "fc3_supercell": 3, "fc2_supercell": 3}
    assert conductivity_settings(dict(loaded.settings)).fc3_supercell == 3
    assert isinstance(loaded.settings["fc3_supercell"], int)
    assert loaded.inputs.primitive.digest == plan.primitive.digest


def test_the_stage_itself_computes_a_point(bench: Bench, tmp_path: Path) -> None:
    study = bench.start(values=(8.0, 10.0, 12.0))
    for job in Job.objects.filter(group=study_group(study)).order_by("id"):
        run_job(job, tmp_path)
    first, second, third = points(study)
    assert third.mesh_points > second.mesh_points == first.mesh_points
    assert third.principal != second.principal
    (facts,) = study_facts([study])
    assert [point.words for point in facts.points] == ["", "the same mesh as at 8 Å", ""]
    assert [point.change is None for point in facts.points] == [True, True, False]
    assert (first.mesh_rule, first.dynamical, first.atoms_per_supercell) == ("spacing", "stable", 16)


def test_a_failed_point_does_not_lose_the_others_and_is_tried_again(bench: Bench) -> None:
    study = bench.start()
    first, second, third = points(study)
    ends(first)
    fails(second)
    ends(third)
    study.refresh_from_db()
    (facts,) = study_facts([study])
    assert (study.state, facts.failed, facts.state_words) == ("DONE", 1, "2 of 3 points are done, 1 failed.")
    assert facts.points[1].error == "CUDA out of memory"
    study_retry(study=study, user=bench.ada)
    assert job_of(second).state == State.QUEUED
    assert [point.state for point in points(study)] == ["DONE", "OPEN", "DONE"]
    ends(second)
    study.refresh_from_db()
    assert study.state == "DONE"
    with pytest.raises(Conflict, match="failed or was cancelled"):
        study_retry(study=study, user=bench.ada)


def test_a_cancelled_study_keeps_its_points_and_goes_on_when_it_is_told_to(bench: Bench) -> None:
    study = bench.start()
    first, second, third = points(study)
    ends(first)
    running = begins(second)
    study_cancel(study=study, user=bench.ada)
    (facts,) = study_facts([KappaStudy.objects.select_related("cancelled_by").get()])
    assert [point.state for point in facts.points] == ["DONE", "CANCELLED", "CANCELLED"]
    assert facts.state_words == "Cancelled by ada; 1 of 3 points are done and kept."
    running.refresh_from_db()
    assert (running.cancel_requested, job_of(third).state) == (True, State.CANCELLED)
    with pytest.raises(Conflict, match="cancelled"):
        study_cancel(study=study, user=bench.ada)
    with pytest.raises(Conflict, match="still being stopped"):
        study_retry(study=study, user=bench.ada)
    Job.objects.filter(pk=running.pk).update(state=State.CANCELLED, lease_owner="", lease_until=None)
    study_retry(study=study, user=bench.ada)
    assert [point.state for point in points(study)] == ["DONE", "OPEN", "OPEN"]
    assert {job_of(second).state, job_of(third).state} == {State.QUEUED}


def test_a_point_that_is_done_while_it_is_being_cancelled_is_kept(bench: Bench) -> None:
    study = bench.start()
    first = points(study)[0]
    job = begins(first)
    study_cancel(study=study, user=bench.ada)
    kappa_study.save(job, outputs(first), {})
    study.refresh_from_db()
    assert [point.state for point in points(study)] == ["DONE", "CANCELLED", "CANCELLED"]
    assert study.state == "CANCELLED"


def test_one_study_of_a_parameter_runs_at_a_time(bench: Bench) -> None:
    study = bench.start()
    with pytest.raises(Conflict, match="mesh length of this crystal runs already"):
        bench.start(values=(20.0, 30.0))
    bench.start("displacement", (0.01, 0.03))
    study_cancel(study=study, user=bench.ada)
    newer = bench.start(values=(20.0, 30.0))
    with pytest.raises(Conflict, match="Another study of this parameter runs"):
        study_retry(study=study, user=bench.ada)
    assert newer.state == "RUNNING"


def test_a_point_that_an_earlier_study_has_is_taken_from_there(bench: Bench) -> None:
    study = bench.start()
    for point in points(study):
        ends(point, 1000.0 + point.value)
    other = bench.start("displacement", (0.01, 0.03))
    first, second = points(other)
    assert (first.state, second.state) == ("OPEN", "DONE")
    assert second.principal[0] == 1012.0
    (facts,) = study_facts([other])
    assert facts.points[1].taken_from == study.pk
    assert Job.objects.filter(group=study_group(other)).count() == 1
    again = bench.start(values=(10.0, 15.0))
    assert again.state == "DONE"
    assert not Job.objects.filter(group=study_group(again)).exists()


def test_another_potential_or_cell_shares_no_points(bench: Bench) -> None:
    study = bench.start()
    for point in points(study):
        ends(point)
    elsewhere = a_candidate(bench.campaign, 2)
    a_plan(elsewhere)
    made = study_start(candidate=elsewhere, user=bench.ada, parameter="mesh", values=(10.0, 12.0))
    assert {point.state for point in points(made)} == {"OPEN"}


def test_a_crystal_with_imaginary_modes_or_without_a_plan_is_refused_with_a_sentence(bench: Bench) -> None:
    with pytest.raises(Conflict, match="no plan for its κ_L"):
        study_start(candidate=a_candidate(bench.campaign, 5), user=bench.ada, parameter="mesh", values=(10.0, 12.0))
    PhononResult.objects.update(dynamical="imaginary")
    with pytest.raises(Conflict, match="imaginary modes"):
        bench.start()
    with pytest.raises(Conflict, match="imaginary modes"):
        study_offers(bench.candidate)


def test_a_point_with_imaginary_modes_is_done_without_a_value(bench: Bench) -> None:
    study = bench.start("supercell", (2.0, 3.0))
    first, second = points(study)
    ends(first, principal=(), uvw=(), dynamical="imaginary", note="imaginary modes: no κ_L was computed", lowest=-3.0)
    ends(second)
    (facts,) = study_facts([study])
    assert (facts.done, facts.points[0].principal, facts.points[1].change) == (2, (), None)


def test_to_start_cancel_and_retry_takes_the_role_operator(bench: Bench) -> None:
    viewer, stranger = a_member(bench.campaign, "viewer"), a_user("stranger")
    study = bench.start()
    for act in (study_cancel, study_retry):
        with pytest.raises(NotAllowed):
            act(study=study, user=viewer)
        with pytest.raises(NotThere):
            act(study=study, user=stranger)
    with pytest.raises(NotAllowed):
        study_start(candidate=bench.candidate, user=viewer, parameter="cutoff", values=(2.0, 3.0))


def test_what_is_left_is_expected_by_what_the_finished_points_took(bench: Bench) -> None:
    study = bench.start()
    (before,) = study_facts([study])
    first = points(study)[0]
    seconds = 2 * 60 * before.points[0].expected_minutes
    ends(first, seconds=seconds)
    (after,) = study_facts([study])
    assert before.minutes_left == pytest.approx(sum(point.expected_minutes for point in before.points))
    assert after.minutes_left == pytest.approx(2 * sum(point.expected_minutes for point in before.points[1:]))


def test_its_jobs_are_visible_with_its_campaign(bench: Bench) -> None:
    study = bench.start()
    own = Job.objects.filter(group=study_group(study))
    assert set(own) <= set(jobs_visible(a_member(bench.campaign, "viewer")))
    elsewhere = a_user("elsewhere")
    a_candidate(a_campaign(elsewhere, "other"), 0)
    assert not jobs_visible(elsewhere).filter(pk__in=own).exists()


def test_with_its_campaign_it_is_cancelled_and_resumed(bench: Bench) -> None:
    type(bench.campaign).objects.filter(pk=bench.campaign.pk).update(state="RUNNING")
    study = bench.start()
    campaign_cancel(campaign=bench.campaign, user=bench.ada)
    studies_reconcile()
    study.refresh_from_db()
    (facts,) = study_facts([study])
    assert (study.state, facts.state_words[:27]) == ("CANCELLED", "Cancelled with its campaign")
    campaign_resume(campaign=bench.campaign, user=bench.ada)
    for point in points(study):
        ends(point)
    study.refresh_from_db()
    assert study.state == "DONE"


def test_what_a_person_cancelled_does_not_come_back_with_the_campaign(bench: Bench) -> None:
    type(bench.campaign).objects.filter(pk=bench.campaign.pk).update(state="RUNNING")
    study = bench.start()
    study_cancel(study=study, user=bench.ada)
    campaign_cancel(campaign=bench.campaign, user=bench.ada)
    campaign_resume(campaign=bench.campaign, user=bench.ada)
    with pytest.raises(Conflict, match="was cancelled"):
        begins(points(study)[0])
    study.refresh_from_db()
    assert study.state == "CANCELLED"


def test_a_job_that_is_tried_again_on_its_own_page_opens_its_study(bench: Bench) -> None:
    study = bench.start()
    first, *others = points(study)
    fails(first)
    for point in others:
        ends(point)
    jobs.retry(job=job_of(first))
    ends(first)
    study.refresh_from_db()
    assert (study.state, {point.state for point in points(study)}) == ("DONE", {"DONE"})


def test_the_database_refuses_what_no_service_does(bench: Bench) -> None:
    study = bench.start()
    first = points(study)[0]
    ends(first)
    with pytest.raises(ProgrammingError, match="Invalid transition"), transaction.atomic():
        StudyPoint.objects.filter(pk=first.pk).update(state="OPEN")
    with pytest.raises(IntegrityError), transaction.atomic():
        StudyPoint.objects.filter(pk=first.pk).update(dynamical="sometimes")
    with pytest.raises(IntegrityError), transaction.atomic():
        KappaStudy.objects.filter(pk=study.pk).update(parameter="weather")


def test_all_studies_of_a_candidate_in_few_queries(bench: Bench, django_assert_max_num_queries) -> None:
    bench.start()
    bench.start("displacement", (0.01, 0.02, 0.03))
    with django_assert_max_num_queries(10):
        found = studies_of(bench.candidate)
    assert [study.parameter for study in found] == ["displacement", "mesh"]
    assert found[0].points[0].words
    assert {point.words for point in found[0].points[1:]} == {"queued"}


def test_a_longer_run_is_given_more_time_but_not_without_end(bench: Bench) -> None:
    study = bench.start(values=(SETTINGS.mesh_length, 2 * SETTINGS.mesh_length))
    short, long = (job_of(point).time_limit_s - 3600 for point in points(study))
    assert long > 20 * short
    study_cancel(study=study, user=bench.ada)
    assert job_of(points(bench.start(values=(12.0, 200.0)))[1]).time_limit_s == 30 * 24 * 3600
