"""Training generators, and measuring them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db import transaction

from apps.artifacts import services as artifacts
from apps.core.errors import ApplicationError, Conflict
from apps.jobs import services as jobs
from apps.jobs.bindings import JobSpec
from apps.jobs.models import OPEN, Job
from apps.jobs.selectors import heavy_queue
from apps.training.models import ModelFile, ModelKind, ModelState, Part, TrainedModel, TrainingFile
from apps.training.selectors import assessment_group, is_testless, potential_for, training_group
from apps.training.services.trainings import TIME_LIMIT_S, TrainingRefused, may_train_checked, model_insert
from kappakit.stages.contracts import FINGERPRINTS, AssessOutputs

CDVAE = "cdvae"
TRAIN_STAGE, ASSESS_STAGE = "train_generator", "assess_generator"
CONFIGURATIONS = ("laptop", "carbon", "published", "tiny")
"""Names in kappakit.engines.cdvae.configurations, the one that ships first."""
SPLITS = ("given", "grouped")
ASSESSED, RECONSTRUCTED = 1000, 500
"""Crystals generated and test crystals reconstructed where nobody asks for another number."""
LARGEST_ASSESSMENT = 100_000


class AssessmentRefused(ApplicationError):
    """`detail`: field → what is wrong with it."""

    code = "assessment_refused"
    status = 400


@transaction.atomic
def generator_training_start(
    *,
    name: str,
    configuration: str,
    files: Mapping[str, tuple[str, Path]],
    split: str,
    seed: int,
    minutes: float,
    overrides: Mapping[str, Any],
    user: Any,
) -> TrainedModel:
    """A generator in TRAINING and its job. `files`: part → (file name, path); `minutes` 0: all steps.

    Raises NotAllowed, TrainingRefused (name, configuration, train, files, split, minutes), Conflict for a name that is
    taken.
    """
    may_train_checked(user)
    _asked_checked(name, configuration, files, split, minutes)
    model = model_insert(
        kind=ModelKind.GENERATOR,
        name=name.strip(),
        engine=CDVAE,
        configuration=configuration,
        overrides=dict(overrides),
        options={"split": split, "minutes": minutes},
        seed=seed,
        created_by=user,
    )
    for part, (file_name, path) in files.items():
        artifact = artifacts.store(path, kind="data-set", name=file_name)
        TrainingFile.objects.create(model=model, part=part, file_name=file_name[:255], artifact=artifact)
    _enqueue(TRAIN_STAGE, model, {}, f"Train {model.name}", training_group(model.pk))
    return model


@transaction.atomic
def assessment_start(*, model: TrainedModel, count: int, reconstructed: int, user: Any) -> Job:
    """Measure a generator on its test crystals, energies by a shipped potential; the figures go to its card.

    Raises NotAllowed, AssessmentRefused (count, reconstructed), Conflict while it is being measured or trained, and
    for one without test crystals.
    """
    may_train_checked(user)
    problems = {
        field: f"must lie between 1 and {LARGEST_ASSESSMENT}"
        for field, value in (("count", count), ("reconstructed", reconstructed))
        if not 1 <= value <= LARGEST_ASSESSMENT
    }
    if problems:
        raise AssessmentRefused("; ".join(f"{f}: {p}" for f, p in problems.items()), detail=problems)
    if model.kind != ModelKind.GENERATOR or model.state != ModelState.READY:
        raise Conflict("Only a generator that is ready can be measured.")
    if is_testless(model):
        raise Conflict("The generator was trained without test crystals: there is nothing to measure it against.")
    group = assessment_group(model.pk)
    if Job.objects.filter(group=group, state__in=OPEN).exists():
        raise Conflict("It is being measured already.")
    potential = potential_for(model.species)
    params = {
        "count": count,
        "reconstructed": reconstructed,
        "potential": potential.pk if potential else None,
        "number": Job.objects.filter(group=group).count(),
    }
    return _enqueue(ASSESS_STAGE, model, params, f"Measure {model.name}", group)


def assessment_done(
    *, model_id: int, outputs: AssessOutputs, files: Mapping[str, int], potential: TrainedModel | None = None
) -> None:
    """The figures on the card, null where there is none, with the potential that gave the energies; fingerprints of the
    test crystals beside the weights."""
    model = TrainedModel.objects.select_for_update().get(pk=model_id)
    quality = json.loads(outputs.quality, parse_constant=lambda _: None)
    if potential is not None:
        quality["potential"] = {"name": potential.name, "sha256": potential.sha256}
    TrainedModel.objects.filter(pk=model_id).update(card={**model.card, "quality": quality})
    ModelFile.objects.get_or_create(model=model, name=FINGERPRINTS, defaults={"artifact_id": files[FINGERPRINTS]})


def _enqueue(stage: str, model: TrainedModel, params: Mapping[str, Any], label: str, group: str) -> Job:
    spec = JobSpec(stage, (str(model.pk),), params, label, heavy_queue(), time_limit_s=TIME_LIMIT_S)
    (job,) = jobs.enqueue([spec], group=group)
    return job


def _asked_checked(name: str, configuration: str, files: Mapping[str, Any], split: str, minutes: float) -> None:
    problems = {}
    if not name.strip():
        problems["name"] = "must not be empty"
    if configuration not in CONFIGURATIONS:
        problems["configuration"] = f"must be one of {', '.join(CONFIGURATIONS)}"
    if Part.TRAIN not in files:
        problems["train"] = "give a file of crystals to learn from"
    if unknown := set(files) - set(Part.values):
        problems["files"] = f"there is no part {', '.join(sorted(unknown))}"
    if split not in SPLITS:
        problems["split"] = f"must be one of {', '.join(SPLITS)}"
    if not 0 <= minutes < math.inf:
        problems["minutes"] = "must be 0 or more"
    if problems:
        raise TrainingRefused("; ".join(f"{f}: {p}" for f, p in problems.items()), detail=problems)
