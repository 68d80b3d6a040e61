"""FC3 as one list of terms on the lattice: the legs joined, each pair of lattice vectors once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from kappakit.engines.boltzmann.terms import Leg


@dataclass(frozen=True, eq=False)
class LatticeTerms:
    """Φ(i L_I, j L, k 0) of n atoms, L modulo a mesh.

    values (u, 27) eV/Å³, the Cartesian components in the order i, j, k; `first` (u,) points into the lattice vectors
    `vectors` (m, 3) that L_I takes. Terms that share the atom i and the place (j, k, L) follow each other:
    `starts` (n × p + 1,) by i, then by place. `pairs` (n² + 1,): where the places of each j, k begin; `folded` (p, 3):
    L of each place in units of the mesh, so that q·L = folded · address / divisions.
    """

    values: np.ndarray
    first: np.ndarray
    vectors: np.ndarray
    starts: np.ndarray
    pairs: np.ndarray
    folded: np.ndarray


def lattice_terms(
    elements: np.ndarray, legs: Sequence[Leg], atoms: int, grid: np.ndarray, divisions: np.ndarray
) -> LatticeTerms:
    """elements (m, 3, 3, 3) eV/Å³ that the legs point to; q = grid @ (address / divisions) of the mesh."""
    vectors, first = distinct([leg.first for leg in legs])
    folded, second = distinct([np.mod(leg.second @ grid, divisions) for leg in legs])
    pairs = [leg.atoms[:, 1] * atoms + leg.atoms[:, 2] for leg in legs]
    places, place = _numbered([pair * len(folded) + number for pair, number in zip(pairs, second, strict=True)])
    keys, number = _numbered(
        [
            (leg.atoms[:, 0] * len(places) + where) * len(vectors) + cell
            for leg, where, cell in zip(legs, place, first, strict=True)
        ]
    )
    rows = keys // len(vectors)
    return LatticeTerms(
        values=_joined(elements.reshape(len(elements), 27), legs, number, len(keys)),
        first=keys % len(vectors),
        vectors=vectors,
        starts=np.searchsorted(rows, np.arange(atoms * len(places) + 1)),
        pairs=np.searchsorted(places // len(folded), np.arange(atoms**2 + 1)),
        folded=folded[places % len(folded)],
    )


def _joined(elements: np.ndarray, legs: Sequence[Leg], numbers: Sequence[np.ndarray], size: int) -> np.ndarray:
    """(size, 27): the legs' weighted elements, their components in the phonons' order."""
    total = np.zeros((size, 3, 3, 3))
    for leg, number in zip(legs, numbers, strict=True):
        summed = csr_matrix((leg.weights, (number, leg.blocks)), shape=(size, len(elements))) @ elements
        total += summed.reshape(size, 3, 3, 3).transpose(0, *(1 + leg.axes.index(slot) for slot in range(3)))
    return total.reshape(size, 27)


def distinct(vectors: Sequence[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """(distinct rows of all (u, 3), for each array the number of its rows among them)."""
    together = np.concatenate(vectors)
    low = together.min(axis=0)
    spans = together.max(axis=0) - low + 1
    keys, numbers = _numbered([np.ravel_multi_index(tuple((array - low).T), spans) for array in vectors])
    return np.stack(np.unravel_index(keys, spans), axis=1) + low, numbers


def _numbered(keys: Sequence[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """(distinct keys of all, ascending; for each array the numbers of its own among them)."""
    found, inverse = np.unique(np.concatenate(keys), return_inverse=True)
    return found, np.split(inverse, np.cumsum([len(array) for array in keys])[:-1])
