"""The training of a member and of the final fit: frames on one zero, the trainer, the facts on the card."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kappakit.committee import (
    MEV,
    MethodOffset,
    energy_errors,
    force_errors,
    method_offsets,
    most_frequent,
    on_one_zero,
)
from kappakit.errors import InputError
from kappakit.labels import read_frames
from kappakit.ports import Engines, Evaluation, LabelledCrystal, PotentialRef, TrainingResult
from kappakit.stages.contracts import LabelItem, TrainMemberInputs, TrainOutputs

FOLDER, CARD = "checkpoint", "card.json"
"""The folder outlives the attempt: the next one resumes from it."""
ENGINE = "allegro"
LABEL = "label:"
"""Groups of labels begin so: none of them is ever held out, whatever crystal they came from."""


@dataclass(frozen=True, eq=False)
class Gathered:
    """Frames that train, on one zero, and the fixed test set; `offsets` by method, empty where there is one."""

    train: tuple[LabelledCrystal, ...]
    test: tuple[LabelledCrystal, ...]
    offsets: dict[str, MethodOffset]


def train_member(inputs: TrainMemberInputs, engines: Engines) -> TrainOutputs:
    """Train into ./checkpoint; where nothing is held out the fixed test set validates."""
    gathered = _gathered(inputs, engines)
    held_out = inputs.held_out or tuple(sorted({f.group for f in gathered.test}))
    result = engines.trainer(ENGINE).train(
        gathered.train if inputs.held_out else gathered.train + gathered.test,
        configuration=inputs.configuration,
        overrides=dict(inputs.overrides),
        seed=inputs.seed,
        always_train=(),
        folder=Path(FOLDER),
        progress=engines.progress,
        held_out=held_out,
        initial=Path(inputs.initial) if inputs.initial else None,
    )
    card = _card(result, inputs, gathered, engines)
    (Path(FOLDER) / CARD).write_text(json.dumps(card, indent=1) + "\n")
    curve = np.array([astuple(point) for point in result.curve], dtype=float).reshape(-1, 7)
    return TrainOutputs(folder=FOLDER, sha256=result.sha256, card=json.dumps(card), curve=curve)


def _gathered(inputs: TrainMemberInputs, engines: Engines) -> Gathered:
    """Start frames and labels; where they are of several methods, all on the zero of the test set's method."""
    start, test = read_frames(Path(inputs.start)), read_frames(Path(inputs.test))
    frames = [*start, *(_labelled(item) for item in inputs.labels)]
    methods = {f.method for f in (*frames, *test)}
    if len(methods) == 1:
        return Gathered(tuple(frames), tuple(test), {})
    offsets = _offsets([*frames, *test], most_frequent([f.method for f in test or start]), inputs.reference, engines)
    return Gathered(on_one_zero(frames, offsets), on_one_zero(test, offsets), offsets)


def _offsets(
    frames: Sequence[LabelledCrystal], base: str, reference: PotentialRef | None, engines: Engines
) -> dict[str, MethodOffset]:
    if reference is None:
        raise InputError("labels of several methods share a fit only with a reference that measures their offsets")
    energies = [e.energy for e in engines.potential(reference).evaluate([f.crystal for f in frames])]
    return method_offsets(frames, energies, base)


def _labelled(item: LabelItem) -> LabelledCrystal:
    evaluation = Evaluation(item.energy, np.asarray(item.forces), np.asarray(item.stress))
    return LabelledCrystal(item.crystal, evaluation, LABEL + item.group.removeprefix(LABEL), "label", item.method)


def _card(result: TrainingResult, inputs: TrainMemberInputs, gathered: Gathered, engines: Engines) -> dict[str, Any]:
    """The trainer's card with what the frames were and with the errors on the fixed test set."""
    reference = inputs.reference if gathered.offsets else None
    data = {
        "frames": len(gathered.train),
        "labels": len(inputs.labels),
        "labelled_crystals": sorted({item.group for item in inputs.labels}),
        "held_out": list(inputs.held_out) or "nothing: the fixed test set validates",
        "methods": dict(sorted(Counter(f.method for f in gathered.train).items())),
        "offsets": {method: asdict(offset) for method, offset in gathered.offsets.items()},
        "offsets_reference": None if reference is None else {"name": reference.name, "sha256": reference.sha256},
    }
    errors = {**result.card["errors"], "test": {"all": _test_errors(result, gathered.test, engines)}}
    return {**result.card, "member": inputs.index, "data": data, "errors": errors}


def _test_errors(result: TrainingResult, test: Sequence[LabelledCrystal], engines: Engines) -> dict[str, float]:
    ref = PotentialRef(ENGINE, result.card["name"], result.folder, result.sha256)
    found = engines.committee([ref]).evaluate([f.crystal for f in test])
    forces = np.concatenate([e.ravel() for e in force_errors(test, found)])
    return {
        "frames": len(test),
        "energy_mae_mev_per_atom": round(float(np.abs(energy_errors(test, found)).mean()), 3),
        "force_rmse_mev_per_angstrom": round(MEV * float(np.sqrt(np.square(forces).mean())), 2),
    }
