"""Convergence studies: started, cancelled and tried again by an operator, point by point computed by jobs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from apps.campaigns.permissions import permit
from apps.conductivity.models import KappaPlan, KappaStudy, PointState, StudyPoint, StudyState
from apps.conductivity.selectors import conductivity_settings
from apps.conductivity.selectors.studies import minutes_of_values, plan_to_study, study_group
from apps.conductivity.services.plans import SECONDS_PER_EVALUATION, SLOWER, plan_job
from apps.conductivity.study_values import STAGE, Varied, altered, checked, point_digest, varied
from apps.core.errors import Conflict
from apps.jobs import services as jobs
from apps.jobs.bindings import JobSpec
from apps.jobs.models import OPEN, Job, State
from apps.structures.models import Candidate
from kappakit.stages.contracts import StudyOutputs

LONGEST_S = 30 * 24 * 3600
"""However long a value is expected to take, its job is given up after so long."""
TAKEN = (
    "principal uvw mesh mesh_rule mesh_length mesh_points irreducible supercell supercells atoms_per_supercell "
    "evaluations dynamical lowest note engine_version seconds parts"
)
"""What a point takes over from an equal one."""


@transaction.atomic
def study_start(*, candidate: Candidate, user: Any, parameter: str, values: Sequence[float]) -> KappaStudy:
    """Compute κ_L for each value of a parameter. Needs 'operate'.

    Raises StudyRefused for values that are no series; Conflict without a plan, for imaginary modes, and while a study
    of this parameter runs. Points that an earlier study has are taken from there.
    """
    permit(user, "operate", candidate.campaign)
    plan = plan_to_study(candidate)
    chosen = varied(parameter, conductivity_settings(plan.settings))
    ascending = checked(values, chosen)
    study = _created(candidate, plan, chosen, ascending, user)
    points = [_point(study, chosen, order, value) for order, value in enumerate(ascending)]
    StudyPoint.objects.bulk_create(points)
    _enqueue(study, [point for point in points if point.state == PointState.OPEN])
    _settle(study)
    return study


@transaction.atomic
def study_cancel(*, study: KappaStudy, user: Any) -> KappaStudy:
    """End what is not computed yet; finished points stay. Needs 'operate'; raises Conflict where nothing is open."""
    permit(user, "operate", study.candidate.campaign)
    found = _locked(study.pk)
    if found.state != StudyState.RUNNING:
        raise Conflict(f"The study is {found.get_state_display()}: only one that runs can be cancelled.")
    _cancelled(found, by=user)
    jobs.cancel(jobs=Job.objects.filter(group=study_group(found), state__in=OPEN))
    return found


@transaction.atomic
def study_retry(*, study: KappaStudy, user: Any) -> KappaStudy:
    """Compute the points again that failed or were cancelled. Needs 'operate'; raises Conflict where there is none,
    while one is still being stopped, and while another study of this parameter runs."""
    permit(user, "operate", study.candidate.campaign)
    found = _locked(study.pk)
    again = list(found.points.filter(state__in=(PointState.FAILED, PointState.CANCELLED)).order_by("order"))
    if not again:
        raise Conflict("No point of this study failed or was cancelled.")
    if Job.objects.filter(group=study_group(found), state__in=OPEN, cancel_requested=True).exists():
        raise Conflict("A point is still being stopped: try again in a moment.")
    _running(found)
    StudyPoint.objects.filter(pk__in=[point.pk for point in again]).update(state=PointState.OPEN, error="")
    for job in _enqueue(found, again):
        if job.state in (State.FAILED, State.CANCELLED):
            jobs.retry(job=job)
    return found


def point_resumed(*, point: StudyPoint) -> None:
    """Its job runs: a point that had failed, or was cancelled with its campaign, is open again.

    Raises Conflict for a point of a study that a person cancelled.
    """
    if point.state not in (PointState.FAILED, PointState.CANCELLED):
        return
    study = _locked(point.study_id)
    if study.cancelled_by_id is not None:
        raise Conflict("This study was cancelled: try it again on its own page.")
    _running(study)
    StudyPoint.objects.filter(pk=point.pk).update(state=PointState.OPEN, error="")


def point_done(*, point: StudyPoint, outputs: StudyOutputs) -> None:
    """κ_L for its value; one whose study is being cancelled is kept."""
    study = _locked(point.study_id)
    copied = "irreducible supercells atoms_per_supercell evaluations dynamical lowest note engine_version seconds parts"
    mesh = outputs.mesh
    StudyPoint.objects.filter(pk=point.pk, state__in=(PointState.OPEN, PointState.CANCELLED)).update(
        state=PointState.DONE,
        error="",
        finished_at=Now(),
        principal=list(outputs.principal),
        uvw=list(outputs.uvw),
        mesh=list(mesh.numbers),
        mesh_rule=mesh.rule,
        mesh_length=mesh.length,
        mesh_points=mesh.points,
        supercell=[list(row) for row in outputs.supercell],
        **{name: getattr(outputs, name) for name in copied.split()},
    )
    _settle(study)


def point_failed(*, point_id: int, message: str) -> None:
    """It stands with what happened; the others go on."""
    study = _locked(StudyPoint.objects.values_list("study_id", flat=True).get(pk=point_id))
    rows = StudyPoint.objects.filter(pk=point_id, state=PointState.OPEN)
    rows.update(state=PointState.FAILED, error=message.strip(), finished_at=Now())
    _settle(study)


@transaction.atomic
def studies_reconcile() -> None:
    """Studies whose jobs were cancelled with their campaign or on their own pages."""
    for pk in KappaStudy.objects.filter(state=StudyState.RUNNING).values_list("pk", flat=True):
        study = _locked(pk)
        over = Job.objects.filter(group=study_group(study), state=State.CANCELLED).values_list("units", flat=True)
        points = study.points.filter(pk__in=[int(units[0]) for units in over], state=PointState.OPEN)
        if points.update(state=PointState.CANCELLED, finished_at=Now()):
            _settle(study)


# --- the rows --------------------------------------------------------------------------------------------------------


def _created(candidate: Candidate, plan: KappaPlan, chosen: Varied, values: Sequence[float], user: Any) -> KappaStudy:
    try:
        with transaction.atomic():
            return KappaStudy.objects.create(
                candidate=candidate,
                plan=plan,
                parameter=chosen.name,
                values=list(values),
                settings=asdict(conductivity_settings(plan.settings)),
                requested_by=user,
            )
    except IntegrityError as error:
        raise Conflict(f"A study of the {chosen.title.lower()} of this crystal runs already.") from error


def _point(study: KappaStudy, chosen: Varied, order: int, value: float) -> StudyPoint:
    """A point to compute, or one that is done because an equal one is."""
    potential = study.plan.potential
    weights = potential.sha256 or f"{potential.pk} {potential.version}"
    settings = altered(study.settings, chosen, value)
    digest = point_digest(study.plan.primitive.digest, weights, settings)
    point = StudyPoint(study=study, order=order, value=value, digest=digest)
    equal = StudyPoint.objects.filter(digest=digest, state=PointState.DONE).order_by("id").first()
    if equal is not None:
        point.state, point.taken_from, point.finished_at = PointState.DONE, equal, equal.finished_at
        for name in TAKEN.split():
            setattr(point, name, getattr(equal, name))
    return point


def _enqueue(study: KappaStudy, points: Iterable[StudyPoint]) -> list[Job]:
    """A job a point, the least value first."""
    chosen = varied(study.parameter, conductivity_settings(study.settings))
    specs = [_spec(study, chosen, point) for point in points]
    return jobs.enqueue(specs, group=study_group(study)) if specs else []


def _spec(study: KappaStudy, chosen: Varied, point: StudyPoint) -> JobSpec:
    """Where and how long a κ_L of the plan may be computed, longer by as much as this value is expected to take."""
    plan, (minutes,) = study.plan, minutes_of_values(study.plan, chosen, [point.value])
    longer = max(1.0, minutes / plan.expected_minutes) if plan.expected_minutes else 1.0
    limit = 3600 + 60 * SLOWER * minutes + SECONDS_PER_EVALUATION * plan.evaluations * longer
    return JobSpec(
        kind=STAGE,
        units=(str(point.pk),),
        params={"settings": point.digest},
        label=f"κ_L of {study.candidate}, {chosen.title.lower()} {point.value:g} {chosen.unit}",
        queue=plan_job(plan).queue,
        time_limit_s=int(min(limit, LONGEST_S)),
    )


def _locked(pk: int) -> KappaStudy:
    joined = ("candidate__campaign", "plan__potential", "requested_by")
    return KappaStudy.objects.select_related(*joined).select_for_update(of=("self",)).get(pk=pk)


def _running(study: KappaStudy) -> None:
    """DONE or CANCELLED → RUNNING. Raises Conflict while another study of the parameter runs."""
    if study.state == StudyState.RUNNING:
        return
    try:
        with transaction.atomic():
            _set(study, state=StudyState.RUNNING, finished_at=None, cancelled_by=None, cancelled_at=None)
    except IntegrityError as error:
        raise Conflict("Another study of this parameter runs: wait until it is over, or cancel it.") from error


def _settle(study: KappaStudy) -> None:
    """RUNNING → DONE once no point is open; → CANCELLED where some were cancelled with their jobs."""
    if study.state != StudyState.RUNNING or study.points.filter(state=PointState.OPEN).exists():
        return
    if study.points.filter(state=PointState.CANCELLED).exists():
        _cancelled(study, by=None)
    else:
        _set(study, state=StudyState.DONE, finished_at=Now())
    study.refresh_from_db(fields=["finished_at", "cancelled_at"])


def _cancelled(study: KappaStudy, *, by: Any) -> None:
    study.points.filter(state=PointState.OPEN).update(state=PointState.CANCELLED, finished_at=Now())
    _set(study, state=StudyState.CANCELLED, cancelled_by=by, cancelled_at=Now(), finished_at=Now())
    study.refresh_from_db(fields=["finished_at", "cancelled_at"])


def _set(study: KappaStudy, **values: Any) -> None:
    KappaStudy.objects.filter(pk=study.pk).update(**values)
    for name, value in values.items():
        setattr(study, name, value)
