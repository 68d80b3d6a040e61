"""How training meets the database."""

from __future__ import annotations

from collections.abc import Mapping

from apps.artifacts.services import path_of_digest
from apps.jobs.bindings import Binding, Loaded
from apps.jobs.models import Job
from apps.training.selectors import TEACHER, model_files, model_get, potential_ref
from apps.training.services import STAGE, training_done, training_failed
from kappakit.stages.contracts import TrainInputs, TrainOutputs

DATA_SET = "dataset.extxyz"


def _model_id(job: Job) -> int:
    (unit,) = job.units
    return int(unit)


def load(job: Job) -> Loaded:
    """The training's configuration, its data set and its teacher."""
    model = model_get(_model_id(job))
    teacher = model.teacher
    files = {DATA_SET: str(path_of_digest(model.data_set.sha256))}
    if teacher is not None:
        files |= model_files(teacher, TEACHER)
    inputs = TrainInputs(
        configuration=model.configuration,
        dataset=DATA_SET,
        seed=model.seed,
        always_train=tuple(model.always_train),
        overrides=dict(model.overrides),
        teacher=potential_ref(teacher, TEACHER) if teacher else None,
    )
    return Loaded(inputs, files=files)


def files(outputs: TrainOutputs) -> dict[str, str]:
    """Each file of the trained model, by its name."""
    return {name: f"{outputs.folder}/{name}" for name in outputs.files}


def save(job: Job, outputs: TrainOutputs, artifacts: Mapping[str, int]) -> set[int]:
    """The model is ready; no candidate changes."""
    training_done(model_id=_model_id(job), outputs=outputs, files=artifacts)
    return set()


def failed(job: Job, message: str) -> set[int]:
    """The training failed for good; it may be resumed."""
    training_failed(model_id=_model_id(job), message=message)
    return set()


BINDINGS = (Binding(STAGE, load=load, save=save, files=files, failed=failed),)
