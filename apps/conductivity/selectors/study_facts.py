"""What a convergence study shows: κ_L of its points, how far each is, what is left."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, QuerySet

from apps.conductivity.models import KappaStudy, PointState, StudyPoint, StudyState
from apps.conductivity.selectors import conductivity_settings
from apps.conductivity.selectors.studies import minutes_of_values, study_group
from apps.conductivity.study_values import Varied, varied
from apps.jobs.models import Job, State
from apps.jobs.selectors import why_waiting
from apps.structures.models import Candidate

SAME = 1e-9
"""Shares within which two values of κ_L are those of one calculation: rounding differs by less, settings by more."""
SAME_WHAT = {"mesh": "mesh", "cutoff": "pairs of atoms", "supercell": "supercell", "displacement": "forces"}


@dataclass(frozen=True)
class StudyPointFacts:
    """κ_L for one value, by RTA at the study's temperature.

    principal: descending; `change`: of the largest principal value from the point before, as a share of this one's,
    None where both are one and the same calculation; `words`: how far it is, or that; `taken_from`: the study that
    computed it, where an earlier one did.
    """

    order: int
    value: float
    present: bool
    state: str
    words: str
    error: str
    expected_minutes: float
    principal: tuple[float, ...]
    uvw: tuple[str, ...]
    change: float | None
    mesh: tuple[int, ...]
    mesh_rule: str
    mesh_length: float | None
    mesh_points: int | None
    irreducible: int | None
    supercell: tuple[tuple[int, ...], ...]
    supercells: int | None
    atoms_per_supercell: int | None
    evaluations: int | None
    dynamical: str
    lowest: float | None
    note: str
    engine_version: str
    seconds: float | None
    job: int | None
    taken_from: int | None


@dataclass(frozen=True)
class StudyFacts:
    """A series. `fields` of the settings that have each value in turn, `present` their value in the plan's settings.

    minutes_left: expected, by what the points that are done took; None where nothing is left.
    """

    id: int
    candidate_id: int
    campaign_id: int
    parameter: str
    title: str
    label: str
    unit: str
    fields: tuple[str, ...]
    present: float
    temperature: float
    potential: str
    potential_id: int
    state: str
    state_words: str
    requested_by: str
    created_at: datetime
    finished_at: datetime | None
    cancelled_by: str
    cancelled_at: datetime | None
    done: int
    failed: int
    minutes_left: float | None
    points: tuple[StudyPointFacts, ...]


def studies_of(candidate: Candidate) -> tuple[StudyFacts, ...]:
    """All of a candidate, newest first."""
    rows = KappaStudy.objects.filter(candidate=candidate).order_by("-id")
    joined = rows.select_related("candidate", "plan__potential", "requested_by", "cancelled_by")
    return study_facts(joined.prefetch_related(Prefetch("points", _points())))


def study_facts(studies: Iterable[KappaStudy]) -> tuple[StudyFacts, ...]:
    """Each with its points, and how far their jobs are."""
    rows = list(studies)
    jobs = _jobs(rows)
    return tuple(_facts(row, jobs) for row in rows)


def _points() -> QuerySet[StudyPoint]:
    return StudyPoint.objects.select_related("taken_from").order_by("order")


def _jobs(studies: Sequence[KappaStudy]) -> dict[int, Job]:
    """point → its newest job."""
    rows = Job.objects.filter(group__in=[study_group(study) for study in studies]).order_by("id")
    return {int(job.units[0]): job for job in rows}


def _facts(study: KappaStudy, jobs: dict[int, Job]) -> StudyFacts:
    settings = conductivity_settings(study.settings)
    parameter = varied(study.parameter, settings)
    points = _point_facts(study, parameter, jobs)
    return StudyFacts(
        id=study.pk,
        candidate_id=study.candidate_id,
        campaign_id=study.candidate.campaign_id,
        parameter=study.parameter,
        title=parameter.title,
        label=parameter.label,
        unit=parameter.unit,
        fields=parameter.fields,
        present=parameter.present,
        temperature=settings.temperature,
        potential=study.plan.potential.name,
        potential_id=study.plan.potential_id,
        state=study.state,
        state_words=_state_words(study, points),
        requested_by=str(study.requested_by),
        created_at=study.created_at,
        finished_at=study.finished_at,
        cancelled_by=str(study.cancelled_by or ""),
        cancelled_at=study.cancelled_at,
        done=sum(point.state == PointState.DONE for point in points),
        failed=sum(point.state == PointState.FAILED for point in points),
        minutes_left=_minutes_left(points),
        points=points,
    )


def _point_facts(study: KappaStudy, parameter: Varied, jobs: dict[int, Job]) -> tuple[StudyPointFacts, ...]:
    rows = sorted(study.points.all(), key=lambda row: row.order)
    minutes = minutes_of_values(study.plan, parameter, [row.value for row in rows])
    words = _words(rows, jobs)
    found: list[StudyPointFacts] = []
    before: StudyPoint | None = None
    for row, expected in zip(rows, minutes, strict=True):
        step = _Step(row, before, parameter)
        job = jobs.get(row.pk)
        found.append(_point(step, expected, words.get(row.pk) or step.words, job.pk if job else None))
        before = row if row.principal else before
    return tuple(found)


@dataclass(frozen=True)
class _Step:
    """A point, and the nearest one before it that has a κ_L."""

    row: StudyPoint
    before: StudyPoint | None
    parameter: Varied

    @property
    def same(self) -> bool:
        """Whether the two values ask for one and the same calculation: neighbouring lengths may give one mesh."""
        if self.before is None or not self.row.principal:
            return False
        pairs = zip(self.row.principal, self.before.principal, strict=True)
        return all(math.isclose(one, other, rel_tol=SAME) for one, other in pairs)

    @property
    def change(self) -> float | None:
        if self.before is None or not self.row.principal or self.same:
            return None
        return (self.row.principal[0] - self.before.principal[0]) / self.row.principal[0]

    @property
    def words(self) -> str:
        """'the same mesh as at 8 Å', else ''."""
        if not self.same or self.before is None:
            return ""
        return f"the same {SAME_WHAT[self.parameter.name]} as at {self.before.value:g} {self.parameter.unit}"


def _point(step: _Step, expected: float, words: str, job: int | None) -> StudyPointFacts:
    row = step.row
    copied = (
        "order value state error mesh_rule mesh_length mesh_points irreducible supercells atoms_per_supercell "
        "evaluations dynamical lowest note engine_version seconds"
    )
    return StudyPointFacts(
        present=row.value == step.parameter.present,
        words=words,
        expected_minutes=expected,
        principal=tuple(row.principal),
        uvw=tuple(row.uvw),
        change=step.change,
        mesh=tuple(row.mesh),
        supercell=tuple(tuple(line) for line in row.supercell),
        job=job,
        taken_from=row.taken_from.study_id if row.taken_from else None,
        **{name: getattr(row, name) for name in copied.split()},
    )


def _words(rows: Sequence[StudyPoint], jobs: dict[int, Job]) -> dict[int, str]:
    """What happens to the open points; why it waits is asked for the first that does."""
    found: dict[int, str] = {}
    waits = False
    for row in rows:
        job = jobs.get(row.pk)
        if row.state == PointState.OPEN and job is not None:
            found[row.pk] = (
                _running_words(job) if job.state == State.RUNNING else "queued" if waits else why_waiting(job)
            )
            waits |= job.state != State.RUNNING
    return found


def _running_words(job: Job) -> str:
    counted = f", {job.progress_done} of {job.progress_total}" if job.progress_total > 1 else ""
    return f"computing: {job.progress_note}{counted}" if job.progress_note else "computing"


def _state_words(study: KappaStudy, points: Sequence[StudyPointFacts]) -> str:
    """'Cancelled by ada; 2 of 5 points are done and kept.'"""
    done = f"{sum(point.state == PointState.DONE for point in points)} of {len(points)} points are done"
    if study.state == StudyState.CANCELLED:
        by = f" by {study.cancelled_by}" if study.cancelled_by else " with its campaign or its jobs"
        return f"Cancelled{by}; {done} and kept."
    failed = sum(point.state == PointState.FAILED for point in points)
    return f"{done}, {failed} failed." if failed else f"{done}."


def _minutes_left(points: Sequence[StudyPointFacts]) -> float | None:
    """Expected for the open points, scaled by how long those that were computed here took beside what was expected."""
    left = sum(point.expected_minutes for point in points if point.state == PointState.OPEN)
    if not left:
        return None
    timed = [point for point in points if point.seconds is not None and point.taken_from is None]
    expected = sum(point.expected_minutes for point in timed)
    return left * sum((point.seconds or 0.0) / 60 for point in timed) / expected if expected else left
