"""The Minkowski-reduced cell that GPAW computes in, and the way back.

A skewed cell needs a finer grid and more k points for the same lattice, and the kernel's table of a vdW functional may
end below its grid. The Cartesian frame is kept, so forces and stress need no way back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase.geometry import minkowski_reduce

from kappakit.crystals import Crystal


@dataclass(frozen=True, eq=False)
class Reduction:
    """`operation` (3, 3), integer, of determinant ±1: reduced cell = operation @ cell, right-handed."""

    operation: np.ndarray

    @classmethod
    def of(cls, crystal: Crystal) -> Reduction:
        """The identity for a right-handed cell that is reduced already."""
        reduced, operation = minkowski_reduce(crystal.cell)
        return cls(operation if np.linalg.det(np.asarray(reduced)) > 0 else -operation)

    @property
    def changes(self) -> bool:
        """Whether the cell is another one."""
        return bool((self.operation != np.eye(3)).any())

    def reduce(self, crystal: Crystal) -> Crystal:
        """The same atoms, in the same order and place, in the reduced cell."""
        back = np.round(np.linalg.inv(self.operation))
        return Crystal(self.operation @ crystal.cell, crystal.frac @ back, crystal.numbers)

    def restore(self, crystal: Crystal) -> Crystal:
        """The inverse of reduce."""
        back = np.round(np.linalg.inv(self.operation))
        return Crystal(back @ crystal.cell, crystal.frac @ self.operation, crystal.numbers)
