"""Force constants fitted to pairs of opposite random displacements of all atoms.

The forces of u and −u are added and subtracted. Half of the sum, −½ Φ₃ u u + O(u⁴), knows nothing of Φ₂ and Φ₄;
half of the difference, −Φ₂ u + O(u³), nothing of Φ₃. FC2 is fitted by symfc (A. Seko, A. Togo, Phys. Rev. B 110, 214302
(2024)),
FC3 here: there are fewer forces than unknowns, and of all solutions the one is taken that is smallest in units of what
its elements may be expected to be. Elements of FC3 fall off exponentially with the length of the chain that joins the
three atoms, the sum of their two shortest distances: in diamond, lonsdaleite and bct-C4 from 1.5 to 0.002 eV/Å³ between
2.5 and 9 Å, a factor e in 1 Å, and somewhat more where the chain is straight. Elements that the forces determine do not
depend on this expectation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from phono3py import Phono3py
from scipy.sparse.linalg import LinearOperator, lsqr

from kappakit.symmetric_fits import FCBasisSetO2, FCSolverO2, SymfcAtoms
from kappakit.triplets import Constraints, Orbits

DECAY = 1.0
"""Å: expected elements of FC3 fall by a factor e over this length of the chain of their atoms."""
STRAIGHT = 0.3
"""Share of the longest distance that is added to the length of the chain."""
PRECISION = 1e-4
"""Relative: the iterations end when forces or gradient change by less; forces of float32 carry no more."""
MAX_ITERATIONS = 400


@dataclass(frozen=True, eq=False)
class Pairs:
    """u (m, N, 3) Å; forces (m, 2, N, 3) eV/Å of u and of −u."""

    displacements: np.ndarray
    forces: np.ndarray

    @property
    def even(self) -> np.ndarray:
        """(m, N, 3): what third order does."""
        return self.forces.mean(axis=1)

    @property
    def odd(self) -> np.ndarray:
        """(m, N, 3): what second order does."""
        return (self.forces[:, 0] - self.forces[:, 1]) / 2

    def __len__(self) -> int:
        return len(self.displacements)

    def __getitem__(self, part: slice) -> Pairs:
        return Pairs(self.displacements[part], self.forces[part])


def is_paired(dataset: Any) -> bool:
    """Whether a data set is a list of random displacements, each followed by its opposite."""
    listed = dataset.get("displacements") if dataset else None
    return listed is not None and len(listed) % 2 == 0 and bool(np.array_equal(listed[::2], -listed[1::2]))


def pairs_of(dataset: Any) -> Pairs:
    """The pairs of a data set (type 2: displacements and forces, both (2m, N, 3))."""
    listed, forces = dataset["displacements"], dataset["forces"]
    return Pairs(listed[::2], np.asarray(forces).reshape(-1, 2, *listed.shape[1:]))


def fitted_second_order(calculation: Phono3py, pairs: Pairs) -> np.ndarray:
    """(n, N, 3, 3) eV/Å²: compact FC2 of the FC3 supercell, with every symmetry."""
    supercell = calculation.supercell
    cell = SymfcAtoms(cell=supercell.cell, scaled_positions=supercell.scaled_positions, numbers=supercell.numbers)
    operations = calculation.symmetry.symmetry_operations
    basis = FCBasisSetO2(cell, spacegroup_operations=operations).run()
    solver = FCSolverO2(basis).solve(np.array(pairs.displacements), np.array(pairs.odd))
    return np.array(solver.compact_fc, dtype="double", order="C")


class ThirdOrderFit:
    """FC3 of one supercell; unknowns and their sum rule are prepared once, then fitted to any number of pairs."""

    def __init__(self, calculation: Phono3py, cutoff: float) -> None:
        """cutoff Å: elements vanish where two of the three atoms are farther apart; 0: none."""
        operations = calculation.symmetry.symmetry_operations
        self._orbits = Orbits(calculation.supercell, calculation.primitive, operations, cutoff)
        sides = self._orbits.sides
        self._scales = np.exp(-(sides[:, 0] + sides[:, 1] + STRAIGHT * sides[:, 2]) / DECAY)
        self._constraints = Constraints(self._orbits.drifts(self._scales))
        self._columns = _Columns(self._orbits)

    @property
    def unknowns(self) -> int:
        """Elements of FC3 that symmetry leaves."""
        return self._orbits.unknowns

    def solve(self, pairs: Pairs, start: np.ndarray | None = None) -> np.ndarray:
        """Coordinates (27 o,) of the smallest FC3 that gives the even forces; `start`: those of an earlier fit."""
        table = self._columns.products(pairs.displacements)
        operator = LinearOperator(
            (3 * table.shape[0] * self._columns.primitive_atoms, 27 * self._orbits.size),
            matvec=lambda z: self._columns.forces(self._elements(z), table).ravel(),
            rmatvec=lambda forces: self._gradient(forces, table),
            dtype=float,
        )
        target = self._columns.targets(pairs.even).ravel()
        found = lsqr(operator, target, atol=PRECISION, btol=PRECISION, iter_lim=MAX_ITERATIONS, x0=start)
        return np.asarray(found[0])

    def error(self, z: np.ndarray, pairs: Pairs) -> float:
        """Root mean square of what is wrong with the even forces of pairs, relative to that of these forces."""
        targets = self._columns.targets(pairs.even)
        found = self._columns.forces(self._elements(z), self._columns.products(pairs.displacements))
        return float(np.linalg.norm(found - targets) / np.linalg.norm(targets))

    def compact(self, z: np.ndarray) -> np.ndarray:
        """(n, N, N, 3, 3, 3) eV/Å³."""
        return self._orbits.compact(self._elements(z))

    def store(self, z: np.ndarray, calculation: Phono3py) -> None:
        """FC3 into the calculation, and which triplets of atoms phono3py has to visit."""
        calculation.fc3 = self.compact(z)
        used = self._orbits.used.reshape(self._orbits.places.shape)
        calculation.fc3_nonzero_indices = np.array(used, dtype="byte", order="C")

    def _elements(self, z: np.ndarray) -> np.ndarray:
        """(o, 27) eV/Å³ on the kept triplets."""
        allowed = self._constraints.project(z).reshape(-1, 27)
        return self._orbits.symmetric(allowed) * self._scales[:, None]

    def _gradient(self, forces: np.ndarray, table: np.ndarray) -> np.ndarray:
        gathered = self._columns.gradient(forces, table) * self._scales[:, None]
        return self._constraints.project(gathered.ravel())


class _Columns:
    """Even forces as a matrix product: (3n, 9c) elements of FC3 of pairs of atoms j ≤ k with (9c, s) products of
    displacements, s counting pairs of supercells and translations."""

    def __init__(self, orbits: Orbits) -> None:
        self._orbits, self._places = orbits, orbits.places
        n, size, _ = self._places.shape
        self.primitive_atoms = n
        j, k = np.triu_indices(size)
        used = orbits.used.reshape(n, size, size)[:, j, k].any(axis=0)
        self._j, self._k = j[used], k[used]
        wanted = np.zeros((n, size, size), dtype=bool)
        wanted[:, self._j, self._k] = True
        self._share = orbits.share(wanted.ravel())
        column = np.zeros((size, size), dtype=int)
        column[self._j, self._k] = np.arange(len(self._j))
        p, first, second = np.unravel_index(self._share.triplets, self._places.shape)
        self._row, self._column = p, column[first, second]
        self._factors = np.where(first == second, -0.5, -1.0)[:, None]

    def products(self, displacements: np.ndarray) -> np.ndarray:
        """(s, 9c): u_j u_k of each pair of supercells under each translation."""
        moved = displacements[:, self._places.translations].reshape(-1, displacements.shape[1], 3)
        return np.asarray((moved[:, self._j, :, None] * moved[:, self._k, None, :]).reshape(len(moved), -1))

    def targets(self, forces: np.ndarray) -> np.ndarray:
        """(3n, s): forces of the atoms that are the primitive ones under each translation."""
        atoms = self._places.translations[:, self._places.first]
        return forces[:, atoms].transpose(2, 3, 0, 1).reshape(3 * self.primitive_atoms, -1)

    def forces(self, z: np.ndarray, table: np.ndarray) -> np.ndarray:
        """(3n, s) eV/Å of elements (o, 27)."""
        matrix = np.zeros((self.primitive_atoms, len(self._j), 3, 9))
        matrix[self._row, self._column] = (self._factors * self._orbits.expanded(z, self._share)).reshape(-1, 3, 9)
        return np.asarray(matrix.transpose(0, 2, 1, 3).reshape(3 * self.primitive_atoms, -1) @ table.T)

    def gradient(self, forces: np.ndarray, table: np.ndarray) -> np.ndarray:
        """(o, 27): the transpose of `forces`."""
        matrix = (forces.reshape(3 * self.primitive_atoms, -1) @ table).reshape(self.primitive_atoms, 3, -1, 9)
        values = matrix.transpose(0, 2, 1, 3)[self._row, self._column].reshape(-1, 27)
        return self._orbits.gathered(self._factors * values, self._share)
