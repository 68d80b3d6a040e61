"""Generators as models: how a stage gets them, what an assessment leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apps.artifacts.services import store_bytes
from apps.core.errors import Conflict, NotAllowed
from apps.jobs.bindings import Binding
from apps.jobs.models import Job
from apps.training import services
from apps.training.models import ModelState, TrainedModel
from apps.training.selectors import generators_ready, model_detail, potentials_ready, quality_of
from apps.training.stages import BINDINGS
from kappakit.protocol import GENERATIONS
from kappakit.stages.contracts import FINGERPRINTS, AssessOutputs, TrainGeneratorOutputs
from tests.apps.rows import a_model, a_user, may_create

pytestmark = pytest.mark.django_db

CARD = {"engine": "cdvae", "version": "cdvae 1", "species": ["C"], "data": {"train": 9, "test": 3}}
QUALITY: dict[str, Any] = {
    "settings": {"sampler": "annealed", "tries": 3, "prior": "posterior"},
    "reconstruction": {"crystals": 3, "match": 0.0, "rmse": float("nan")},
    "generation": {"crystals": 20, "seconds_each": 0.1, "valid": 1.0, "plausible": 0.9, "recall": 0.8,
                   "precision": 0.7, "density_wasserstein": 0.1},
}  # fmt: skip


@pytest.fixture(autouse=True)
def _artifacts(settings, tmp_path: Path):
    settings.ARTIFACTS = tmp_path / "artifacts"


@pytest.fixture
def scientist(db):
    user = a_user("marie")
    may_create(user)
    return user


@pytest.fixture
def crystals(tmp_path: Path) -> Path:
    path = tmp_path / "upload"
    path.write_text("crystals")
    return path


def binding(name: str) -> Binding:
    return next(found for found in BINDINGS if found.name == name)


def started(user, crystals: Path, **changes) -> TrainedModel:
    asked = {
        "name": "mine", "configuration": "tiny", "files": {"train": ("train.csv", crystals)}, "split": "grouped",
        "seed": 4, "minutes": 2.5, "overrides": {"steps": 5}, "user": user,
    }  # fmt: skip
    return services.generator_training_start(**(asked | changes))


def a_generator(**facts) -> TrainedModel:
    return a_model("generator", **{"kind": "generator", "engine": "cdvae", "card": CARD} | facts)


def assessed(job: Job) -> None:
    name = FINGERPRINTS
    file = store_bytes(b"fingerprints", kind=name, name=name)
    binding(services.ASSESS_STAGE).save(job, AssessOutputs(json.dumps(QUALITY)), {name: file.pk})


def test_the_stage_gets_the_files_under_their_own_names(scientist, crystals) -> None:
    model = started(scientist, crystals)
    loaded = binding(services.TRAIN_STAGE).load(Job.objects.get(group=f"training:{model.pk}"))
    ((part, name, place),) = loaded.inputs.files
    assert (part, name, Path(loaded.files[place]).read_text()) == ("train", "train.csv", "crystals")
    assert (loaded.inputs.configuration, loaded.inputs.split, loaded.inputs.seed) == ("tiny", "grouped", 4)
    assert (loaded.inputs.minutes, loaded.inputs.overrides) == (2.5, {"steps": 5})


def test_a_trained_generator_is_ready_with_a_curve_by_its_own_columns(scientist, crystals) -> None:
    model = started(scientist, crystals)
    assert list(generators_ready()) == []
    outputs = TrainGeneratorOutputs("checkpoint", "cd" * 32, json.dumps(CARD), np.arange(22.0).reshape(2, 11), ())
    binding(services.TRAIN_STAGE).save(Job.objects.get(), outputs, {})
    detail = model_detail(model.pk)
    assert detail.model.state == ModelState.READY
    assert (detail.curve["step"], detail.curve["seconds"]) == ([0.0, 11.0], [10.0, 21.0])
    assert (list(generators_ready()), list(potentials_ready())) == ([model], [])


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("name", {"name": " "}),
        ("configuration", {"configuration": "huge"}),
        ("train", {"files": {}}),
        ("split", {"split": "halves"}),
        ("minutes", {"minutes": -1.0}),
        ("minutes", {"minutes": float("nan")}),
        ("minutes", {"minutes": float("inf")}),
    ],
)
def test_what_is_missing_or_wrong_is_named(scientist, crystals, field, changes) -> None:
    with pytest.raises(services.TrainingRefused) as refused:
        started(scientist, crystals, **changes)
    assert set(refused.value.detail) == {field}
    assert not TrainedModel.objects.exists()


def test_training_and_measuring_take_the_permission(crystals) -> None:
    guest = a_user("guest")
    with pytest.raises(NotAllowed):
        started(guest, crystals)
    with pytest.raises(NotAllowed):
        services.assessment_start(model=a_generator(), count=1, reconstructed=1, user=guest)


def test_an_assessment_is_one_job_at_a_time_and_may_be_repeated(scientist) -> None:
    model = a_generator()
    job = services.assessment_start(model=model, count=20, reconstructed=3, user=scientist)
    with pytest.raises(Conflict, match="being measured"):
        services.assessment_start(model=model, count=20, reconstructed=3, user=scientist)
    loaded = binding(services.ASSESS_STAGE).load(job)
    assert (loaded.inputs.count, loaded.inputs.reconstructed, loaded.inputs.generator.name) == (20, 3, model.name)
    assert loaded.settings["sampler"] == GENERATIONS["posterior"].sampler
    Job.objects.filter(pk=job.pk).update(state="CANCELLED")
    again = services.assessment_start(model=model, count=20, reconstructed=3, user=scientist)
    assert again.pk != job.pk


def test_the_energies_are_those_of_the_newest_shipped_potential_that_knows_the_elements(scientist) -> None:
    shipped = a_model("shipped", species=["B", "C"])
    a_model("other", species=["Si"])
    a_model("bad", species=["C"], warning="soft")
    a_model("own", species=["C"], created_by=scientist)
    model = a_generator(species=["C"])
    job = services.assessment_start(model=model, count=20, reconstructed=3, user=scientist)
    file = store_bytes(b"weights", kind="model.safetensors", name="model.safetensors")
    shipped.files.create(name="model.safetensors", artifact=file)
    loaded = binding(services.ASSESS_STAGE).load(job)
    assert (loaded.inputs.potential.name, loaded.inputs.potential.folder) == ("shipped", "potential")
    assert "potential/model.safetensors" in loaded.files
    assessed(job)
    detail = model_detail(model.pk)
    assert detail.model.card["quality"]["potential"] == {"name": "shipped", "sha256": shipped.sha256}
    assert detail.quality is not None
    assert detail.quality.potential == "shipped"


def test_without_such_a_potential_no_energies_are_compared(scientist) -> None:
    a_model("silicon", species=["Si"])
    job = services.assessment_start(model=a_generator(species=["C"]), count=20, reconstructed=3, user=scientist)
    assert binding(services.ASSESS_STAGE).load(job).inputs.potential is None


def test_figures_go_to_the_card_and_what_is_no_number_is_null(scientist) -> None:
    model = a_generator()
    assert quality_of(model.card) is None
    assessed(services.assessment_start(model=model, count=20, reconstructed=3, user=scientist))
    detail = model_detail(model.pk)
    assert detail.quality is not None
    assert (detail.quality.reconstruction.match, detail.quality.reconstruction.rmse) == (0.0, None)
    assert (detail.quality.generation.recall, detail.quality.generation.energy_wasserstein) == (0.8, None)
    assert detail.model.card["data"] == CARD["data"]
    assert [file.name for file in detail.files] == [FINGERPRINTS]


@pytest.mark.parametrize("facts", [{"kind": "potential"}, {"state": ModelState.TRAINING},
                                   {"card": {"data": {"train": 9, "test": 0}}}])  # fmt: skip
def test_only_a_ready_generator_with_test_crystals_is_measured(scientist, facts) -> None:
    with pytest.raises(Conflict):
        services.assessment_start(model=a_generator(**facts), count=20, reconstructed=3, user=scientist)


def test_numbers_of_crystals_have_limits(scientist) -> None:
    with pytest.raises(services.AssessmentRefused) as refused:
        services.assessment_start(model=a_generator(), count=0, reconstructed=10**6, user=scientist)
    assert set(refused.value.detail) == {"count", "reconstructed"}
