"""Ports: what the stages ask of the engines. An engine implements a Protocol of these files and nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kappakit.ports.boltzmann import Interactions
from kappakit.ports.dft import (
    DftCode,
    DftResult,
    ReadableDftCode,
)
from kappakit.ports.generators import (
    GeneratedCrystal,
    Generator,
    GeneratorRef,
    LatentGenerator,
)
from kappakit.ports.potentials import (
    Calibration,
    Committee,
    CommitteeEvaluation,
    Evaluation,
    Potential,
    PotentialRef,
    RelaxedCrystal,
    TrustLimits,
)
from kappakit.ports.progress import (
    PrintedProgress,
    Progress,
    SilentProgress,
)
from kappakit.ports.training import (
    PARTS,
    TEST,
    TRAIN,
    VALIDATION,
    GeneratorCurvePoint,
    GeneratorTrainer,
    GeneratorTrainingResult,
    LabelledCrystal,
    Trainer,
    TrainingCrystal,
    TrainingCurvePoint,
    TrainingResult,
)

__all__ = [
    "PARTS",
    "TEST",
    "TRAIN",
    "VALIDATION",
    "Calibration",
    "Committee",
    "CommitteeEvaluation",
    "DftCode",
    "DftResult",
    "Engines",
    "Evaluation",
    "GeneratedCrystal",
    "Generator",
    "GeneratorCurvePoint",
    "GeneratorRef",
    "GeneratorTrainer",
    "GeneratorTrainingResult",
    "Interactions",
    "LabelledCrystal",
    "LatentGenerator",
    "Potential",
    "PotentialRef",
    "PrintedProgress",
    "Progress",
    "ReadableDftCode",
    "RelaxedCrystal",
    "SilentProgress",
    "Trainer",
    "TrainingCrystal",
    "TrainingCurvePoint",
    "TrainingResult",
    "TrustLimits",
]


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

    def interactions(self, name: str) -> Interactions:
        """How the strengths of three-phonon scattering are computed ('torch' | 'phono3py'); raises InputError."""
