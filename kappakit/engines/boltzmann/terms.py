"""FC3 as a sum over lattice vectors: which element counts with which weight at which pair of vectors.

phono3py anchors the sum at each of the three atoms in turn ("legs", averaged where make_r0_average is set) and takes a
supercell atom at all of its equally near images. Moved by a lattice vector so that the third atom lies in the home
cell, a term reads w · Φ(block) · exp 2πi (q0·L_I + q1·L): phases of atoms' positions go to the eigenvectors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

LEGS = ((0, 1, 2), (1, 0, 2), (2, 1, 0))
"""Which of (first, second, third) phonon the anchor and the two inner atoms of an element belong to, leg by leg."""
UNIQUE_LEG_FACTOR = 3.0


@dataclass(frozen=True, eq=False)
class Leg:
    """Terms of one leg. `axes` is its row of LEGS; `blocks` (e,) index into the elements (m, 3, 3, 3) handed over with
    it; `weights` (e,); `atoms` (e, 3) of the primitive cell, in the phonons' order; `first` (e, 3): lattice vectors
    L_I, `second` (e, 3): L."""

    axes: tuple[int, int, int]
    blocks: np.ndarray
    weights: np.ndarray
    atoms: np.ndarray
    first: np.ndarray
    second: np.ndarray


@dataclass(frozen=True, eq=False)
class Sites:
    """Where supercell atoms lie. `vectors` (v, 3) and `multiplicity` (N, n, 2) are phono3py's shortest vectors in units
    of the primitive cell; `homes` (N,): the atom of the primitive cell; `positions` (n, 3) fractional."""

    vectors: np.ndarray
    multiplicity: np.ndarray
    homes: np.ndarray
    positions: np.ndarray


def sites(primitive: Any) -> Sites:
    """Of phonopy's Primitive."""
    vectors, multiplicity = primitive.get_smallest_vectors()
    homes = np.array([primitive.p2p_map[atom] for atom in primitive.s2p_map])
    return Sites(np.asarray(vectors), np.asarray(multiplicity), homes, np.asarray(primitive.scaled_positions))


def legs(where: Sites, kept: np.ndarray, shortest: np.ndarray | None) -> Iterator[Leg]:
    """The legs of all elements in `kept` (m, 3): anchor of the primitive cell, two supercell atoms.

    shortest (n, N, N): elements whose three legs are equal, so that the first counts for all; None: no average over
    the legs, the first alone.
    """
    if shortest is None:
        yield _leg(where, LEGS[0], kept, np.arange(len(kept)), np.ones(len(kept)))
        return
    unique = shortest[tuple(kept.T)] != 0
    weights = np.where(unique, UNIQUE_LEG_FACTOR, 1.0) / len(LEGS)
    others = np.flatnonzero(~unique)
    yield _leg(where, LEGS[0], kept, np.arange(len(kept)), weights)
    for axes in LEGS[1:]:
        yield _leg(where, axes, kept[others], others, np.full(len(others), 1.0 / len(LEGS)))


def _leg(
    where: Sites, axes: tuple[int, int, int], elements: np.ndarray, blocks: np.ndarray, weights: np.ndarray
) -> Leg:
    """Every element at every pair of images of its two inner atoms."""
    anchor, second, third = elements.T
    images = [where.multiplicity[atom, anchor] for atom in (second, third)]
    counts = images[0][:, 0] * images[1][:, 0]
    term = np.repeat(np.arange(len(elements)), counts)
    rank = np.arange(len(term)) - np.repeat(np.cumsum(counts) - counts, counts)
    picked = np.divmod(rank, images[1][term, 0])
    vectors = np.zeros((3, len(term), 3), dtype=np.int64)
    atoms = np.empty((len(term), 3), dtype=np.int64)
    atoms[:, axes[0]] = anchor[term]
    for slot, inner, image, chosen in zip(axes[1:], (second, third), images, picked, strict=True):
        atoms[:, slot] = where.homes[inner[term]]
        vectors[slot] = _lattice_vectors(where, image[term, 1] + chosen, anchor[term], atoms[:, slot])
    return Leg(
        axes, blocks[term], weights[term] / counts[term], atoms, vectors[0] - vectors[2], vectors[1] - vectors[2]
    )


def _lattice_vectors(where: Sites, index: np.ndarray, anchor: np.ndarray, home: np.ndarray) -> np.ndarray:
    """(e, 3) whole numbers: the cell in which an image lies, seen from the anchor's."""
    return np.rint(where.vectors[index] + where.positions[anchor] - where.positions[home]).astype(np.int64)


def shortest_triplets(where: Sites, primitive: Any, tolerance: float) -> np.ndarray:
    """(n, N, N) bytes: phono3py's `all_shortest`, whole arrays at a time.

    1 where both inner atoms have one image near the anchor, the third one near the second, and the vector between the
    two, seen from the anchor, is as long as the shortest one.
    """
    multiplicity, homes = where.multiplicity, where.homes
    single = multiplicity[:, :, 0] == 1
    carried = _carried_home(primitive)
    found = np.zeros((single.shape[1], len(homes), len(homes)), dtype="byte", order="C")
    for anchor in range(single.shape[1]):
        second = np.flatnonzero(single[:, anchor])
        vectors = where.vectors[multiplicity[:, anchor, 1]]
        moved = carried[second], homes[second][:, None]
        shortest = where.vectors[multiplicity[*moved, 1]]
        lengths = [
            np.linalg.norm(v @ primitive.cell, axis=-1) for v in (vectors[None] - vectors[second][:, None], shortest)
        ]
        equal = np.abs(lengths[1] - lengths[0]) < tolerance
        found[anchor, second] = equal & single[:, anchor][None] & single[moved]
    return found


def _carried_home(primitive: Any) -> np.ndarray:
    """(N, N): where atom k comes when atom j is carried to its home cell by a lattice translation."""
    permutations = np.asarray(primitive.atomic_permutations)
    home = np.asarray(primitive.s2p_map)
    row = np.argmax(permutations == home[None], axis=0)
    return permutations[row]
