"""Space group, primitive and conventional cell, Wyckoff positions, dimensionality, shortest distance of one crystal.

Symmetry by spglib (A. Togo, K. Shinohara, I. Tanaka, Sci. Technol. Adv. Mater. Methods 4, 2384822 (2024)), as
pymatgen's SpacegroupAnalyzer calls it; dimensionality by ase (P. M. Larsen et al., Phys. Rev. Materials 3, 034003
(2019), doi 10.1103/PhysRevMaterials.3.034003).
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import spglib
from ase import Atoms
from ase.geometry import minkowski_reduce
from ase.geometry.dimensionality.bond_generator import next_bond
from ase.geometry.dimensionality.interval_analysis import build_kintervals, merge_intervals
from ase.geometry.dimensionality.rank_determination import RDA

from kappakit.crystals import Crystal
from kappakit.elements import SYMBOLS
from kappakit.errors import Rejected
from kappakit.writing import atoms_of

NO_SYMMETRY = "symmetry-not-found"
LAST_OF_SYSTEM = (
    (2, "triclinic"),
    (15, "monoclinic"),
    (74, "orthorhombic"),
    (142, "tetragonal"),
    (167, "trigonal"),
    (194, "hexagonal"),
    (230, "cubic"),
)


@dataclass(frozen=True, eq=False)
class Symmetry:
    """What spglib finds at (symprec Å, angle_tolerance °).

    `operations`: order of the point group of the primitive cell, centring not counted. `wyckoff`: one 'C 8a' an orbit,
    multiplicity of the conventional cell. `primitive`, `conventional`: standardised, idealised cells.
    """

    number: int
    symbol: str
    point_group: str
    operations: int
    crystal_system: str
    wyckoff: tuple[str, ...]
    primitive: Crystal
    conventional: Crystal


def find_symmetry(crystal: Crystal, *, symprec: float, angle_tolerance: float) -> Symmetry:
    """Symmetry of a crystal; raises Rejected('symmetry-not-found') where spglib finds none."""
    cell: Any = (crystal.cell, crystal.frac, crystal.numbers)
    try:
        dataset = spglib.get_symmetry_dataset(cell, symprec=symprec, angle_tolerance=angle_tolerance)
        primitive = _standardised(cell, True, symprec, angle_tolerance)
        conventional = _standardised(cell, False, symprec, angle_tolerance)
    except spglib.SpglibError as error:
        raise Rejected(NO_SYMMETRY, f"spglib finds no symmetry at {symprec} Å: {error}") from error
    if dataset is None or primitive is None or conventional is None:
        raise Rejected(NO_SYMMETRY, f"spglib finds no symmetry at {symprec} Å")
    return Symmetry(
        number=int(dataset.number),
        symbol=str(dataset.international),
        point_group=str(dataset.pointgroup),
        operations=_order_of_point_group(int(dataset.hall_number)),
        crystal_system=crystal_system(int(dataset.number)),
        wyckoff=_orbits(dataset, crystal, conventional.n_atoms),
        primitive=primitive,
        conventional=conventional,
    )


def crystal_system(number: int) -> str:
    """Crystal system of a space group number 1–230."""
    return next(system for last, system in LAST_OF_SYSTEM if number <= last)


def dimensionality(crystal: Crystal) -> int:
    """Of the bonded network: 3 three-dimensional, 2 layered, 1 chains, 0 molecular; the highest of a mixture."""
    atoms = atoms_of(crystal)
    intervals = build_kintervals(atoms, "RDA")
    if intervals is None:
        return _dimensionality_across_a_gap(atoms)
    best = max(merge_intervals(intervals), key=lambda interval: interval.score)
    return max(int(digit) for digit in best.dimtype.rstrip("D"))


def shortest_distance(crystal: Crystal) -> float:
    """The shortest distance in Å between two atoms or an atom and its image."""
    cell, _ = minkowski_reduce(crystal.cell)
    frac = crystal.positions @ np.linalg.inv(cell)
    shifts = np.array(list(itertools.product((-1, 0, 1), repeat=3)), dtype=float)
    shortest = np.inf
    for atom in range(crystal.n_atoms):
        difference = frac[atom:] - frac[atom]
        difference -= np.round(difference)
        squares = (((difference[:, None, :] + shifts[None, :, :]) @ cell) ** 2).sum(axis=2)
        squares[0, len(shifts) // 2] = np.inf
        shortest = min(shortest, float(squares.min()))
    return float(np.sqrt(shortest))


def _dimensionality_across_a_gap(atoms: Atoms) -> int:
    """Parts so far apart that ase's search for bonds ends before they meet: whatever it found is a bond."""
    network = RDA(len(atoms))
    for _, first, second, offset in next_bond(atoms):
        network.insert_bond(first, second, offset)
    return max(dimension for dimension, count in enumerate(network.check()) if count)


def _standardised(cell: Any, to_primitive: bool, symprec: float, angle_tolerance: float) -> Crystal | None:
    found: Any = spglib.standardize_cell(
        cell, to_primitive=to_primitive, no_idealize=False, symprec=symprec, angle_tolerance=angle_tolerance
    )
    return None if found is None else Crystal(*found)


@cache
def _order_of_point_group(hall_number: int) -> int:
    """From spglib's tables: the operations found in a supercell are those only that the supercell has too."""
    found: Any = spglib.get_symmetry_from_database(hall_number)
    return len(np.unique(found["rotations"].reshape(-1, 9), axis=0))


def _orbits(dataset: spglib.SpglibDataset, crystal: Crystal, n_conventional: int) -> tuple[str, ...]:
    counts = Counter(dataset.crystallographic_orbits.tolist())
    scale = n_conventional / crystal.n_atoms
    orbits = [
        (dataset.wyckoffs[atom], SYMBOLS[int(crystal.numbers[atom])], round(count * scale))
        for atom, count in counts.items()
    ]
    return tuple(f"{symbol} {multiplicity}{letter}" for letter, symbol, multiplicity in sorted(orbits))
