"""Train a potential: a named configuration on labelled frames, or on crystals that a teacher labels first."""

from __future__ import annotations

import json
from dataclasses import astuple
from pathlib import Path

import numpy as np

from kappakit.labels import read_frames, read_geometries
from kappakit.ports import Engines, LabelledCrystal, Potential, TrainingResult
from kappakit.stages.contracts import TrainInputs, TrainOutputs
from kappakit.stages.table import NoSettings

FOLDER = "checkpoint"
"""It outlives the attempt: the next one resumes from it."""
ENGINE = "allegro"


def run(inputs: TrainInputs, settings: NoSettings, *, engines: Engines) -> TrainOutputs:
    """Train into ./checkpoint (what an earlier attempt left there is resumed).

    Raises InputError for an unreadable data set, an unknown configuration, or too few distinct crystals to split.
    """
    frames = _frames(inputs, engines)
    folder = Path(FOLDER)
    result = engines.trainer(ENGINE).train(
        frames,
        configuration=inputs.configuration,
        overrides=dict(inputs.overrides),
        seed=inputs.seed,
        always_train=inputs.always_train,
        folder=folder,
        progress=engines.progress,
    )
    card = _with_data(result, inputs, folder)
    return TrainOutputs(
        folder=FOLDER,
        sha256=result.sha256,
        card=json.dumps(card),
        curve=np.array([astuple(point) for point in result.curve], dtype=float).reshape(-1, 7),
    )


def _with_data(result: TrainingResult, inputs: TrainInputs, folder: Path) -> dict[str, object]:
    """The card with what the frames were; written beside the weights again."""
    teacher = inputs.teacher
    data = {"file": Path(inputs.dataset).name, "teacher": None if teacher is None else teacher.name}
    card = {**result.card, "data": data}
    (folder / "card.json").write_text(json.dumps(card, indent=1) + "\n")
    return card


def _frames(inputs: TrainInputs, engines: Engines) -> list[LabelledCrystal]:
    path = Path(inputs.dataset)
    if inputs.teacher is None:
        return read_frames(path)
    return _taught(path, engines.potential(inputs.teacher))


def _taught(path: Path, teacher: Potential) -> list[LabelledCrystal]:
    """Geometries of the file with the teacher's labels."""
    read = read_geometries(path)
    labels = teacher.evaluate([crystal for crystal, _, _ in read])
    return [
        LabelledCrystal(crystal, label, group, kind) for (crystal, group, kind), label in zip(read, labels, strict=True)
    ]
