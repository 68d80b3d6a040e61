"""What a κ_L will take before it starts: triplets of phonons, seconds of the Boltzmann equation, memory.

The model counts what phono3py's kernels do. Per triplet of q-points the transformation of FC3 to reciprocal space
visits every triplet of atoms that FC3 does not leave zero, three times (an average over the first atom), and the
transformation to normal modes costs the fourth power of the number of bands; LBTE adds the collision matrix and
one diagonalisation a temperature. The constants are measured: see docs/conductivity.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from phono3py import Phono3py
from phono3py.phonon3.triplets import get_triplets_at_q
from phonopy.phonon.grid import get_ir_grid_points

from kappakit.force_constants import nonzero_triplets

SECONDS_PER_CACHED_ATOM_TRIPLET = 5.0e-8
SECONDS_PER_STREAMED_ATOM_TRIPLET = 2.1e-7
STREAMED_BYTES = 32 * 1024.0**2
"""An FC3 of this size and more comes from memory at every triplet of q-points; a smaller one partly from the cache."""
SECONDS_PER_BAND_POWER = 2.0e-8
SECONDS_PER_COLLISION_ELEMENT = 1.0e-7
SECONDS_PER_DIAGONAL_CUBE = 1.2e-9
FIXED_SECONDS = 0.5
PROCESS_GIB = 0.4
FC3_COPIES = 3
GIB = 1024.0**3


@dataclass(frozen=True)
class Cost:
    """`triplets` over all irreducible q-points; seconds of RTA and LBTE on the given threads; peak memory in GiB."""

    triplets: int
    rta_seconds: float
    lbte_seconds: float
    memory: float


def cost(calculation: Phono3py, mesh: tuple[int, int, int], *, temperatures: int, threads: int) -> Cost:
    """Expected cost of κ_L on a mesh; the calculation needs its displacements, not its forces."""
    calculation.mesh_numbers = list(mesh)
    points = get_ir_grid_points(calculation.grid)[0]
    triplets = _triplets(calculation, points)
    bands = 3 * len(calculation.primitive)
    rta = FIXED_SECONDS + triplets * _seconds_per_triplet(calculation, bands) / threads
    size = 3 * bands * len(points)
    collision = SECONDS_PER_COLLISION_ELEMENT * triplets * bands**3 / threads
    diagonal = SECONDS_PER_DIAGONAL_CUBE * size**3 * temperatures
    return Cost(triplets, rta, rta + collision + diagonal, _memory(calculation, size, temperatures))


def _seconds_per_triplet(calculation: Phono3py, bands: int) -> float:
    streamed = min(1.0, _fc3_bytes(calculation) / STREAMED_BYTES)
    slower = SECONDS_PER_STREAMED_ATOM_TRIPLET - SECONDS_PER_CACHED_ATOM_TRIPLET
    visited = int(nonzero_triplets(calculation).sum())
    return (SECONDS_PER_CACHED_ATOM_TRIPLET + slower * streamed) * visited + SECONDS_PER_BAND_POWER * bands**4


def _fc3_bytes(calculation: Phono3py) -> int:
    return len(calculation.primitive) * len(calculation.supercell) ** 2 * 27 * 8


def _triplets(calculation: Phono3py, points: np.ndarray) -> int:
    """Triplets that symmetry leaves, summed over the irreducible q-points."""
    grid = calculation.grid
    assert grid is not None
    return sum(len(get_triplets_at_q(grid.grg2bzg[point], grid)[0]) for point in points)


def _memory(calculation: Phono3py, size: int, temperatures: int) -> float:
    """GiB: copies of FC3 while it is symmetrised, collision matrices of all temperatures, the process itself."""
    collision = size**2 * 8 * (temperatures + 2)
    return (FC3_COPIES * _fc3_bytes(calculation) + collision) / GIB + PROCESS_GIB
