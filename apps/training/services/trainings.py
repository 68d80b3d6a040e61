"""Training potentials; cancelling, resuming and ending any training."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from apps.artifacts import services as artifacts
from apps.artifacts.models import Artifact
from apps.core.errors import ApplicationError, Conflict, NotAllowed
from apps.jobs import services as jobs
from apps.jobs.bindings import HEAVY, JobSpec
from apps.jobs.models import OPEN, Job, State
from apps.training.geometries import teaching_set
from apps.training.models import ModelFile, ModelState, TrainedModel
from apps.training.selectors import training_group
from kappakit.stages.contracts import TrainGeneratorOutputs, TrainOutputs

ALLEGRO = "allegro"
STAGE = "train_potential"
TIME_LIMIT_S = 7 * 24 * 3600
MAY_TRAIN = "accounts.create_campaigns"


class TrainingRefused(ApplicationError):
    """`detail`: field → what is wrong with it."""

    code = "training_refused"
    status = 400


@transaction.atomic
def training_start(
    *,
    name: str,
    configuration: str,
    data_set: Path | None,
    teacher: TrainedModel | None,
    seed: int,
    overrides: Mapping[str, Any],
    user: Any,
    always_train: Sequence[str] = (),
) -> TrainedModel:
    """A model in TRAINING and its job. `data_set`: a labelled extended XYZ file; without labels when a `teacher` labels
    it; with a teacher and no file, disturbed reference crystals.

    Raises NotAllowed, TrainingRefused (name, data_set, teacher), Conflict for a name that is taken.
    """
    may_train_checked(user)
    _asked_checked(name, data_set, teacher)
    model = model_insert(
        name=name.strip(),
        engine=ALLEGRO,
        configuration=configuration,
        overrides=dict(overrides),
        always_train=list(always_train),
        seed=seed,
        data_set=_data_set(data_set, teacher, seed),
        teacher=teacher,
        created_by=user,
    )
    spec = JobSpec(STAGE, (str(model.pk),), {}, f"Train {model.name}", HEAVY, time_limit_s=TIME_LIMIT_S)
    jobs.enqueue([spec], group=training_group(model.pk))
    return model


def may_train_checked(user: Any) -> None:
    """Raise NotAllowed for who may not train models."""
    if not user.has_perm(MAY_TRAIN):
        raise NotAllowed("You may not train models. Ask an administrator for the permission to create campaigns.")


@transaction.atomic
def training_cancel(*, model: TrainedModel, user: Any) -> TrainedModel:
    """TRAINING → CANCELLED; its job is asked to stop and leaves its checkpoint."""
    _own(model, user)
    moved = _move(model, [ModelState.TRAINING], ModelState.CANCELLED, finished_at=Now())
    jobs.cancel(jobs=Job.objects.filter(group=training_group(model.pk), state__in=OPEN))
    return moved


@transaction.atomic
def training_resume(*, model: TrainedModel, user: Any) -> TrainedModel:
    """FAILED or CANCELLED → TRAINING, from the checkpoint. Raises Conflict while the old attempt is being stopped."""
    _own(model, user)
    moved = _move(model, [ModelState.FAILED, ModelState.CANCELLED], ModelState.TRAINING, finished_at=None, error="")
    rows = Job.objects.filter(group=training_group(model.pk))
    if rows.filter(state=State.RUNNING).exists():
        raise Conflict("The training is still being stopped: try again in a few seconds.")
    for job in rows.filter(state__in=(State.FAILED, State.CANCELLED)):
        jobs.retry(job=job)
    return moved


def training_done(*, model_id: int, outputs: TrainOutputs | TrainGeneratorOutputs, files: Mapping[str, int]) -> None:
    """TRAINING → READY with files, card and curve. One that was cancelled too late is READY all the same."""
    card = json.loads(outputs.card)
    row = TrainedModel.objects.filter(pk=model_id)
    row.filter(state=ModelState.CANCELLED).update(state=ModelState.TRAINING)
    row.filter(state=ModelState.TRAINING).update(
        state=ModelState.READY,
        sha256=outputs.sha256,
        curve=outputs.curve.tolist(),
        finished_at=Now(),
        **facts_of_card(card),
    )
    ModelFile.objects.bulk_create(
        ModelFile(model_id=model_id, name=name, artifact_id=artifact) for name, artifact in sorted(files.items())
    )


def model_trained(
    *,
    name: str,
    configuration: str,
    overrides: Mapping[str, Any],
    seed: int,
    options: Mapping[str, Any],
    created_by: Any,
    outputs: TrainOutputs,
    files: Mapping[str, int],
) -> TrainedModel:
    """A READY potential that a campaign trained for itself; raises Conflict for a name that is taken."""
    model = model_insert(
        name=name,
        engine=ALLEGRO,
        configuration=configuration,
        overrides=dict(overrides),
        seed=seed,
        options=dict(options),
        created_by=created_by,
    )
    training_done(model_id=model.pk, outputs=outputs, files=files)
    model.refresh_from_db()
    return model


def training_failed(*, model_id: int, message: str) -> None:
    """TRAINING → FAILED, with what the job said."""
    rows = TrainedModel.objects.filter(pk=model_id, state=ModelState.TRAINING)
    rows.update(state=ModelState.FAILED, error=message, finished_at=Now())


def facts_of_card(card: Mapping[str, Any]) -> dict[str, Any]:
    """What a model's row takes from its card."""
    return {
        "card": dict(card),
        "version": str(card.get("version", ""))[:200],
        "species": list(card.get("species", [])),
        "warning": str(card.get("warning", "")),
    }


def _asked_checked(name: str, data_set: Path | None, teacher: TrainedModel | None) -> None:
    problems = {}
    if not name.strip():
        problems["name"] = "must not be empty"
    if data_set is None and teacher is None:
        problems["data_set"] = "give a labelled data set, or a teacher that labels reference crystals"
    if teacher is not None and teacher.state != ModelState.READY:
        problems["teacher"] = "is not ready"
    if problems:
        raise TrainingRefused("; ".join(f"{f}: {p}" for f, p in problems.items()), detail=problems)


def _data_set(path: Path | None, teacher: TrainedModel | None, seed: int) -> Artifact:
    if path is not None:
        return artifacts.store(path, kind="data-set")
    text = teaching_set(species=frozenset(teacher.species if teacher else ()), seed=seed)
    return artifacts.store_bytes(text.encode(), kind="data-set", name="reference-crystals.extxyz")


def model_insert(**values: Any) -> TrainedModel:
    """A new row; raises Conflict for a name that is taken."""
    try:
        with transaction.atomic():
            return TrainedModel.objects.create(**values)
    except IntegrityError as error:
        raise Conflict(f"There is a model “{values['name']}” already.", detail={"name": "is taken"}) from error


def _own(model: TrainedModel, user: Any) -> None:
    if not (user.is_superuser or model.created_by_id == user.pk):
        raise NotAllowed("Only who started the training, or an administrator, may do this.")


def _move(model: TrainedModel, froms: Sequence[str], to: str, **changes: Any) -> TrainedModel:
    if not TrainedModel.objects.filter(pk=model.pk, state__in=froms).update(state=to, **changes):
        model.refresh_from_db()
        raise Conflict(f"The model is {model.get_state_display()}: it cannot become {ModelState(to).label}.")
    model.refresh_from_db()
    return model
