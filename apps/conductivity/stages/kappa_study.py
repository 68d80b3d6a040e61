"""κ_L for one value of a convergence study, one point a job."""

from __future__ import annotations

from typing import Any

from apps.conductivity.models import StudyPoint
from apps.conductivity.selectors import conductivity_settings
from apps.conductivity.services.studies import point_done, point_failed, point_resumed
from apps.conductivity.study_values import STAGE, altered, varied
from apps.jobs.bindings import Binding, Loaded
from apps.jobs.models import Job
from apps.structures.selectors import crystal_of
from apps.training.selectors import model_files, potential_ref
from kappakit.stages.contracts import StudyInputs, StudyOutputs


def load(job: Job) -> Loaded:
    """The plan's primitive cell and potential, its settings with the point's value."""
    point = _point(job)
    point_resumed(point=point)
    study, plan = point.study, point.study.plan
    chosen = varied(study.parameter, conductivity_settings(study.settings))
    settings = altered(study.settings, chosen, point.value)
    inputs = StudyInputs(str(point.pk), crystal_of(plan.primitive), potential_ref(plan.potential))
    return Loaded(inputs, settings, model_files(plan.potential))


def save(job: Job, outputs: StudyOutputs, artifacts: Any) -> set[int]:
    """The point is done; no summary of a candidate shows it."""
    point_done(point=_point(job), outputs=outputs)
    return set()


def failed(job: Job, message: str) -> set[int]:
    """The point says why; the study goes on."""
    point_failed(point_id=int(job.units[0]), message=message)
    return set()


def _point(job: Job) -> StudyPoint:
    joined = ("study__plan__primitive", "study__plan__potential")
    return StudyPoint.objects.select_related(*joined).get(pk=int(job.units[0]))


BINDING = Binding(STAGE, load=load, save=save, failed=failed)
