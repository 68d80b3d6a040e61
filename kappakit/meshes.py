"""Meshes of q-points and the shells of neighbours beside a cutoff: what a κ_L plan needs of geometry."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from phono3py import Phono3py
from phonopy.phonon.grid import get_ir_grid_points

from kappakit.crystals import Crystal

SAME_SHELL = 1e-3
"""Å: distances closer than this belong to one shell; equivalent neighbours of an idealised cell agree far better."""
ROUND_OFF = 1e-9


def allowed_mesh(crystal: Crystal, rotations: np.ndarray, length: float) -> tuple[int, int, int]:
    """The coarsest mesh n with n_i |a_i| > length (Å) that every rotation maps to itself.

    rotations (r, 3, 3): integers, in the basis of the direct lattice. In reciprocal space a rotation W acts by its
    inverse transpose; with the group closed under inverses, point k_i / n_i stays on the mesh if n_i W_ji / n_j is
    whole for every W.
    """
    least = np.floor(length / crystal.lengths + ROUND_OFF).astype(int) + 1
    return next(mesh for mesh in _growing(least) if _closed(np.array(mesh), rotations))


def irreducible_points(calculation: Phono3py, mesh: tuple[int, int, int]) -> int:
    """Number of q-points that symmetry leaves of a mesh; sets the calculation's mesh."""
    calculation.mesh_numbers = list(mesh)
    assert calculation.grid is not None
    return len(get_ir_grid_points(calculation.grid)[0])


def neighbour_shells(crystal: Crystal, upto: float) -> list[tuple[float, int]]:
    """(distance Å, number of neighbours summed over the atoms of the cell) of every shell closer than `upto`."""
    distances = np.sort(_distances(crystal, upto))
    starts = np.flatnonzero(np.diff(distances, prepend=-np.inf) > SAME_SHELL)
    return [(float(group.mean()), len(group)) for group in np.split(distances, starts[1:]) if len(group)]


def _growing(least: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Meshes from `least` on, fewest points first; equal numbers in all directions, which close, are among them."""
    top = 2 * int(least.max()) + 1
    ranges = [range(int(low), top) for low in least]
    return iter(sorted(product(*ranges), key=lambda mesh: (mesh[0] * mesh[1] * mesh[2], mesh)))  # type: ignore[arg-type]


def _closed(mesh: np.ndarray, rotations: np.ndarray) -> bool:
    return not np.any((mesh[None, :, None] * rotations.transpose(0, 2, 1)) % mesh[None, None, :])


def _distances(crystal: Crystal, upto: float) -> np.ndarray:
    heights = crystal.volume / np.linalg.norm(np.cross(crystal.cell[[1, 2, 0]], crystal.cell[[2, 0, 1]]), axis=1)
    wrapped = crystal.frac - np.floor(crystal.frac)
    reach = np.ceil(upto / heights).astype(int) + 1
    images = np.array(list(product(*(range(-n, n + 1) for n in reach))))
    differences = wrapped[None, :, None] - wrapped[:, None, None] + images
    distances = np.linalg.norm(differences @ crystal.cell, axis=-1).ravel()
    return distances[(distances > SAME_SHELL) & (distances < upto)]
