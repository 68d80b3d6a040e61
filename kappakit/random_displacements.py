"""Random displacements of all atoms in pairs of opposite ones, and how many of them FC3 may be expected to take."""

from __future__ import annotations

import numpy as np
from phono3py import Phono3py

from kappakit.triplets import places_of

REACH = 5.0
"""Å: elements of FC3 whose atoms are joined by a longer chain (the sum of their two shortest distances) are small."""
SHARE = 4.5
"""Equations for each element within the reach; measured on carbon, see docs/conductivity.md."""
FEWEST = 4


def random_pairs(atoms: int, length: float, seed: int, first: int, last: int) -> np.ndarray:
    """(2m, N, 3) Å: pairs number `first` to before `last`. Every atom moves by `length` in a direction of its own, then
    by the opposite. A pair depends on the seed and its number alone."""
    moves = [_directions(atoms, seed, number) * length for number in range(first, last)]
    return np.array([signed for move in moves for signed in (move, -move)]).reshape(-1, atoms, 3)


def estimated_pairs(calculation: Phono3py, most: int) -> int:
    """How many pairs may be expected to do: SHARE equations for each independent element of FC3 within the reach."""
    places = places_of(calculation.primitive)
    rotations = len(np.unique(calculation.symmetry.symmetry_operations["rotations"], axis=0))
    elements = 27 * _triplets_within(places.distances, places.first) / (6 * rotations)
    wanted = int(np.ceil(SHARE * elements / (3 * len(places.home))))
    return max(2, min(max(wanted, FEWEST), most))


def _directions(atoms: int, seed: int, number: int) -> np.ndarray:
    vectors = np.random.default_rng([seed, number]).normal(size=(atoms, 3))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _triplets_within(distances: np.ndarray, first: np.ndarray) -> int:
    """Triplets with their first atom in the primitive cell whose two shortest sides sum up to less than the reach."""
    found = 0
    for atom in first:
        one, other = distances[atom][:, None], distances[atom]
        longest = np.maximum(np.maximum(one, other), distances)
        found += int(np.count_nonzero(one + other + distances - longest < REACH))
    return found
