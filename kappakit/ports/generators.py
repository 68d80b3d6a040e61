"""Generators of crystals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from kappakit.crystals import Crystal
from kappakit.ports.progress import Progress
from kappakit.ports.training import TrainingCrystal
from kappakit.protocol import GenerateSettings


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
