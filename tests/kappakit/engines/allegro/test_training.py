"""Training: learns, resumes exactly, splits by distinct crystal. The shipped potential labels the crystals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from ase.io import write

from kappakit.engines.allegro import network
from kappakit.engines.allegro.configurations import CONFIGURATIONS, configuration
from kappakit.engines.allegro.dataset import split
from kappakit.engines.allegro.potential import AllegroPotential
from kappakit.engines.allegro.trainer import AllegroTrainer
from kappakit.engines.doors import RealEngines
from kappakit.errors import InputError
from kappakit.ports import PotentialRef, SilentProgress, TrainingResult
from kappakit.stages import train_potential
from kappakit.stages.contracts import TrainInputs
from kappakit.stages.table import NoSettings
from kappakit.writing import atoms_of
from tests.kappakit.labelled_frames import labelled_frames, rattled_diamonds

LAPTOP = Path(__file__).parents[4] / "models" / "carbon-laptop"


def train(folder: Path, epochs: int, **overrides: float) -> TrainingResult:
    return AllegroTrainer().train(
        labelled_frames(16),
        configuration="carbon-tiny",
        overrides={"epochs": epochs, **overrides},
        seed=1,
        always_train=["0"],
        folder=folder,
        progress=SilentProgress(),
    )


def test_a_training_learns_and_leaves_a_model_that_loads(tmp_path: Path) -> None:
    result = train(tmp_path, 80)
    first, last = result.curve[0], result.curve[-1]
    assert last.train_loss < 0.3 * first.train_loss
    assert last.val_force_rmse < 0.5 * first.val_force_rmse
    assert result.card["errors"]["test"]["ref"]["frames"] > 0
    potential = AllegroPotential(tmp_path, compile_model=False)
    assert potential.sha256 == result.sha256
    assert potential.species == ("C",)


def test_a_training_that_was_cut_off_resumes_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(tmp_path / "whole", 4)

    class CutOff(Exception):
        pass

    class Cutter(SilentProgress):
        def __call__(self, done: int, total: int, note: str) -> None:
            if done == 2:
                raise CutOff

    trainer = AllegroTrainer()
    folder = tmp_path / "pieces"
    arguments = {
        "configuration": "carbon-tiny",
        "overrides": {"epochs": 4},
        "seed": 1,
        "always_train": ["0"],
        "folder": folder,
    }
    monkeypatch.setattr("kappakit.engines.allegro.checkpoint.INTERVAL", -1.0)
    with pytest.raises(CutOff):
        trainer.train(labelled_frames(16), progress=Cutter(), **arguments)
    resumed = trainer.train(labelled_frames(16), progress=SilentProgress(), **arguments)
    assert [point.epoch for point in resumed.curve] == [1, 2, 3, 4]
    assert resumed.sha256 == whole.sha256


def test_a_foreign_checkpoint_is_refused(tmp_path: Path) -> None:
    train(tmp_path, 1)
    with pytest.raises(InputError, match="cannot be resumed"):
        train(tmp_path, 2, scalar_features=16)


def test_no_distinct_crystal_straddles_the_split_and_always_train_trains() -> None:
    labelled = labelled_frames(40)
    parts = split(labelled, seed=3, always_train=["0", "1"], validation_fraction=0.2, test_fraction=0.2)
    groups = [{f.group for f in part} for part in (parts.train, parts.validation, parts.test)]
    assert not groups[0] & groups[1]
    assert not (groups[0] | groups[1]) & groups[2]
    assert {"0", "1"} <= groups[0]
    assert sum(map(len, (parts.train, parts.validation, parts.test))) == len(labelled)


def test_too_few_distinct_crystals_cannot_be_split() -> None:
    with pytest.raises(InputError, match="at least three groups"):
        split(labelled_frames(4), seed=0, always_train=[], validation_fraction=0.1, test_fraction=0.1)


def test_an_unknown_configuration_or_field_is_named() -> None:
    with pytest.raises(InputError, match="no configuration 'carbon-huge'"):
        configuration("carbon-huge")
    with pytest.raises(InputError, match="depth"):
        configuration("carbon-tiny", {"depth": 3})


def test_the_stage_trains_on_crystals_that_the_shipped_potential_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    atoms = [atoms_of(c, {"group": i // 2}) for i, c in enumerate(rattled_diamonds(12))]
    write(tmp_path / "frames.xyz", atoms, format="extxyz")
    engines = RealEngines(SilentProgress())
    monkeypatch.setattr("kappakit.engines.allegro.potential.compiler", lambda: None)
    teacher = PotentialRef("allegro", "carbon-laptop", str(LAPTOP))
    inputs = TrainInputs("carbon-tiny", "frames.xyz", 0, ("0",), {"epochs": 2}, teacher)
    outputs = train_potential.run(inputs, NoSettings(), engines=engines)
    assert outputs.curve.shape == (2, 7)
    assert json.loads(outputs.card)["data"]["teacher"] == "carbon-laptop"
    assert network.digest(tmp_path / outputs.folder) == outputs.sha256


def test_a_data_set_without_labels_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "bare.xyz", atoms_of(rattled_diamonds(1)[0]), format="extxyz")
    with pytest.raises(InputError, match="lacks energy"):
        train_potential.run(
            TrainInputs("carbon-tiny", str(tmp_path / "bare.xyz"), 0),
            NoSettings(),
            engines=RealEngines(SilentProgress()),
        )


@pytest.mark.parametrize(
    ("name", "count"), [("carbon-paper", 313_728), ("carbon-laptop", 43_212), ("carbon-tiny", 4_368)]
)
def test_each_configuration_has_the_parameters_that_the_documentation_states(name: str, count: int) -> None:
    architecture = CONFIGURATIONS[name].architecture
    built = network.build(network.Description(architecture, ("C",), 40.0, 1.0, (0.0,)), dtype="float32")
    assert network.parameter_count(built) == count


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text("{}")
    (tmp_path / "model.json").write_text((LAPTOP / "model.json").read_text())
    (tmp_path / "model.safetensors").write_bytes((LAPTOP / "model.safetensors").read_bytes()[:-9])
    with pytest.raises(InputError, match="no readable Allegro model"):
        AllegroPotential(tmp_path)


@pytest.mark.slow
def test_carbon_paper_steps_saves_and_resumes(tmp_path: Path) -> None:
    def go(epochs: int) -> TrainingResult:
        return AllegroTrainer().train(
            labelled_frames(8),
            configuration="carbon-paper",
            overrides={"epochs": epochs},
            seed=0,
            always_train=["0"],
            folder=tmp_path,
            progress=SilentProgress(),
        )

    assert go(1).card["parameters"] == 313_728
    assert [point.epoch for point in go(2).curve] == [1, 2]


@pytest.mark.slow
def test_the_compiled_potential_agrees_with_the_uncompiled_one_and_is_cached(tmp_path: Path) -> None:
    plain = AllegroPotential(LAPTOP, compile_model=False)
    compiled = AllegroPotential(LAPTOP, cache=tmp_path, compile_model=True)
    for a, b in zip(plain.evaluate(rattled_diamonds(3)), compiled.evaluate(rattled_diamonds(3)), strict=True):
        np.testing.assert_allclose(a.forces, b.forces, atol=2e-5)
    (entry,) = tmp_path.glob("*.pt2")
    written = entry.stat().st_mtime
    AllegroPotential(LAPTOP, cache=tmp_path, compile_model=True).evaluate(rattled_diamonds(1))
    assert entry.stat().st_mtime == written
