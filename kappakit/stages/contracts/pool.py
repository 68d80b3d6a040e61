"""Contracts of the stages that fill and clean the pool: import, generate, relax."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kappakit.crystals import Crystal
from kappakit.ports import GeneratorRef, PotentialRef
from kappakit.stages.contracts.items import Item, Refusal


@dataclass(frozen=True)
class ImportInputs:
    """`files`: (original file name, path) pairs; a path is absolute or relative to the stage's folder."""

    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True, eq=False)
class ImportedCrystal:
    """`label` as in the file (material_id, title …), `source` = 'file name#position'."""

    crystal: Crystal
    label: str
    source: str


@dataclass(frozen=True, eq=False)
class ImportOutputs:
    crystals: tuple[ImportedCrystal, ...]
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True)
class TrainingCrystalsInputs:
    generator: GeneratorRef


@dataclass(frozen=True)
class GenerateInputs:
    """Crystals number start … start + count of the campaign's sequence, about or between `centres` if there are any."""

    seed: int
    start: int
    count: int
    generator: GeneratorRef
    centres: tuple[Crystal, ...] = ()


@dataclass(frozen=True, eq=False)
class GeneratedItem:
    """`consistency`: see ports.GeneratedCrystal; `symmetrised`: the space group that the crystal was made to have, ''
    where it was left alone."""

    index: int
    seed: int
    crystal: Crystal
    latent: np.ndarray | None = None
    consistency: float | None = None
    symmetrised: str = ""


@dataclass(frozen=True, eq=False)
class GenerateOutputs:
    """`generator`, `version` and the weights' `sha256` ('' without weights) made the crystals."""

    generator: str
    version: str
    sha256: str
    crystals: tuple[GeneratedItem, ...]
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, eq=False)
class RelaxInputs:
    items: tuple[Item, ...]
    potential: PotentialRef


@dataclass(frozen=True)
class Deviations:
    """Relative changes start → end: each length, each angle (relative to the start's), volume; shift.

    lengths (3,), angles (3,) as |end − start| / start; volume signed; `positions`: root mean square displacement of the
    fractional coordinates (centre of mass fixed) in units of (V/N)^(1/3).
    """

    lengths: tuple[float, float, float]
    angles: tuple[float, float, float]
    volume: float
    positions: float


@dataclass(frozen=True, eq=False)
class RelaxedItem:
    """energy eV/atom, max_force eV/Å, stress (3, 3) eV/Å³, soap_distance to the training set where it is checked."""

    id: str
    crystal: Crystal
    energy_per_atom: float
    max_force: float
    stress: np.ndarray
    steps: int
    converged: bool
    deviations: Deviations
    soap_distance: float | None = None


@dataclass(frozen=True, eq=False)
class RelaxOutputs:
    """`rejected`: what left the potential's trust or did not converge; source = id."""

    relaxed: tuple[RelaxedItem, ...]
    rejected: tuple[Refusal, ...]
    potential_version: str
    precision: str
    compiled: bool
