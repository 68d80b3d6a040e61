"""Models: the shipped ones, and those that people train."""

from __future__ import annotations

import json
import shutil
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from ase.io import read
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from apps.accounts.models import User
from apps.artifacts.services import store_bytes
from apps.core.errors import Conflict, NotAllowed, NotThere
from apps.jobs import services as jobs
from apps.jobs.models import Job, Outcome, State
from apps.jobs.services import Ending
from apps.training import services
from apps.training.models import MOVES, ModelState, TrainedModel
from apps.training.selectors import (
    model_detail,
    model_files,
    models_list,
    potential_ref,
    potentials_ready,
)
from apps.training.stages import BINDINGS
from kappakit.stages.contracts import TrainOutputs
from tests.apps.rows import a_model, a_user, may_create

pytestmark = pytest.mark.django_db

BINDING = next(binding for binding in BINDINGS if binding.name == services.STAGE)
CARD = {"name": "carbon-laptop", "engine": "allegro", "version": "allegro 1", "species": ["C"], "seed": 4}


@pytest.fixture(autouse=True)
def _artifacts(settings, tmp_path: Path):
    settings.ARTIFACTS = tmp_path / "artifacts"


def a_scientist(name: str = "marie") -> User:
    user = a_user(name)
    may_create(user)
    return user


def a_shipped_model(root: Path, name: str = "carbon-laptop", weights: bytes = b"weights", **card) -> Path:
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "model.json").write_text("{}")
    (folder / "card.json").write_text(json.dumps(CARD | card))
    return folder


def started(user: User, **facts) -> TrainedModel:
    values = {
        "name": "mine",
        "configuration": "carbon-tiny",
        "data_set": None,
        "seed": 1,
        "overrides": {"epochs": 2},
        "user": user,
    } | facts
    if "teacher" not in values:
        values["teacher"] = a_model("teacher", species=["C"])
    return services.training_start(**values)


def trained() -> TrainOutputs:
    return TrainOutputs("checkpoint", "cd" * 32, json.dumps(CARD), np.arange(14.0).reshape(2, 7))


# --- shipped


def test_shipped_models_are_registered_once(tmp_path: Path):
    a_shipped_model(tmp_path / "models", warning="borderline at L")
    (model,) = services.shipped_models_register(tmp_path / "models")
    assert services.shipped_models_register(tmp_path / "models") == [model]
    assert (model.state, model.species, model.seed, model.warning) == (ModelState.READY, ["C"], 4, "borderline at L")
    files = model_files(model)
    assert sorted(files) == ["potential/card.json", "potential/model.json", "potential/model.safetensors"]
    assert Path(files["potential/model.safetensors"]).read_bytes() == b"weights"
    assert potential_ref(model).folder == "potential"
    assert potential_ref(model).sha256 == model.sha256
    assert list(potentials_ready()) == [model]


def test_a_storage_folder_that_was_deleted_is_filled_again(tmp_path: Path, settings):
    a_shipped_model(tmp_path / "models")
    (model,) = services.shipped_models_register(tmp_path / "models")
    shutil.rmtree(settings.ARTIFACTS)
    assert services.shipped_models_register(tmp_path / "models") == [model]
    assert all(Path(path).is_file() for path in model_files(model).values())


def test_new_weights_are_a_new_model_and_the_old_one_stays(tmp_path: Path):
    a_shipped_model(tmp_path / "models")
    (first,) = services.shipped_models_register(tmp_path / "models")
    a_shipped_model(tmp_path / "models", weights=b"better")
    (second,) = services.shipped_models_register(tmp_path / "models")
    assert (first.name, second.name.startswith("carbon-laptop ")) == ("carbon-laptop", True)


def test_a_damaged_shipped_model_is_refused(tmp_path: Path):
    a_shipped_model(tmp_path / "models", sha256="0" * 64)
    with pytest.raises(services.ModelDamaged, match="card names"):
        services.shipped_models_register(tmp_path / "models")
    (a_shipped_model(tmp_path / "models") / "model.safetensors").unlink()
    with pytest.raises(services.ModelDamaged, match=r"lacks model\.safetensors"):
        services.shipped_models_register(tmp_path / "models")


def test_without_shipped_models_there_are_none(tmp_path: Path):
    assert services.shipped_models_register(tmp_path / "models") == []


def test_the_models_of_this_project_register():
    for model in services.shipped_models_register():
        assert model.state == ModelState.READY
        assert model.sha256


# --- training


def test_a_training_is_a_model_and_one_job(tmp_path: Path):
    data = tmp_path / "frames.extxyz"
    data.write_text("frames")
    model = started(a_scientist(), data_set=data, always_train=["diamond"])
    job = Job.objects.get(group=f"training:{model.pk}")
    loaded = BINDING.load(job)
    assert (loaded.inputs.configuration, loaded.inputs.seed, loaded.inputs.overrides) == (
        "carbon-tiny",
        1,
        {"epochs": 2},
    )
    assert loaded.inputs.always_train == ("diamond",)
    assert Path(loaded.files[loaded.inputs.dataset]).read_text() == "frames"
    assert loaded.inputs.teacher.name == "teacher"


def test_a_teacher_without_a_data_set_teaches_disturbed_reference_crystals(tmp_path: Path):
    model = started(a_scientist())
    path = Path(BINDING.load(Job.objects.get()).files["dataset.extxyz"])
    frames = read(path, index=":", format="extxyz")
    groups = {frame.info["group"] for frame in frames}
    assert {"diamond", "lonsdaleite"} <= groups
    assert len(frames) == 7 * len(groups)
    assert all(set(frame.symbols) == {"C"} for frame in frames)
    assert model.data_set.name == "reference-crystals.extxyz"


def test_what_is_missing_is_named():
    with pytest.raises(services.TrainingRefused) as refused:
        started(a_scientist(), name=" ", teacher=None)
    assert set(refused.value.detail) == {"name", "data_set"}
    with pytest.raises(services.TrainingRefused, match="not ready"):
        started(a_scientist("pierre"), teacher=a_model("young", state=ModelState.TRAINING))


def test_training_takes_the_permission_and_a_free_name():
    with pytest.raises(NotAllowed):
        started(a_user("guest"), teacher=None)
    with pytest.raises(Conflict):
        started(a_scientist(), name="teacher")


def test_a_trained_model_is_ready_with_card_curve_and_files():
    model = started(a_scientist())
    outputs = trained()
    kinds = BINDING.files(outputs)
    assert kinds["model.json"] == "checkpoint/model.json"
    artifacts = {kind: store_bytes(kind.encode(), kind=kind, name=kind).pk for kind in kinds}
    assert BINDING.save(Job.objects.get(), outputs, artifacts) == set()
    detail = model_detail(model.pk)
    assert (detail.model.state, detail.model.sha256, detail.model.version) == (ModelState.READY, "cd" * 32, "allegro 1")
    assert detail.curve["epoch"] == [0.0, 7.0]
    assert detail.curve["seconds"] == [6.0, 13.0]
    assert {file.name for file in detail.files} == set(kinds)


def test_a_failed_training_says_why_and_can_be_resumed():
    user = a_scientist()
    model = started(user)
    found = jobs.claim(queue="heavy", owner="me", host="here", lease_s=60)
    jobs.fail(found[1], Ending(Outcome.INPUT, "three groups are needed"))
    BINDING.failed(found[0], "three groups are needed")
    model.refresh_from_db()
    assert (model.state, model.error) == (ModelState.FAILED, "three groups are needed")
    services.training_resume(model=model, user=user)
    assert (model.state, Job.objects.get().state) == (ModelState.TRAINING, State.QUEUED)


def test_a_training_is_cancelled_by_who_started_it():
    user = a_scientist()
    model = started(user)
    with pytest.raises(NotAllowed):
        services.training_cancel(model=model, user=a_user("other"))
    services.training_cancel(model=model, user=user)
    assert (model.state, Job.objects.get().state) == (ModelState.CANCELLED, State.CANCELLED)
    services.training_resume(model=model, user=user)
    assert Job.objects.get().state == State.QUEUED


def test_a_training_that_ended_before_it_heard_of_the_cancelling_is_ready():
    user = a_scientist()
    model = started(user)
    services.training_cancel(model=model, user=user)
    BINDING.save(Job.objects.get(), trained(), {})
    model.refresh_from_db()
    assert model.state == ModelState.READY


@pytest.mark.parametrize("state", ModelState.values)
def test_the_database_refuses_every_other_move_of_a_model(state: str):
    model = a_model("m", state=state)
    for other in set(ModelState.values) - {state}:
        with transaction.atomic():
            legal = other in MOVES.get(ModelState(state), ())
            assert moved(other, model.pk) == legal
            transaction.set_rollback(True)


def moved(state: str, pk: int) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE training_trainedmodel SET state = %s WHERE id = %s", [state, pk])
    except DatabaseError:
        return False
    return True


def test_a_model_that_does_not_exist_is_not_there():
    with pytest.raises(NotThere):
        model_detail(1)


def test_the_list_of_models_is_one_query(django_assert_num_queries):
    teacher = a_model("teacher")
    a_model("pupil", teacher=teacher)
    with django_assert_num_queries(1):
        assert [(row.name, row.campaign_count) for row in models_list()] == [("pupil", 0), ("teacher", 0)]


def test_an_installation_begins_with_references_models_and_three_people():
    out = StringIO()
    call_command("seed", stdout=out)
    call_command("seed", stdout=out)
    people = {user.username: user for user in User.objects.all()}
    assert set(people) == {"admin", "scientist", "approver"}
    assert not any(user.has_usable_password() for user in people.values())
    assert people["scientist"].has_perm("accounts.create_campaigns")
    assert not people["approver"].has_perm("accounts.create_campaigns")
    assert people["admin"].is_superuser
