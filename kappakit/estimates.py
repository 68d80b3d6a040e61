"""What a κ_L will take before it starts: triplets of q-points, seconds of the Boltzmann equation, memory.

The model counts what the interaction 'torch' does. Per irreducible q-point FC3 is summed over lattice vectors and over
the first phonon; per triplet of q-points there are a Fourier sum, a product of matrices with the fourth power of the
number of bands, and the tetrahedra of every pair of bands. LBTE adds the collision matrix and one diagonalisation a
temperature. Triplets and tetrahedra are counted exactly, the constants are measured: see docs/conductivity.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from time import perf_counter
from typing import Any

import numpy as np
import phonors
from phono3py import Phono3py
from phonopy.phonon.grid import get_ir_grid_points
from phonopy.phonon.tetrahedron_method import get_tetrahedra_relative_gr_grid_address

from kappakit.force_constants import nonzero_triplets

SECONDS_PER_PRODUCT = 5.0e-11
"""Of one floating-point operation in the products of a triplet."""
SECONDS_PER_SUM = 1.45e-10
"""Of one floating-point operation in the sums of a q-point, which move more memory."""
SECONDS_PER_TETRAHEDRON = 1.2e-8
"""Per triplet, pair of bands and tetrahedron; most pairs have no band of the first phonon between them."""
SECONDS_PER_STRENGTH = 2.8e-8
"""Per triplet and three bands: finding the strengths that can conserve energy, one in ten, and carrying them on."""
SECONDS_PER_COLLISION_ELEMENT = 1.5e-9
SECONDS_PER_ROW_ELEMENT = 2.0e-9
SECONDS_PER_DIAGONAL_CUBE = 1.8e-10
SECONDS_PER_POINT = 0.01
FIXED_SECONDS = 2.0
PRODUCT_SECONDS = 2.6e-11
"""Of one floating-point operation in `measured_speed`, where the constants above were measured."""
PROBE_SECONDS, PROBE_MATRICES = 0.5, 64
VECTORS_PER_CELL = 7
"""Lattice vectors between two atoms that FC3 takes, per primitive cell of its supercell; at most the mesh's points."""
PROCESS_GIB = 0.7
FC3_COPIES = 3
BYTES_PER_ELEMENT = 2048
"""Of the terms on the lattice that one element of FC3 becomes, while they are gathered."""
GIB = 1024.0**3


@dataclass(frozen=True)
class Cost:
    """`triplets` over all irreducible q-points; seconds of RTA and LBTE on the given threads; peak memory in GiB."""

    triplets: int
    rta_seconds: float
    lbte_seconds: float
    memory: float


@dataclass(frozen=True)
class _Size:
    """What is counted: bands, irreducible q-points, their triplets, operations of the point group, tetrahedra around a
    q-point, places (pairs of atoms of the primitive cell × lattice vectors between them)."""

    bands: int
    points: int
    triplets: int
    operations: int
    tetrahedra: int
    places: int


def cost(calculation: Phono3py, grid: Any, *, temperatures: int, threads: int, speed: float | None = None) -> Cost:
    """Expected cost of κ_L on a grid: what `mesh_numbers` of phono3py takes, three numbers or a length in Å.

    The calculation needs its displacements, not its forces. speed: of this machine, measured where it is None.
    """
    calculation.mesh_numbers = grid
    size = _counted(calculation)
    pace = threads * (measured_speed(size.bands) if speed is None else speed)
    rta = (
        FIXED_SECONDS
        + size.points * _seconds_per_point(size) / pace
        + size.triplets * _seconds_per_triplet(size) / pace
    )
    collisions = _collision_seconds(size, temperatures) / pace
    return Cost(size.triplets, rta, rta + collisions, _memory(calculation, size, temperatures))


@lru_cache
def measured_speed(bands: int) -> float:
    """How fast one core here transforms matrices of that many bands, 1 where the constants were measured.

    The best of half a second of tries: others on the machine disturb some, not all.
    """
    rng = np.random.default_rng(0)
    left = rng.normal(size=(PROBE_MATRICES, bands, bands)) + 1j * rng.normal(size=(PROBE_MATRICES, bands, bands))
    out, best = np.empty_like(left), np.inf
    end = perf_counter() + PROBE_SECONDS
    while perf_counter() < end:
        start = perf_counter()
        np.matmul(left, left[0], out=out)
        best = min(best, perf_counter() - start)
    return PRODUCT_SECONDS * _small_matrices(bands) * PROBE_MATRICES * 8 * bands**3 / best


def _small_matrices(bands: int) -> float:
    """How much longer an operation takes in matrices smaller than 24 × 24, where the constants were measured."""
    return max(1.0, 24.0 / bands) ** 0.75


def _counted(calculation: Phono3py) -> _Size:
    grid: Any = calculation.grid
    points = get_ir_grid_points(grid)[0]
    atoms, cells = len(calculation.primitive), len(calculation.supercell) // len(calculation.primitive)
    vectors = min(int(np.prod(grid.D_diag)), VECTORS_PER_CELL * cells)
    return _Size(
        bands=3 * atoms,
        points=len(points),
        triplets=_triplets(grid, points),
        operations=len(grid.rotations),
        tetrahedra=len(get_tetrahedra_relative_gr_grid_address(grid, True)),
        places=atoms**2 * vectors,
    )


def _triplets(grid: Any, points: np.ndarray) -> int:
    """Triplets that symmetry leaves, summed over the irreducible q-points."""
    divisions = np.array(grid.D_diag, dtype="int64")
    rotations = np.array(grid.rotations, dtype="int64", order="C")
    return sum(phonors.ir_triplets_at_q(int(point), divisions, rotations, True, True)[2] for point in points)


def _seconds_per_point(size: _Size) -> float:
    """The sum over the first phonon: 3 × 3 complex components at every place, for every band of q0."""
    return SECONDS_PER_POINT + SECONDS_PER_SUM * 72 * size.bands**2 * size.places


def _seconds_per_triplet(size: _Size) -> float:
    products = SECONDS_PER_PRODUCT * (8 * size.bands**4 + 72 * size.bands * size.places)
    tetrahedra = SECONDS_PER_TETRAHEDRON * size.bands**2 * size.tetrahedra
    return products + tetrahedra + SECONDS_PER_STRENGTH * size.bands**3


def _collision_seconds(size: _Size, temperatures: int) -> float:
    """What LBTE adds: strengths into rates, rates into rows, one diagonalisation a temperature."""
    rates = SECONDS_PER_COLLISION_ELEMENT * size.triplets * size.bands**3 * (1 + temperatures)
    rows = SECONDS_PER_ROW_ELEMENT * size.points**2 * size.operations * size.bands**2 * 9 * temperatures
    return rates + rows + SECONDS_PER_DIAGONAL_CUBE * (3 * size.bands * size.points) ** 3 * temperatures


def _memory(calculation: Phono3py, size: _Size, temperatures: int) -> float:
    """GiB: copies of FC3 while it is symmetrised or its terms while they are gathered, FC3 at one q0, collision
    matrices of all temperatures, the process itself."""
    atoms = len(calculation.primitive) * len(calculation.supercell) ** 2
    elements = int(nonzero_triplets(calculation).sum())
    fc3 = max(FC3_COPIES * atoms * 27 * 8, atoms * 27 * 8 + elements * BYTES_PER_ELEMENT)
    at_q0 = 3 * size.places * size.bands * 9 * 16
    collision = (3 * size.bands * size.points) ** 2 * 8 * (temperatures + 2)
    return (fc3 + at_q0 + collision) / GIB + PROCESS_GIB
