"""Trainings with given held-out crystals and from stored weights. The labels are the fake potential's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from kappakit.engines.allegro.trainer import AllegroTrainer
from kappakit.errors import InputError
from kappakit.ports import Evaluation, LabelledCrystal, SilentProgress, TrainingResult
from tests.kappakit.labelled_frames import labelled_frames


def train(
    folder: Path,
    frames: list[LabelledCrystal],
    *,
    epochs: int = 2,
    held_out: tuple[str, ...] | None = ("3",),
    initial: Path | None = None,
    seed: int = 1,
    **overrides: float,
) -> TrainingResult:
    return AllegroTrainer().train(
        frames,
        configuration="carbon-tiny",
        overrides={"epochs": epochs, **overrides},
        seed=seed,
        always_train=(),
        folder=folder,
        progress=SilentProgress(),
        held_out=held_out,
        initial=initial,
    )


def spoiled(frame: LabelledCrystal) -> LabelledCrystal:
    return replace(frame, evaluation=Evaluation(1e3, frame.evaluation.forces + 7.0, frame.evaluation.stress))


def test_exactly_the_held_out_groups_validate_and_the_card_says_that_there_is_no_test_set(tmp_path: Path) -> None:
    card = train(tmp_path, labelled_frames(12), held_out=("1", "3")).card
    assert card["split"]["held_out"] == "given"
    assert card["split"]["validation"] == {"frames": 4, "groups": ["1", "3"]}
    assert card["split"]["test"] == {"frames": 0, "groups": []}
    assert set(card["errors"]) == {"train", "validation"}


def test_a_held_out_label_never_reaches_the_weights(tmp_path: Path) -> None:
    frames = labelled_frames(12)
    changed = [spoiled(f) if f.group == "3" else f for f in frames]
    trained = [spoiled(f) if f.group == "2" else f for f in frames]
    digests = [train(tmp_path / str(i), some).sha256 for i, some in enumerate((frames, changed, trained))]
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


@pytest.mark.parametrize("held_out", [(), ("0", "1", "2"), ("nobody",)])
def test_something_must_train_and_something_validate(tmp_path: Path, held_out: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match=r"held-out|groups that train"):
        train(tmp_path, labelled_frames(6), held_out=held_out)


def test_a_warm_start_begins_with_the_stored_weights_and_keeps_their_scale(tmp_path: Path) -> None:
    first = train(tmp_path / "first", labelled_frames(12))
    others = [
        replace(f, evaluation=replace(f.evaluation, energy=f.evaluation.energy + 9.0)) for f in labelled_frames(8)
    ]
    warm = train(tmp_path / "warm", others, initial=Path(first.folder), seed=2, learning_rate=0.0)
    assert warm.sha256 == first.sha256
    assert (tmp_path / "warm" / "model.json").read_text() == (tmp_path / "first" / "model.json").read_text()
    assert warm.card["initial"] == first.sha256
    assert first.card["initial"] is None


def test_a_warm_start_moves_on_from_there(tmp_path: Path) -> None:
    first = train(tmp_path / "first", labelled_frames(12), epochs=20)
    warm = train(tmp_path / "warm", labelled_frames(12), epochs=1, initial=tmp_path / "first", learning_rate=1e-4)
    before, after = (load_file(str(Path(r.folder) / "model.safetensors")) for r in (first, warm))
    moved = [float(np.abs(before[k] - after[k]).max()) for k in before]
    assert 0.0 < max(moved) < 1e-2
    assert warm.curve[0].val_force_rmse == pytest.approx(first.curve[-1].val_force_rmse, rel=0.1)


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    train(tmp_path / "first", labelled_frames(8), epochs=1)
    with pytest.raises(InputError, match="another architecture"):
        train(tmp_path / "warm", labelled_frames(8), initial=tmp_path / "first", scalar_features=16)
