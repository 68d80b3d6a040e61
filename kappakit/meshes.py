"""Meshes of q-points and the shells of neighbours beside a cutoff: what a κ_L plan needs of geometry."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from phono3py import Phono3py
from phonopy.phonon.grid import GridMatrix, get_ir_grid_points

from kappakit.convergence import AXES, GIVEN, ROUND_OFF, SPACING, Mesh, mesh_lengths, rows_of
from kappakit.crystals import Crystal
from kappakit.displacements import crystal_of
from kappakit.errors import InputError
from kappakit.protocol import ConductivitySettings

MOST_POINTS = 1_000_000
"""q-points of a mesh: more is a slip of the keyboard, not a calculation."""
SAME_SHELL = 1e-3
"""Å: distances closer than this belong to one shell; equivalent neighbours of an idealised cell agree far better."""


def grid_of(mesh: Mesh) -> Any:
    """What phono3py's `mesh_numbers` takes: three numbers, or a grid matrix where they do not say it all."""
    return np.array(mesh.matrix, dtype="int64") if mesh.rule == SPACING else list(mesh.numbers)


def mesh_of(calculation: Phono3py, settings: ConductivitySettings, length: float) -> Mesh:
    """The mesh of a length (Å) by the settings' rule, for the calculation's primitive cell.

    Raises InputError where it would have more than MOST_POINTS q-points.
    """
    if settings.mesh_rule == AXES:
        rotations = np.asarray(calculation.primitive_symmetry.symmetry_operations["rotations"])
        return given_mesh(calculation, allowed_mesh(crystal_of(calculation.primitive), rotations, length), rule=AXES)
    return spaced_mesh(calculation, length)


def distinct_meshes(calculation: Phono3py, settings: ConductivitySettings) -> Iterator[Mesh]:
    """Those of the settings' lengths in the order in which they are tried, each once: neighbouring lengths may give one
    and the same mesh."""
    lengths = mesh_lengths(settings.mesh_length, settings.mesh_step, settings.max_mesh_length)
    last = None
    for length in lengths:
        mesh = mesh_of(calculation, settings, length)
        if mesh != last:
            yield mesh
        last = mesh


def spaced_mesh(calculation: Phono3py, length: float) -> Mesh:
    """The generalized regular grid of the conventional cell with spacings of at most 1/length, divisions odd.

    It has the lattice's own symmetry, so that no direction of an oblique or centred primitive cell is left thin. An
    even mesh has points on the zone's faces, where screw axes and glide planes make bands stick together in pairs that
    cross the face with opposite velocities; phono3py averages LBTE over such pairs, and κ_L across the face falls below
    RTA, its variational bound (lonsdaleite along c: 1134 W/(m·K) on 9×9×6 and 1575 on 8×8×5, where RTA gives 1303 and
    1271).
    """
    cell = calculation.primitive.cell
    if length**3 / calculation.primitive.volume > MOST_POINTS:
        raise InputError(f"a mesh of length {length:g} Å has more than {MOST_POINTS:,} q-points: choose a shorter one")
    dataset = calculation.primitive_symmetry.dataset
    found = GridMatrix(length - ROUND_OFF, cell, symmetry_dataset=dataset, use_grg=True, rounding="ceiling")
    matrix = np.diag(found.D_diag) if found.grid_matrix is None else np.asarray(found.grid_matrix)
    least = np.gcd.reduce(matrix, axis=1)
    vectors, numbers = matrix // least[:, None], least + 1 - least % 2
    return Mesh(SPACING, _triple(numbers), rows_of(numbers[:, None] * vectors), _length(vectors @ cell, numbers))


def given_mesh(calculation: Phono3py, numbers: Any, *, rule: str = GIVEN) -> Mesh:
    """A mesh of three numbers along the primitive cell's own reciprocal vectors."""
    cell = calculation.primitive.cell
    return Mesh(rule, _triple(numbers), rows_of(np.diag(numbers)), _length(cell, np.asarray(numbers)))


def _length(cell: np.ndarray, numbers: np.ndarray) -> float:
    """Å: one over the widest spacing of `numbers` points along the reciprocal vectors of a cell."""
    return float((numbers / np.linalg.norm(np.linalg.inv(cell), axis=0)).min())


def _triple(values: Any) -> tuple[int, int, int]:
    first, second, third = (int(value) for value in values)
    return first, second, third


def allowed_mesh(crystal: Crystal, rotations: np.ndarray, length: float) -> tuple[int, int, int]:
    """The coarsest mesh n with n_i |a_i| > length (Å) that every rotation maps to itself.

    rotations (r, 3, 3): integers, in the basis of the direct lattice. In reciprocal space a rotation W acts by its
    inverse transpose; with the group closed under inverses, point k_i / n_i stays on the mesh if n_i W_ji / n_j is
    whole for every W.
    """
    least = np.floor(length / crystal.lengths + ROUND_OFF).astype(int) + 1
    return next(mesh for mesh in _growing(least) if _closed(np.array(mesh), rotations))


def irreducible_points(calculation: Phono3py, mesh: Mesh) -> int:
    """Number of q-points that symmetry leaves of a mesh; sets the calculation's mesh."""
    calculation.mesh_numbers = grid_of(mesh)
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
