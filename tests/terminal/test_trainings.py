"""The commands that train models and measure them: what they begin, how they follow it, how they end."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from django.core.management import CommandError, call_command

from apps.artifacts.services import store_bytes
from apps.jobs import services
from apps.jobs.models import Job, Outcome
from apps.terminal import jobs, trainings
from apps.training.models import ModelState, TrainedModel, TrainingFile
from apps.training.services import assessment_done, training_cancel, training_done
from kappakit.stages.contracts import AssessOutputs, TrainOutputs
from kappaweb import cli
from tests.apps.rows import a_model, a_user, may_create
from tests.web.world import QUALITY, a_generator

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _artifacts(settings, tmp_path: Path):
    settings.ARTIFACTS = tmp_path / "artifacts"


@pytest.fixture
def scientist(db):
    user = a_user("scientist")
    may_create(user)
    return user


@pytest.fixture
def crystals(tmp_path: Path) -> Path:
    path = tmp_path / "carbon.extxyz"
    path.write_text("2\n\nC 0 0 0\nC 1 1 1\n")
    return path


def ends(monkeypatch, state: str, and_then=lambda job: None) -> list[Job]:
    """Whoever follows a job sees it end so; the jobs that were followed."""
    followed: list[Job] = []

    def over(job, console):
        followed.append(job)
        found = services.claim(queue="heavy", owner="me", host="here", lease_s=60)
        assert found is not None
        if state == "DONE":
            and_then(job)
            services.complete(found[1], services.Ending(Outcome.DONE))
        else:
            services.fail(found[1], services.Ending(Outcome.INPUT, "out of luck"))
        job.refresh_from_db()
        return job

    monkeypatch.setattr(trainings, "follow_job", over)
    return followed


def becomes_ready(job: Job) -> None:
    card = json.dumps({"engine": "cdvae", "species": ["C"]})
    training_done(model_id=int(job.units[0]), outputs=TrainOutputs("x", "ab" * 32, card, np.empty((0, 7))), files={})


def is_measured(job: Job) -> None:
    """As the worker saves it; nothing was matched."""
    quality = {**QUALITY, "reconstruction": {"crystals": 10, "match": 0.0, "rmse": float("nan")}}
    name = "fingerprints.safetensors"
    file = store_bytes(b"fingerprints", kind=name, name=name)
    assessment_done(model_id=int(job.units[0]), outputs=AssessOutputs(json.dumps(quality)), files={name: file.pk})


def ran(*arguments: str, **options) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue()


# --- training a generator


def test_a_generator_is_trained_as_asked_and_followed_to_its_end(scientist, crystals, monkeypatch) -> None:
    followed = ends(monkeypatch, "DONE", becomes_ready)
    said = ran(
        "train_generator", "mine", "--train", str(crystals), "--test", str(crystals), "--split", "grouped",
        "--configuration", "tiny", "--minutes", "2", "--seed", "3", "--override", "steps=50",
        "--override", "target=shortest",
    )  # fmt: skip
    model = TrainedModel.objects.get()
    assert [job.group for job in followed] == [f"training:{model.pk}"]
    assert (model.kind, model.configuration, model.seed) == ("generator", "tiny", 3)
    assert model.options == {"split": "grouped", "minutes": 2.0}
    assert model.overrides == {"steps": 50.0, "target": "shortest"}
    assert set(TrainingFile.objects.values_list("part", "file_name")) == {
        ("train", "carbon.extxyz"),
        ("test", "carbon.extxyz"),
    }
    assert said == f"mine is ready: sha256 {'ab' * 32}\n"


def test_what_ships_is_trained_where_nothing_else_is_asked(scientist, crystals, monkeypatch) -> None:
    ends(monkeypatch, "DONE")
    ran("train_generator", "mine", "--train", str(crystals))
    model = TrainedModel.objects.get()
    assert (model.configuration, model.options) == ("laptop", {"split": "given", "minutes": 0.0})


def test_a_training_that_was_cancelled_is_resumed(scientist, crystals, monkeypatch) -> None:
    ends(monkeypatch, "FAILED")
    with pytest.raises(CommandError, match="out of luck"):
        ran("train_generator", "mine", "--train", str(crystals))
    model = TrainedModel.objects.get()
    training_cancel(model=model, user=scientist)
    followed = ends(monkeypatch, "DONE", becomes_ready)
    ran("train_generator", "mine")
    assert [job.state for job in followed] == ["DONE"]
    assert TrainedModel.objects.get().state == ModelState.READY


def test_a_potential_of_that_name_is_not_resumed(scientist, crystals, monkeypatch) -> None:
    ends(monkeypatch, "DONE")
    a_model("mine", state=ModelState.CANCELLED, created_by=scientist)
    with pytest.raises(CommandError, match="already"):
        ran("train_generator", "mine", "--train", str(crystals))
    assert TrainedModel.objects.get().state == ModelState.CANCELLED


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "train: give a file of crystals"),
        (["--train", "nowhere.cif"], "nowhere.cif is not a file"),
        (["--train", "FILE", "--override", "steps"], "write NAME=VALUE"),
        (["--train", "FILE", "--minutes", "-1"], "minutes"),
        (["--train", "FILE", "--minutes", "nan"], "minutes"),
        (["--train", "FILE", "--configuration", "huge"], "invalid choice"),
        (["--train", "FILE", "--split", "halves"], "invalid choice"),
        (["--train", "FILE", "--user", "nobody"], "nobody named"),
    ],
)
def test_what_cannot_be_trained_is_said_in_one_sentence(scientist, crystals, monkeypatch, arguments, says) -> None:
    followed = ends(monkeypatch, "DONE")
    with pytest.raises(CommandError, match=says):
        ran("train_generator", "mine", *(str(crystals) if word == "FILE" else word for word in arguments))
    assert followed == []
    assert not TrainedModel.objects.exists()


def test_training_takes_the_permission(db, crystals, monkeypatch) -> None:
    ends(monkeypatch, "DONE")
    a_user("guest")
    with pytest.raises(CommandError, match="You may not train models"):
        ran("train_generator", "mine", "--train", str(crystals), "--user", "guest")


def test_an_interrupt_leaves_the_training_running(scientist, crystals, monkeypatch) -> None:
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(jobs.time, "sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ran("train_generator", "mine", "--train", str(crystals))
    job = Job.objects.get()
    assert (job.state, job.cancel_requested) == ("QUEUED", False)
    assert TrainedModel.objects.get().state == ModelState.TRAINING


# --- training a potential


def test_a_potential_is_trained_by_the_same_road(scientist, monkeypatch) -> None:
    teacher = a_model("teacher", species=["C"])
    followed = ends(monkeypatch, "DONE", becomes_ready)
    said = ran("train", "carbon-tiny", "--teacher", "teacher", "--set", "epochs=2", "--always", "diamond")
    model = TrainedModel.objects.get(name="carbon-tiny")
    assert [job.group for job in followed] == [f"training:{model.pk}"]
    assert (model.kind, model.teacher, model.overrides, model.always_train) == (
        "potential",
        teacher,
        {"epochs": 2.0},
        ["diamond"],
    )
    assert "carbon-tiny is ready" in said
    with pytest.raises(CommandError, match="write NAME=NUMBER"):
        ran("train", "carbon-tiny", "--name", "other", "--teacher", "teacher", "--set", "epochs=many")
    with pytest.raises(CommandError, match="no finished model called nobody"):
        ran("train", "carbon-tiny", "--name", "other", "--teacher", "nobody")


# --- measuring


def test_a_generator_is_measured_and_its_figures_are_printed_with_units(scientist, monkeypatch) -> None:
    model = a_generator()
    followed = ends(monkeypatch, "DONE", is_measured)
    said = ran("assess_generator", "carbon-generator", "--count", "20", "--reconstructed", "10")
    (job,) = followed
    assert (job.group, job.params["count"], job.params["reconstructed"]) == (f"assessment:{model.pk}", 20, 10)
    rows = {line.split("  ")[1].strip(): line.split()[-2:] for line in said.splitlines()[1:]}
    assert rows["reconstruction of 10, matched"] == ["0.00", "%"]
    assert rows["reconstruction, RMSE"] == ["–", "(V/N)^(1/3)"]
    assert rows["COV-P"] == ["90.34", "%"]
    assert rows["density, Wasserstein distance"] == ["0.0912", "g/cm³"]
    assert rows["energy, Wasserstein distance"] == ["–", "eV/atom"]
    assert rows["time a crystal"] == ["0.2130", "s"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nobody"], "no generator called nobody"),
        (["young"], "no generator called young that is ready"),
        (["carbon-generator", "--count", "0"], "count: must lie between 1 and 100000"),
        (["carbon-generator", "--user", "guest"], "You may not train models"),
    ],
)
def test_what_cannot_be_measured_is_said_in_one_sentence(scientist, monkeypatch, arguments, says) -> None:
    followed = ends(monkeypatch, "DONE")
    a_generator()
    a_generator("young", state=ModelState.TRAINING)
    a_user("guest")
    with pytest.raises(CommandError, match=says):
        ran("assess_generator", *arguments)
    assert followed == []


def test_a_measurement_that_fails_says_why(scientist, monkeypatch) -> None:
    ends(monkeypatch, "FAILED")
    a_generator()
    with pytest.raises(CommandError, match="out of luck") as failure:
        ran("assess_generator", "carbon-generator")
    assert failure.value.returncode == 1


# --- kappaweb


@pytest.mark.parametrize(
    ("command", "manage"),
    [("train", "train"), ("train-generator", "train_generator"), ("assess-generator", "assess_generator")],
)
@pytest.mark.parametrize("code", [0, 1])
def test_kappaweb_starts_the_stack_and_passes_arguments_and_exit_code_on(monkeypatch, command, manage, code) -> None:
    asked: list[tuple] = []
    monkeypatch.setattr(cli.stack, "start", lambda places: asked.append(("start",)))
    monkeypatch.setattr(cli.stack, "manage_here", lambda places, *arguments: asked.append(arguments) or code)
    ended = CliRunner().invoke(cli.main, [command, "mine", "--count", "3"])
    assert ended.exit_code == code
    assert asked == [("start",), (manage, "mine", "--count", "3")]
    asked.clear()
    CliRunner().invoke(cli.main, [command, "--help"])
    assert asked == [(manage, "--help")]
