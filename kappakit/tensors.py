"""κ_L as a tensor: principal values, principal directions and the words for them."""

from __future__ import annotations

from itertools import product
from math import gcd

import numpy as np

DEGENERATE = 1e-3
"""Principal values that differ by less than this share of the largest count as equal."""
MAX_INDEX = 6
CLOSE_ENOUGH = 0.2
"""Degrees: among lattice directions within this of the nearest one the simplest is named, and one further off than
this is named with its deviation."""
VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


def from_voigt(kappa: np.ndarray) -> np.ndarray:
    """(..., 3, 3) tensors from phono3py's (..., 6) in the order xx, yy, zz, yz, xz, xy; any unit."""
    tensor = np.empty((*kappa.shape[:-1], 3, 3))
    for index, (i, j) in enumerate(VOIGT):
        tensor[..., i, j] = tensor[..., j, i] = kappa[..., index]
    return tensor


def principal(kappa: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(values (..., 3) descending, directions (..., 3, 3): row i is the unit vector of value i) of the symmetrised κ.

    The sign of a direction is the one whose largest component is positive.
    """
    values, vectors = np.linalg.eigh((kappa + np.swapaxes(kappa, -1, -2)) / 2)
    directions = np.swapaxes(vectors, -1, -2)[..., ::-1, :]
    largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=-1)[..., None], axis=-1)
    return values[..., ::-1], directions * np.where(largest < 0, -1.0, 1.0)


def direction_words(values: np.ndarray, directions: np.ndarray, cell: np.ndarray) -> tuple[str, str, str]:
    """Words for the three principal directions of one tensor.

    values (3,) descending; directions (3, 3) rows; cell (3, 3) Å: [uvw] counts these lattice vectors. Equal values
    have no directions of their own: 'any direction', or 'any direction in the plane ⊥ [uvw]'.
    """
    first, second = np.abs(np.diff(values)) < DEGENERATE * np.abs(values).max()
    if first and second:
        return ("any direction",) * 3
    words = [nearest_direction(direction, cell) for direction in directions]
    if first:
        words[0] = words[1] = f"any direction in the plane ⊥ {words[2]}"
    if second:
        words[1] = words[2] = f"any direction in the plane ⊥ {words[0]}"
    return words[0], words[1], words[2]


def nearest_direction(direction: np.ndarray, cell: np.ndarray) -> str:
    """The lattice direction nearest to a unit vector, '[uvw]'; a negative index wears its bar in front as a minus.

    Indices up to MAX_INDEX. A direction that none of them meets is written '[uvw] + 1.3°'.
    """
    angles = np.degrees(np.arccos(np.clip(np.abs(_unit(INDICES @ cell) @ direction), 0.0, 1.0)))
    candidates = np.flatnonzero(angles <= angles.min() + CLOSE_ENOUGH)
    chosen = min(candidates, key=lambda i: (np.abs(INDICES[i]).sum(), -i))
    name = f"[{_indices(INDICES[chosen])}]"
    return name if angles[chosen] <= CLOSE_ENOUGH else f"{name} + {angles[chosen]:.1f}°"


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1)[:, None]


def _positive(indices: tuple[int, ...]) -> bool:
    """One of each ± pair: its first index that is not zero is positive."""
    return next((index for index in indices if index), -1) > 0


def _indices(indices: np.ndarray) -> str:
    separator = "" if np.abs(indices).max() < 10 else " "
    return separator.join(f"{index}" for index in indices)


INDICES = np.array(
    [uvw for uvw in product(range(-MAX_INDEX, MAX_INDEX + 1), repeat=3) if _positive(uvw) and gcd(*uvw) == 1]
)
