"""Displaced supercells that somebody else computes: which ones, and their forces put back where they belong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
from phono3py import Phono3py
from phonopy import Phonopy

from kappakit.crystals import Crystal
from kappakit.dft import DECIMALS
from kappakit.displacements import SYMPREC, crystal_of, phonopy_atoms, store_forces
from kappakit.errors import InputError
from kappakit.widths import checked, repeated

SAME_PLACE = 1e-3
"""Å: an atom farther from where it was asked is another calculation; displacements are twenty times longer."""
NO_FORCE = 1e-6


@dataclass(frozen=True, eq=False)
class AskedSupercells:
    """Distinct supercells with a label each; `places`: of every supercell of the data set, which of `cells` it is."""

    cells: tuple[Crystal, ...]
    labels: tuple[str, ...]
    places: tuple[int, ...]


def displaced_harmonic(primitive: Crystal, supercell: int | np.ndarray, displacement: float) -> Phonopy:
    """phonopy's calculation of FC2 with its displacements (Å) generated, no forces yet; the crystal is its own
    primitive cell. supercell: repetitions or a (3, 3) matrix; raises InputError for one that breaks the point group."""
    calculation = Phonopy(
        phonopy_atoms(primitive),
        supercell_matrix=repeated(supercell) if isinstance(supercell, int) else checked(primitive, supercell),
        primitive_matrix=np.eye(3),
        symprec=SYMPREC,
    )
    calculation.generate_displacements(distance=displacement)
    return calculation


def asked_supercells(calculation: Phonopy | Phono3py) -> AskedSupercells:
    """What has to be computed: each distinct displaced supercell once, the undisplaced one before them where symmetry
    does not forbid forces on it."""
    cells: list[Crystal] = []
    labels: list[str] = []
    places: list[int] = []
    known: dict[bytes, int] = {}
    for label, cell in _listed(calculation):
        key = _key(cell)
        if key not in known:
            known[key] = len(cells)
            cells.append(cell)
            labels.append(label)
        places.append(known[key])
    return AskedSupercells(tuple(cells), tuple(labels), tuple(places))


def forces_return(
    calculation: Phonopy | Phono3py, computed: Sequence[tuple[Crystal, np.ndarray]], asked: AskedSupercells
) -> None:
    """Store the forces of `asked.cells`, in their order, in the calculation's data sets.

    computed: (crystal, forces (n, 3) eV/Å), atoms in the calculation's own order. The forces of the undisplaced
    supercell, where it was computed, are subtracted. Raises InputError for another number of calculations and for one
    that is not of the supercell that was asked.
    """
    if len(computed) != len(asked.cells):
        raise InputError(f"{len(computed)} calculations for {len(asked.cells)} supercells")
    forces = [in_order_of(cell, crystal, values) for cell, (crystal, values) in zip(asked.cells, computed, strict=True)]
    every = iter([forces[place] for place in asked.places])
    for _, cells in _groups(calculation):
        residual = next(every) if forces_may_remain(calculation) else np.zeros(3)
        _stored(calculation, [next(every) - residual for _ in cells])


def in_order_of(expected: Crystal, found: Crystal, forces: np.ndarray) -> np.ndarray:
    """Forces (n, 3) of `found` in the order of `expected`'s atoms; raises InputError where it is another geometry."""
    if found.n_atoms != expected.n_atoms or not np.allclose(found.cell, expected.cell, atol=SAME_PLACE):
        raise InputError("a calculation has another cell than the supercell that was asked")
    difference = found.frac[None] - expected.frac[:, None]
    distances = np.linalg.norm((difference - np.rint(difference)) @ expected.cell, axis=2)
    order = distances.argmin(axis=1)
    apart = distances[np.arange(len(order)), order].max()
    if apart > SAME_PLACE or len(set(order)) < len(order) or not np.array_equal(found.numbers[order], expected.numbers):
        raise InputError(f"a calculation is not of the supercell that was asked: an atom is {apart:.3g} Å away")
    return np.asarray(forces, float)[order]


def forces_may_remain(calculation: Phonopy | Phono3py) -> bool:
    """Whether symmetry lets an atom of the undisplaced supercell feel a force."""
    symmetry, lattice = calculation.symmetry, calculation.supercell.cell.T
    inverse = np.linalg.inv(lattice)
    projectors = [
        np.mean([lattice @ rotation @ inverse for rotation in symmetry.get_site_symmetry(int(atom))], axis=0)
        for atom in symmetry.get_independent_atoms()
    ]
    return any(np.abs(projector).max() > NO_FORCE for projector in projectors)


def _listed(calculation: Phonopy | Phono3py) -> list[tuple[str, Crystal]]:
    remain, numbers = forces_may_remain(calculation), count(1)
    listed: list[tuple[str, Crystal]] = []
    for perfect, cells in _groups(calculation):
        if remain:
            listed.append((f"undisplaced, {len(perfect)} atoms", crystal_of(perfect)))
        listed += [(f"supercell {number}", crystal_of(cell)) for cell, number in zip(cells, numbers, strict=False)]
    return listed


def _groups(calculation: Phonopy | Phono3py) -> list[tuple[Any, list[Any]]]:
    """(undisplaced supercell, displaced ones) of each data set; pairs beyond a cutoff are not among them."""
    cells = [cell for cell in calculation.supercells_with_displacements or [] if cell is not None]
    groups = [(calculation.supercell, cells)]
    if isinstance(calculation, Phono3py) and calculation.phonon_dataset:
        groups.append((calculation.phonon_supercell, list(calculation.phonon_supercells_with_displacements)))
    return groups


def _stored(calculation: Phonopy | Phono3py, forces: list[np.ndarray]) -> None:
    if isinstance(calculation, Phonopy):
        calculation.forces = np.array(forces)
        return
    dataset = calculation.dataset
    filled = "forces" in (dataset if "displacements" in dataset else dataset["first_atoms"][0])
    store_forces(calculation.phonon_dataset if filled else dataset, forces)


def _key(cell: Crystal) -> bytes:
    """Equal for supercells whose canonical inputs are equal."""
    return b"".join((np.round(array, DECIMALS) + 0.0).tobytes() for array in (cell.cell, cell.frac % 1.0))
