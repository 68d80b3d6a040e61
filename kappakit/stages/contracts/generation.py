"""Contracts of what is measured of generators and of what they made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kappakit.ports import GeneratorRef, PotentialRef
from kappakit.stages.contracts.items import Item

FINGERPRINTS = "fingerprints.safetensors"
"""A generator's file of its test crystals' fingerprints."""


@dataclass(frozen=True, eq=False)
class GenerationReportInputs:
    """Generated crystals as they were made; `latents` (n, d), (0, 0) where the generator has none."""

    items: tuple[Item, ...]
    latents: np.ndarray
    generator: GeneratorRef
    seed: int


@dataclass(frozen=True)
class GenerationFigures:
    """Of `crystals` generated ones: shares that are valid as published and plausible for the material, coverage of the
    generator's test crystals (None without their fingerprints), Wasserstein distance of the densities in g/cm³."""

    crystals: int
    valid: float
    plausible: float
    recall: float | None
    precision: float | None
    density_wasserstein: float | None


@dataclass(frozen=True, eq=False)
class GenerationReportOutputs:
    """`plane` (m, 2): the latent space laid out, first the generated crystals `ids`, then training crystals whose names
    are `training`; empty without latent vectors."""

    figures: GenerationFigures
    ids: tuple[str, ...]
    training: tuple[str, ...]
    plane: np.ndarray
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class AssessInputs:
    """`count` crystals by the generator's published way of counting, `reconstructed` test crystals encoded and decoded;
    `potential`: for the energies' Wasserstein distance, None: not measured."""

    generator: GeneratorRef
    count: int
    reconstructed: int
    seed: int
    potential: PotentialRef | None = None


@dataclass(frozen=True)
class AssessOutputs:
    """`quality`: JSON text of the figures, for the model's card; `files`: what is stored beside the model."""

    quality: str
    fingerprints: str = FINGERPRINTS
    """Of the generator's test crystals: path relative to the stage's folder."""
