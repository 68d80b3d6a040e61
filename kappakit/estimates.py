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

SECONDS_PER_ATOM_TRIPLET = 5.0e-8
SECONDS_PER_BAND_POWER = 2.0e-8
SECONDS_PER_COLLISION_ELEMENT = 2.0e-9
SECONDS_PER_DIAGONAL_CUBE = 8.0e-10
FIXED_SECONDS = 0.5
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
    atoms = int(nonzero_triplets(calculation).sum())
    scattering = triplets * (SECONDS_PER_ATOM_TRIPLET * atoms + SECONDS_PER_BAND_POWER * bands**4)
    size = 3 * bands * len(points)
    collision = SECONDS_PER_COLLISION_ELEMENT * triplets * bands**3 * temperatures
    diagonal = SECONDS_PER_DIAGONAL_CUBE * size**3 * temperatures
    rta = FIXED_SECONDS + scattering / threads
    return Cost(triplets, rta, rta + collision / threads + diagonal, _memory(calculation, size, temperatures))


def _triplets(calculation: Phono3py, points: np.ndarray) -> int:
    """Triplets that symmetry leaves, summed over the irreducible q-points."""
    grid = calculation.grid
    assert grid is not None
    return sum(len(get_triplets_at_q(grid.grg2bzg[point], grid)[0]) for point in points)


def _memory(calculation: Phono3py, size: int, temperatures: int) -> float:
    """GiB: three copies of FC3 while it is symmetrised, the collision matrices, the process itself."""
    fc3 = len(calculation.primitive) * len(calculation.supercell) ** 2 * 27 * 8
    return (3 * fc3 + size**2 * 8 * (temperatures + 2)) / GIB + 0.4
