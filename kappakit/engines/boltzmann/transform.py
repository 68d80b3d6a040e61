"""FC3 from the lattice to normal modes, for one q0 after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from kappakit.engines.boltzmann.terms import Leg


@dataclass(frozen=True, eq=False)
class _Gather:
    """One leg as a sparse matrix: rows (lattice vector L, i, j, k), columns the elements of FC3, values
    weights × exp 2πi q0·L_I, where `first` (e,) points into the distinct L_I, `vectors` (u, 3)."""

    axes: tuple[int, int, int]
    starts: torch.Tensor
    columns: torch.Tensor
    weights: torch.Tensor
    first: torch.Tensor
    vectors: np.ndarray


class LatticeTransform:
    """The sums over lattice vectors on one mesh.

    elements (m, 3, 3, 3) eV/Å³: the elements of FC3 that the legs point to. `grid` (3, 3) and `divisions` (3,) of the
    mesh: q = grid @ (address / divisions), so that L counts modulo the mesh only. `vectors` (v, 3): what is left of L,
    as exp 2πi q·L = exp 2πi vector · address / divisions.
    """

    def __init__(
        self,
        elements: np.ndarray,
        legs: Sequence[Leg],
        atoms: int,
        grid: np.ndarray,
        divisions: np.ndarray,
        device: torch.device,
    ) -> None:
        self._atoms, self._device = atoms, device
        folded = [np.mod(leg.second @ grid, divisions) for leg in legs]
        self.vectors, numbers = _distinct(folded)
        self._elements = torch.as_tensor(elements.reshape(-1, 27), dtype=torch.float64, device=device)
        self._gathers = [self._gather(leg, number) for leg, number in zip(legs, numbers, strict=True)]

    def at(self, q: np.ndarray, modes: torch.Tensor) -> torch.Tensor:
        """(v, b, f, b) for f modes (b, f) of q0 = q in reduced coordinates: Σ over L_I and over i, of j, mode, k."""
        n, length = self._atoms, len(self.vectors)
        total = torch.zeros(2, length, n, n, n, 3, 3, 3, dtype=torch.float64, device=self._device)
        for gather in self._gathers:
            found = self._summed(gather, q).view(total.shape)
            total += found.permute(0, 1, 2, 3, 4, *(5 + gather.axes.index(slot) for slot in range(3)))
        first = torch.complex(total[0], total[1]).permute(1, 4, 0, 2, 5, 3, 6).reshape(3 * n, -1)
        mixed = (modes.T @ first).view(-1, length, 3 * n, 3 * n)
        return mixed.permute(1, 2, 0, 3).contiguous()

    def _gather(self, leg: Leg, number: np.ndarray) -> _Gather:
        n = self._atoms
        rows = ((number * n + leg.atoms[:, 0]) * n + leg.atoms[:, 1]) * n + leg.atoms[:, 2]
        order = np.argsort(rows, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(self.vectors) * n**3))])
        vectors, first = _distinct([leg.first])
        return _Gather(
            leg.axes,
            self._tensor(starts),
            self._tensor(leg.blocks[order]),
            self._tensor(leg.weights[order]),
            self._tensor(first[0][order]),
            vectors,
        )

    def _summed(self, gather: _Gather, q: np.ndarray) -> torch.Tensor:
        """(2, rows, 27): real and imaginary part of the sparse matrix times the elements."""
        phases = 2 * np.pi * (gather.vectors @ q)
        parts = []
        for values in (np.cos(phases), np.sin(phases)):
            data = self._tensor(values)[gather.first] * gather.weights
            matrix = torch.sparse_csr_tensor(
                gather.starts,
                gather.columns,
                data,
                (len(gather.starts) - 1, len(self._elements)),
                check_invariants=False,
            )
            parts.append(matrix @ self._elements)
        return torch.stack(parts)

    def _tensor(self, values: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(values, device=self._device)


def _distinct(vectors: Sequence[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """(distinct rows of all (u, 3), for each array the number of its rows among them)."""
    together = np.concatenate(vectors)
    low = together.min(axis=0)
    spans = together.max(axis=0) - low + 1
    keys = np.ravel_multi_index(tuple((together - low).T), spans)
    found, inverse = np.unique(keys, return_inverse=True)
    rows = np.stack(np.unravel_index(found, spans), axis=1) + low
    return rows, np.split(inverse, np.cumsum([len(array) for array in vectors])[:-1])
