"""Disturbed copies of a crystal: the smallest supercell that holds the modes at the zone's boundary, rattled."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from math import ceil

import numpy as np
from ase.geometry import minkowski_reduce

from kappakit.crystals import Crystal
from kappakit.errors import InputError
from kappakit.symmetry import shortest_distance

CLOSEST = 0.7
"""A rattled copy in which two atoms come nearer than this share of the crystal's shortest distance is drawn again."""
TRIES = 100


@dataclass(frozen=True, eq=False)
class Supercell:
    """`repeats` of the reduced primitive cell along its three vectors; `lengths` (3,) Å of the supercell's."""

    crystal: Crystal
    repeats: tuple[int, int, int]
    lengths: tuple[float, float, float]


def smallest_supercell(primitive: Crystal, length: float) -> Supercell:
    """The fewest whole repeats n_i with n_i |a_i| ≥ `length` (Å); 0 or less: the cell as it is.

    The vectors a_i are those of the Minkowski-reduced cell, the shortest that span the lattice (P. Q. Nguyen,
    D. Stehlé, ACM Trans. Algorithms 5, 46 (2009)): a skewed cell would otherwise count as long. It is lengths that are
    asked for, not heights between opposite faces, which are shorter where angles are oblique (by √(2/3) in diamond's
    primitive cell).
    """
    if length <= 0.0:
        return Supercell(primitive, (1, 1, 1), _three(primitive.lengths))
    reduced = _reduced(primitive)
    first, second, third = (max(1, ceil(length / side - 1e-9)) for side in reduced.lengths)
    crystal = repeated(reduced, (first, second, third))
    return Supercell(crystal, (first, second, third), _three(crystal.lengths))


def repeated(crystal: Crystal, repeats: tuple[int, int, int]) -> Crystal:
    """A diagonal supercell; the images of one atom follow each other."""
    shifts = np.array(list(itertools.product(*(range(n) for n in repeats))), dtype=float)
    frac = (crystal.frac[:, None, :] + shifts[None]) / np.array(repeats)
    cell = crystal.cell * np.array(repeats)[:, None]
    return Crystal(cell, frac.reshape(-1, 3), np.repeat(crystal.numbers, len(shifts)))


def rattled(crystal: Crystal, *, count: int, amplitude: float, seed: int) -> tuple[Crystal, ...]:
    """`count` copies, each coordinate moved by a Gaussian of standard deviation `amplitude` (Å), the mean taken off.

    Copy number i depends on (seed, i) only. Raises InputError where no draw keeps the atoms apart.
    """
    floor = CLOSEST * shortest_distance(crystal)
    return tuple(_rattled(crystal, amplitude, np.random.default_rng([seed, index]), floor) for index in range(count))


def _rattled(crystal: Crystal, amplitude: float, rng: np.random.Generator, floor: float) -> Crystal:
    for _ in range(TRIES):
        moves = rng.normal(0.0, amplitude, (crystal.n_atoms, 3))
        moves -= moves.mean(axis=0)
        copy = Crystal(crystal.cell, crystal.frac + moves @ np.linalg.inv(crystal.cell), crystal.numbers)
        if shortest_distance(copy) >= floor:
            return copy
    raise InputError(f"rattled by {amplitude:g} Å its atoms always come nearer than {floor:.2f} Å")


def _reduced(crystal: Crystal) -> Crystal:
    cell, _ = minkowski_reduce(np.array(crystal.cell))
    return Crystal(cell, crystal.positions @ np.linalg.inv(cell), crystal.numbers)


def _three(values: np.ndarray) -> tuple[float, float, float]:
    first, second, third = (float(value) for value in values)
    return first, second, third
