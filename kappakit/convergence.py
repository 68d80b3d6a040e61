"""Meshes of q-points by their length, and what a longer one changes of κ_L: numpy alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kappakit.tensors import principal

SPACING, AXES, GIVEN = "spacing", "axes", "given"
ROUND_OFF = 1e-9
Rows = tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int, int]]


def rows_of(matrix: np.ndarray) -> Rows:
    """A (3, 3) matrix of whole numbers as plain tuples."""
    first, second, third = (tuple(int(value) for value in row) for row in np.asarray(matrix))
    return first, second, third  # type: ignore[return-value]


@dataclass(frozen=True)
class Mesh:
    """A mesh of q-points, even along three reciprocal vectors.

    `numbers`: divisions along the reciprocal vectors of the conventional cell (rule 'spacing') or of the primitive cell
    itself ('axes', 'given'). `matrix` (3, 3): phono3py's grid matrix in the primitive cell's basis. `length` Å: one
    over the widest spacing of q-points along those reciprocal vectors.
    """

    rule: str
    numbers: tuple[int, int, int]
    matrix: Rows
    length: float

    @property
    def points(self) -> int:
        """q-points, symmetry not used."""
        return abs(round(float(np.linalg.det(np.array(self.matrix)))))


@dataclass(frozen=True, eq=False)
class MeshStep:
    """κ_L on one mesh: kappa (3, 3) W/(m·K) at the ranked temperature in the axes of the cell; irreducible q-points;
    wall time in s."""

    mesh: Mesh
    irreducible: int
    kappa: np.ndarray
    seconds: float


@dataclass(frozen=True)
class Convergence:
    """What the last step of the mesh changed, as shares of the value on the longest mesh.

    `largest`: of the largest principal value; `directions`: along each principal direction of the longest mesh, in the
    order of its principal values. `error`: estimate of what is still missing of the largest of these.
    """

    largest: float
    directions: tuple[float, float, float]
    error: float

    def within(self, tolerance: float) -> bool:
        """Whether no principal value changed by more than the share `tolerance`."""
        return max(abs(self.largest), *map(abs, self.directions)) <= tolerance


def mesh_lengths(length: float, step: float, longest: float) -> Iterator[float]:
    """Lengths in Å in the order in which they are tried: one below `length`, `length`, then ever longer ones.

    A step of 1 means no test: `length` alone.
    """
    if step <= 1:
        yield length
        return
    yield length / step
    yield length
    while (length := length * step) <= longest * (1 + ROUND_OFF):
        yield length


def convergence(steps: Sequence[MeshStep]) -> Convergence | None:
    """What the last of these steps changed; None where there is only one."""
    if len(steps) < 2:
        return None
    before, after = steps[-2], steps[-1]
    values, axes = principal(after.kappa)
    changed = np.einsum("ia,ab,ib->i", axes, after.kappa - before.kappa, axes) / values
    largest = float((values[0] - principal(before.kappa)[0][0]) / values[0])
    first, second, third = map(float, changed)
    worst = max(abs(largest), *map(abs, (first, second, third)))
    return Convergence(largest, (first, second, third), worst / _share_left(before.mesh, after.mesh))


def _share_left(before: Mesh, after: Mesh) -> float:
    """By what a step's change is divided to estimate the error left, for an error that falls with the spacing.

    With κ(L) = κ + c/L, the step from L₁ to L₂ changes c (1/L₁ − 1/L₂), and c/L₂ is left: the change over L₂/L₁ − 1.
    The measure of the spacing is the number of q-points, which grows with the third power of the length.
    """
    ratio = (after.points / before.points) ** (1 / 3)
    return max(ratio - 1.0, 0.05)
