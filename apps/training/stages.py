"""How training meets the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace

from apps.artifacts.services import path_of_digest
from apps.jobs.bindings import Binding, Loaded
from apps.jobs.models import Job
from apps.training.models import TrainedModel
from apps.training.selectors import (
    GENERATOR,
    TEACHER,
    generator_ref,
    model_files,
    model_get,
    potential_ref,
    training_files,
)
from apps.training.services import (
    ASSESS_STAGE,
    STAGE,
    TRAIN_STAGE,
    assessment_done,
    training_done,
    training_failed,
)
from kappakit.protocol import GENERATIONS
from kappakit.stages.contracts import (
    FINGERPRINTS,
    AssessInputs,
    AssessOutputs,
    TrainGeneratorInputs,
    TrainGeneratorOutputs,
    TrainInputs,
    TrainOutputs,
)

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


def files(outputs: TrainOutputs | TrainGeneratorOutputs) -> dict[str, str]:
    """Each file of the trained model, by its name."""
    return {name: f"{outputs.folder}/{name}" for name in outputs.files}


def save(job: Job, outputs: TrainOutputs | TrainGeneratorOutputs, artifacts: Mapping[str, int]) -> set[int]:
    """The model is ready; no candidate changes."""
    training_done(model_id=_model_id(job), outputs=outputs, files=artifacts)
    return set()


def failed(job: Job, message: str) -> set[int]:
    """The training failed for good; it may be resumed."""
    training_failed(model_id=_model_id(job), message=message)
    return set()


def load_generator(job: Job) -> Loaded:
    """The files that the generator learns from, under their own names, which tell their formats."""
    model = model_get(_model_id(job))
    rows = [(part, name, f"crystals/{part}", path) for part, name, path in training_files(model)]
    inputs = TrainGeneratorInputs(
        configuration=model.configuration,
        files=tuple((part, name, place) for part, name, place, _ in rows),
        seed=model.seed,
        split=model.options.get("split", "given"),
        minutes=float(model.options.get("minutes", 0.0)),
        overrides=dict(model.overrides),
    )
    return Loaded(inputs, files={place: path for _, _, place, path in rows})


def load_assessment(job: Job) -> Loaded:
    """The generator with its data set, and the shipped potential for energies where there is one."""
    model, potential = model_get(_model_id(job)), _potential(job)
    inputs = AssessInputs(
        generator=generator_ref(model),
        count=job.params["count"],
        reconstructed=job.params["reconstructed"],
        seed=0,
        potential=potential_ref(potential) if potential else None,
    )
    settings = replace(GENERATIONS["posterior"], count=job.params["count"])
    return Loaded(
        inputs, asdict(settings), model_files(model, GENERATOR) | (model_files(potential) if potential else {})
    )


def assessed(job: Job, outputs: AssessOutputs, artifacts: Mapping[str, int]) -> set[int]:
    """The figures are on the model's card; no candidate changes."""
    assessment_done(model_id=_model_id(job), outputs=outputs, files=artifacts, potential=_potential(job))
    return set()


def _potential(job: Job) -> TrainedModel | None:
    asked = job.params.get("potential")
    return model_get(asked) if asked else None


BINDINGS = (
    Binding(STAGE, load=load, save=save, files=files, failed=failed),
    Binding(TRAIN_STAGE, load=load_generator, save=save, files=files, failed=failed),
    Binding(
        ASSESS_STAGE, load=load_assessment, save=assessed, files=lambda outputs: {FINGERPRINTS: outputs.fingerprints}
    ),
)
