"""Trainers: what they take, what they give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from kappakit.crystals import Crystal
from kappakit.ports.potentials import Evaluation
from kappakit.ports.progress import Progress


@dataclass(frozen=True)
class TrainingCurvePoint:
    """One epoch: losses and held-out errors (energy MAE meV/atom, force RMSE meV/Å, stress MAE GPa)."""

    epoch: int
    train_loss: float
    val_energy_mae: float
    val_force_rmse: float
    val_stress_mae: float
    learning_rate: float
    seconds: float


@dataclass(frozen=True)
class GeneratorCurvePoint:
    """Some steps of a generator's training: terms of the objective (no unit), `val_` on held-out crystals with the
    averaged weights; kl in nats a crystal."""

    step: int
    train_coordinates: float
    train_lattice: float
    train_number: float
    val_coordinates: float
    val_lattice: float
    val_number: float
    val_types: float
    kl: float
    learning_rate: float
    seconds: float


@dataclass(frozen=True, eq=False)
class LabelledCrystal:
    """A training frame. `group`: distinct crystal that it came from; frames of one group never straddle a split.
    `method`: digest of the method that fixes its energy's zero, "" where nothing is said."""

    crystal: Crystal
    evaluation: Evaluation
    group: str
    kind: str = ""
    method: str = ""


@dataclass(frozen=True)
class TrainingResult:
    """A trained model's folder (model.safetensors, model.json, card.json), its digest, card and curves."""

    folder: str
    sha256: str
    card: dict[str, Any]
    curve: tuple[TrainingCurvePoint, ...]


class Trainer(Protocol):
    """Trains a potential from a named configuration; resumes from the checkpoint that it left in `folder`."""

    def train(
        self,
        frames: Sequence[LabelledCrystal],
        *,
        configuration: str,
        overrides: dict[str, Any],
        seed: int,
        always_train: Sequence[str],
        folder: Path,
        progress: Progress,
        held_out: Sequence[str] | None = None,
        initial: Path | None = None,
    ) -> TrainingResult:
        """Train to the end; writes the curve to `folder/curve.jsonl` as it goes.

        `held_out`: exactly these groups validate and nothing is a test set (None: both are drawn from `seed`).
        `initial`: folder of a stored model of the same configuration whose weights the training starts from.
        """


PARTS = TRAIN, VALIDATION, TEST = "train", "validation", "test"
"""Of a generator's data set."""


@dataclass(frozen=True, eq=False)
class TrainingCrystal:
    """A crystal of a generator's data set. `part`: one of PARTS; `source` as the import names it;
    `distinct`: the one of its kind in its part that others are compared with."""

    crystal: Crystal
    part: str
    source: str = ""
    distinct: bool = True


@dataclass(frozen=True)
class GeneratorTrainingResult:
    """A trained generator's folder (model.safetensors, model.json, card.json, crystals.safetensors), card and curve."""

    folder: str
    sha256: str
    card: dict[str, Any]
    curve: tuple[GeneratorCurvePoint, ...]


class GeneratorTrainer(Protocol):
    """Trains a generator from a named configuration; resumes from the checkpoint that it left in `folder`."""

    def train(
        self,
        crystals: Sequence[TrainingCrystal],
        *,
        configuration: str,
        overrides: dict[str, Any],
        seed: int,
        minutes: float,
        folder: Path,
        progress: Progress,
    ) -> GeneratorTrainingResult:
        """Train to the end, or for `minutes` of the clock when they are > 0."""
