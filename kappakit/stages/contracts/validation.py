"""Contracts of the validation of a crystal by DFT: validation_cells, validate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kappakit.crystals import Crystal
from kappakit.ports import PotentialRef
from kappakit.stages.contracts.phonons import Bands, ConductivityOutputs

HARMONIC, ANHARMONIC = "harmonic", "anharmonic"
"""FC2 and the phonons of it; FC3 too, and κ_L."""


@dataclass(frozen=True, eq=False)
class ValidationCellsInputs:
    """`crystal`: as DFT relaxed it or, with a `potential`, to be relaxed by that under its symmetry first, on which
    symprec Å and angle_tolerance ° decide. `repeats` of the primitive cell and `displacement` Å are the harmonic
    part's; the anharmonic one has those of the conductivity's settings. `part`: whose supercells are wanted."""

    crystal: Crystal
    part: str
    repeats: int
    displacement: float
    symprec: float
    angle_tolerance: float
    potential: PotentialRef | None = None


@dataclass(frozen=True, eq=False)
class PartSize:
    """What a part takes: `supercells` to compute, like `supercell` (undisplaced)."""

    part: str
    supercells: int
    supercell: Crystal


@dataclass(frozen=True, eq=False)
class ValidationCellsOutputs:
    """`primitive`: standardised, its last digits idealised; energy eV/atom by the potential, None without one.

    `cells`: distinct supercells of the part asked for, in the order in which `validate` wants their forces; the first
    is undisplaced where `perfect` (symmetry does not forbid forces there). `sizes`: of both parts.
    """

    primitive: Crystal
    number: int
    symbol: str
    energy: float | None
    cells: tuple[Crystal, ...]
    labels: tuple[str, ...]
    perfect: bool
    sizes: tuple[PartSize, ...]


@dataclass(frozen=True, eq=False)
class CellForces:
    """Forces (n, 3) eV/Å of a supercell, in the order of atoms of `crystal`, which is that of the calculation."""

    crystal: Crystal
    forces: np.ndarray


@dataclass(frozen=True, eq=False)
class ValidateInputs:
    """`primitive`, `part`, `repeats`, `displacement` as validation_cells had and left them; `forces` of its cells, in
    its order. `reference`: the potential's own relaxed primitive cell. `temperatures` K, none: as of every κ_L; `lbte`:
    the full solution too."""

    id: str
    primitive: Crystal
    part: str
    repeats: int
    displacement: float
    forces: tuple[CellForces, ...]
    reference: Crystal
    potential: PotentialRef
    temperatures: tuple[float, ...] = ()
    lbte: bool = True


@dataclass(frozen=True, eq=False)
class ValidateOutputs:
    """`result`: phonons (and κ_L) by the given forces. `overlay`: the potential's bands on its own cell, at the same
    fractional wave vectors and by the same displacements, so that a difference is the potential's and not the
    supercell's; `deviation` THz: root mean square over them. None where the two cells do not correspond. `lowest` THz:
    the lowest frequency anywhere, away from Γ's acoustic branches. `same`: both cells are one structure."""

    result: ConductivityOutputs
    overlay: Bands | None
    deviation: float | None
    lowest: float
    same: bool
