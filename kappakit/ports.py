"""Ports: what the stages ask of the engines. An engine implements a Protocol of this file and nothing more."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from kappakit.crystals import Crystal
from kappakit.dft import DftTask
from kappakit.protocol import DftRunSettings, GenerateSettings, RelaxSettings

Progress = Callable[[int, int, str], None]
"""progress(done, total, note): done and total in the stage's own units (crystals, epochs, supercells)."""


@dataclass(frozen=True)
class PotentialRef:
    """Which potential: an engine's name in `kappakit.engines.registry` and the folder of its stored model.

    `folder` holds `model.safetensors`, `model.json` (configuration) and `card.json`; it is empty for an engine
    that needs no files (an analytic one). `sha256` is the digest of the weights, "" for an analytic one.
    """

    engine: str
    name: str
    folder: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class TrustLimits:
    """Where a potential may be believed; outside, a crystal is Rejected. Lengths Å, volumes Å³/atom."""

    min_distance: float = 1.0
    min_volume: float = 4.0
    max_volume: float = 30.0
    soap_distance: float | None = None
    """Largest believable SOAP distance of a crystal to its nearest training configuration (None: not checked)."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """energy eV per cell; forces (n_atoms, 3) eV/Å; stress (3, 3) eV/Å³, positive = tension (ASE's sign)."""

    energy: float
    forces: np.ndarray
    stress: np.ndarray


@dataclass(frozen=True, eq=False)
class RelaxedCrystal:
    """End of a relaxation: the last geometry and its evaluation. `steps` taken; `converged` within the tolerances."""

    crystal: Crystal
    evaluation: Evaluation
    steps: int
    converged: bool


class Potential(Protocol):
    """Energies, forces and stresses of many crystals in one call, and their relaxation.

    Implementations never change their input, and give for a batch what they give one by one.
    """

    name: str
    """Shown to people, e.g. 'carbon-laptop'."""
    engine: str
    version: str
    """Engine and its libraries with versions, e.g. 'allegro (nequip 0.19.0, nequip-allegro 0.8.0)'."""
    sha256: str
    species: tuple[str, ...]
    """Chemical symbols it knows; empty: any."""
    precision: str
    """'float64' or 'float32': what forces are computed in."""
    compiled: bool
    trust: TrustLimits
    trust_descriptors: np.ndarray | None
    """(n, d) SOAP vectors of the training configurations, or None."""

    def evaluate(self, crystals: Sequence[Crystal]) -> list[Evaluation]:
        """Evaluate each crystal; raises InputError on an element it does not know."""

    def relax(self, crystals: Sequence[Crystal], settings: RelaxSettings, progress: Progress) -> list[RelaxedCrystal]:
        """Relax cell and positions of each crystal (batched where the engine can)."""


@dataclass(frozen=True, eq=False)
class CommitteeEvaluation:
    """m members on one crystal: energies (m,) eV per cell; forces (m, n_atoms, 3) eV/Å."""

    energies: np.ndarray
    forces: np.ndarray


class Committee(Protocol):
    """Several potentials of one architecture, evaluated together."""

    size: int

    def evaluate(self, crystals: Sequence[Crystal]) -> list[CommitteeEvaluation]:
        """All members on each crystal in one batched pass; raises InputError on an element that they do not know."""


@dataclass(frozen=True, eq=False)
class DftResult:
    """What a DFT calculation gave. `crystal`: the geometry that the numbers belong to (after a relaxation: its end).

    `energy` is the force-consistent (free) energy, `energy_sigma0` that extrapolated to zero smearing, both eV per
    cell on the method's own zero; forces (n, 3) eV/Å; stress (3, 3) eV/Å³, positive = tension, None where the code
    gives no correct one; `method` as kappakit.dft.method_of, `method_sha256` its digest; `gap` eV, None where it was
    not looked for; `steps`: ionic ones; `version`: engine and libraries; `notes`: what was done beside the settings.
    """

    crystal: Crystal
    energy: float
    energy_sigma0: float
    forces: np.ndarray
    stress: np.ndarray | None
    k_mesh: tuple[int, int, int]
    method: dict[str, Any]
    method_sha256: str
    version: str
    iterations: int
    steps: int = 0
    magnetic_moment: float | None = None
    gap: float | None = None
    notes: tuple[str, ...] = ()


class DftCode(Protocol):
    """An engine of quantum mechanics, or what is declared to stand for one."""

    name: str

    def version(self) -> str:
        """Engine, libraries and PAW sets; raises InputError that says what to install where it is missing."""

    def run(self, task: DftTask, run: DftRunSettings, folder: Path, progress: Progress) -> DftResult:
        """Compute in `folder` (what an earlier attempt left there may be resumed); raises DftFailure."""


@runtime_checkable
class ReadableDftCode(DftCode, Protocol):
    """A DFT code whose own output file counts, wherever somebody ran it."""

    def read(self, path: Path, task: DftTask) -> DftResult:
        """The result in that file; raises InputError that lists every difference to what was asked, one a line."""


@dataclass(frozen=True)
class GeneratorRef:
    """Which generator: an engine's name in `kappakit.engines.registry`, and the folder of its stored model.

    `folder` and `sha256` are "" for a generator without weights (the random symmetric search).
    """

    engine: str
    name: str
    folder: str = ""
    sha256: str = ""


@dataclass(frozen=True, eq=False)
class GeneratedCrystal:
    """One proposal: its own seed makes it reproducible; `latent` (d,) where the generator has one.

    `consistency`: how far from its latent vector the crystal is encoded again, in widths of the posterior (1: as far as
    the crystals of the training; far above: not the crystal that was meant).
    """

    crystal: Crystal
    index: int
    seed: int
    latent: np.ndarray | None = None
    consistency: float | None = None


class Generator(Protocol):
    """Proposes crystals number `start` to `start + count` of a campaign's endless, reproducible sequence."""

    name: str
    version: str
    sha256: str

    def generate(
        self,
        *,
        seed: int,
        start: int,
        count: int,
        settings: GenerateSettings,
        centres: Sequence[Crystal] = (),
        progress: Progress,
    ) -> list[GeneratedCrystal]:
        """Crystals of the sequence; each depends on (seed, index) only, never on the batch.

        With `centres` they lie about one crystal, or on the way between several. Raises InputError for centres that
        the generator cannot take, and for wishes that it cannot fulfil.
        """

    def training_set(self) -> list[TrainingCrystal]:
        """The crystals that it learned from and those held out; none for a generator that learned nothing."""

    def file(self, name: str) -> Path | None:
        """A file that is stored beside the weights, None where there is none."""


class LatentGenerator(Generator, Protocol):
    """A generator with a latent space."""

    species: tuple[str, ...]

    def encode(self, crystals: Sequence[Crystal]) -> tuple[np.ndarray, np.ndarray]:
        """Means and widths (m, latent) of the crystals' posteriors; raises InputError for an unknown element."""

    def reconstruct(
        self, crystals: Sequence[Crystal], *, seed: int, settings: GenerateSettings, progress: Progress
    ) -> list[Crystal]:
        """Each crystal encoded and decoded again."""


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
    """A training frame. `group`: distinct crystal that it came from; frames of one group never straddle a split."""

    crystal: Crystal
    evaluation: Evaluation
    group: str
    kind: str = ""


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


class Engines(Protocol):
    """What a stage is given: doors to the slow world, resolved by name."""

    progress: Progress

    def potential(self, ref: PotentialRef) -> Potential:
        """Load a potential; raises InputError for an unknown engine or damaged weights."""

    def committee(self, refs: Sequence[PotentialRef]) -> Committee:
        """Load members of one architecture; raises InputError where they do not fit together."""

    def dft(self, engine: str, oracle: PotentialRef | None = None) -> DftCode:
        """A DFT engine by name ('gpaw' | 'vasp' | 'surrogate', which needs its `oracle`); raises InputError."""

    def generator(self, ref: GeneratorRef) -> Generator:
        """Load a generator; raises InputError for an unknown engine or damaged weights."""

    def trainer(self, engine: str) -> Trainer:
        """The trainer of an engine ('allegro')."""

    def generator_trainer(self, engine: str) -> GeneratorTrainer:
        """The trainer of a generator's engine ('cdvae')."""


@dataclass
class SilentProgress:
    """A Progress that remembers its last call, for tests and notebooks."""

    calls: list[tuple[int, int, str]] = field(default_factory=list)

    def __call__(self, done: int, total: int, note: str) -> None:
        self.calls.append((done, total, note))


class PrintedProgress(SilentProgress):
    """Prints a line every ten seconds at most."""

    def __init__(self) -> None:
        super().__init__()
        self._last = 0.0

    def __call__(self, done: int, total: int, note: str) -> None:
        if time.monotonic() - self._last > 10.0 or done == total:
            self._last = time.monotonic()
            print(f"{done}/{total} {note}", flush=True)
