"""Third-order force constants by orbits of triplets of atoms: what symmetry leaves of them, and their sum rule.

A triplet (p, j, k) has its first atom in the primitive cell, the others in the supercell; Φ(p, j, k) has 27 elements.
Rotations of the crystal with their translations, and the six orders of three atoms, map triplets onto triplets. Of each
orbit one triplet is kept; the elements of Φ on it lie in the subspace that its own stabiliser leaves. The others follow
by Φ(image) = (R ⊗ R ⊗ R) P_σ Φ(kept). K. Esfarjani, H. T. Stokes, Phys. Rev. B 77, 144112 (2008).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations, product
from typing import Any

import numpy as np
from phonopy.harmonic.force_constants import get_nsym_list_and_s2pp
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_array

ORDERS = tuple(permutations(range(3)))
SAME_PLACE = 1e-3
"""Å: atoms of an idealised supercell and their images under its symmetry agree far better."""
NEGLIGIBLE = 1e-9
"""Added to the diagonal of constraints that depend on each other, of normalised rows, so that they can be factored."""


@dataclass(frozen=True, eq=False)
class Places:
    """Atoms of a supercell. home (N,): primitive atom of each, counted 0…n−1; shift (N, N): where the translation that
    brings atom i home sends each atom; first (n,): supercell atoms that are the primitive ones; translations (T, N):
    all of them as permutations; distances (N, N) Å, the shortest over images."""

    home: np.ndarray
    shift: np.ndarray
    first: np.ndarray
    translations: np.ndarray
    distances: np.ndarray

    @property
    def shape(self) -> tuple[int, int, int]:
        """(n, N, N): triplets."""
        return len(self.first), len(self.home), len(self.home)


@dataclass(frozen=True, eq=False)
class Share:
    """Some triplets in the order of the operations that make them from the kept ones. `triplets`, `orbits` (m,);
    operation o makes those from bounds[o] to bounds[o + 1]."""

    triplets: np.ndarray
    orbits: np.ndarray
    bounds: np.ndarray


class Orbits:
    """The triplets of a supercell within a cutoff (Å, 0: none; every pair of the three atoms lies within it).

    Coordinates z (o, 27) are elements of Φ on the kept triplet of each orbit; `sides` (o, 3) Å: the distances of its
    atoms, ascending.
    """

    def __init__(self, supercell: Any, primitive: Any, operations: Any, cutoff: float = 0.0) -> None:
        self.places = places_of(primitive)
        self._operations = list(_operations(supercell, operations))
        self._tensors = [_tensor(rotation, order) for rotation, _, order in self._each()]
        self._kept = self._representatives(cutoff)
        self._orbit, self._maker, self._projectors = self._images()
        self.sides = _sides(self.places, self._kept)

    @property
    def size(self) -> int:
        """Number of orbits."""
        return len(self._kept)

    @property
    def unknowns(self) -> int:
        """Elements that symmetry leaves, the sum rule not counted."""
        return round(float(np.trace(self._projectors, axis1=1, axis2=2).sum()))

    @property
    def used(self) -> np.ndarray:
        """(n·N·N,) bool: triplets that belong to an orbit."""
        return self._orbit >= 0

    def share(self, wanted: np.ndarray) -> Share:
        """Of the triplets wanted (n·N·N,) bool, those that belong to an orbit."""
        chosen = np.flatnonzero(wanted & (self._orbit >= 0))
        chosen = chosen[np.argsort(self._maker[chosen], kind="stable")]
        bounds = np.searchsorted(self._maker[chosen], np.arange(len(self._tensors) + 1))
        return Share(chosen, self._orbit[chosen], bounds)

    def symmetric(self, z: np.ndarray) -> np.ndarray:
        """(o, 27): the part of z that the stabilisers leave."""
        return np.einsum("oab,ob->oa", self._projectors, z)

    def expanded(self, z: np.ndarray, share: Share) -> np.ndarray:
        """(m, 27) Φ on a share of the triplets, in its order; z symmetric."""
        kept = z[share.orbits]
        for tensor, part in self._parts(share):
            kept[part] = kept[part] @ tensor.T
        return kept

    def gathered(self, values: np.ndarray, share: Share) -> np.ndarray:
        """(o, 27): the transpose of `expanded`; an operation makes at most one triplet of an orbit."""
        z = np.zeros((self.size, 27))
        for tensor, part in self._parts(share):
            z[share.orbits[part]] += values[part] @ tensor
        return self.symmetric(z)

    def compact(self, z: np.ndarray) -> np.ndarray:
        """(n, N, N, 3, 3, 3), the form in which phono3py keeps FC3."""
        share = self.share(np.ones(len(self._orbit), dtype=bool))
        whole = np.zeros((len(self._orbit), 27))
        whole[share.triplets] = self.expanded(z, share)
        return whole.reshape(*self.places.shape, 3, 3, 3)

    def drifts(self, scales: np.ndarray) -> csr_array:
        """(r, 27 o): Σ_k Φ(p, j, k) of one pair (p, j) of each orbit of pairs, of coordinates in units of `scales`."""
        found = [(number, *self._drift(pair, scales)) for number, pair in enumerate(self._pairs())]
        rows = np.concatenate([27 * number + row for number, row, _, _ in found])
        columns = np.concatenate([column for _, _, column, _ in found])
        values = np.concatenate([value for _, _, _, value in found])
        return csr_array((values, (rows, columns)), shape=(27 * len(found), 27 * self.size))

    def _drift(self, pair: int, scales: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(rows, columns, values) of one pair, rows counted from 0 to 26."""
        atoms = self.places.shape[1]
        triplets = pair * atoms + np.arange(atoms)
        triplets = triplets[self._orbit[triplets] >= 0]
        orbits = self._orbit[triplets]
        tensors = np.array([self._tensors[maker] for maker in self._maker[triplets]]).reshape(-1, 27, 27)
        blocks = tensors @ self._projectors[orbits] * scales[orbits][:, None, None]
        block, row, column = np.nonzero(np.abs(blocks) > NEGLIGIBLE * np.abs(blocks).max(initial=0.0))
        return row, 27 * orbits[block] + column, blocks[block, row, column]

    def _parts(self, share: Share) -> Iterator[tuple[np.ndarray, slice]]:
        for tensor, start, stop in zip(self._tensors, share.bounds[:-1], share.bounds[1:], strict=True):
            if stop > start:
                yield tensor, slice(start, stop)

    def _each(self) -> Iterator[tuple[np.ndarray, np.ndarray, tuple[int, ...]]]:
        return ((rotation, atoms, order) for (rotation, atoms), order in product(self._operations, ORDERS))

    def _representatives(self, cutoff: float) -> np.ndarray:
        """The lowest triplet of each orbit within the cutoff."""
        places = self.places
        n, atoms, _ = places.shape
        every = np.arange(n * atoms * atoms)
        lowest = every.copy()
        for _, mapped, order in self._each():
            np.minimum(lowest, _image(places, every, mapped, order), out=lowest)
        kept = np.flatnonzero(lowest == every)
        if cutoff:
            kept = kept[_sides(places, kept).max(axis=1) < cutoff]
        return kept

    def _images(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(orbit of each triplet or −1, the operation that makes it, projectors (o, 27, 27) on what is symmetric)."""
        n, atoms, _ = self.places.shape
        orbit, maker = np.full(n * atoms * atoms, -1), np.zeros(n * atoms * atoms, dtype=int)
        projectors = np.zeros((len(self._kept), 27, 27))
        fixed = np.zeros(len(self._kept))
        for number, (_, mapped, order) in enumerate(self._each()):
            image = _image(self.places, self._kept, mapped, order)
            new = np.flatnonzero(orbit[image] < 0)
            orbit[image[new]], maker[image[new]] = new, number
            same = image == self._kept
            projectors[same] += self._tensors[number]
            fixed += same
        return orbit, maker, projectors / fixed[:, None, None]

    def _pairs(self) -> np.ndarray:
        """The lowest pair p·N + j of each orbit of pairs."""
        places = self.places
        n, atoms, _ = places.shape
        every = np.arange(n * atoms)
        p, j = np.divmod(every, atoms)
        lowest = every.copy()
        for (_, mapped), swap in product(self._operations, (False, True)):
            ends = [mapped[places.first[p]], mapped[j]]
            one, other = ends[::-1] if swap else ends
            np.minimum(lowest, places.home[one] * atoms + places.shift[one, other], out=lowest)
        return np.flatnonzero(lowest == every)


class Constraints:
    """Projection onto the coordinates whose force constants obey the sum rule; K (r, v) sparse, K z = 0."""

    def __init__(self, drifts: csr_array) -> None:
        norms = np.sqrt(np.asarray(drifts.multiply(drifts).sum(axis=1)).ravel())
        kept = np.flatnonzero(norms > NEGLIGIBLE * norms.max(initial=0.0))
        self._rows = csr_array(drifts[kept].multiply(1.0 / norms[kept][:, None]))
        self._columns = csr_array(self._rows.T)
        product_ = (self._rows @ self._columns).toarray()
        product_[np.diag_indices_from(product_)] += NEGLIGIBLE
        self._factor = cho_factor(product_)

    def project(self, z: np.ndarray) -> np.ndarray:
        """z without what breaks the sum rule."""
        return z - self._columns @ cho_solve(self._factor, self._rows @ z)


def places_of(primitive: Any) -> Places:
    """What a supercell's translations say of its atoms."""
    translations = np.asarray(primitive.atomic_permutations)
    found, translation = get_nsym_list_and_s2pp(primitive.s2p_map, primitive.p2p_map, translations)
    home, shift = np.asarray(found), translations[translation]
    return Places(home, shift, np.asarray(primitive.p2s_map), translations, _distances(primitive, home, shift))


def _distances(primitive: Any, home: np.ndarray, shift: np.ndarray) -> np.ndarray:
    vectors, multiplicity = primitive.get_smallest_vectors()
    shortest = np.asarray(vectors)[multiplicity[:, :, 1]] @ primitive.cell
    from_primitive = np.linalg.norm(shortest, axis=2).T
    return np.stack([from_primitive[home[atom], shift[atom]] for atom in range(len(home))])


def _operations(supercell: Any, operations: Any) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(Cartesian rotation, where it sends each atom) of one operation for each rotation of the space group."""
    lattice = supercell.cell.T
    inverse = np.linalg.inv(lattice)
    _, chosen = np.unique(operations["rotations"], axis=0, return_index=True)
    for number in chosen:
        rotation, translation = operations["rotations"][number], operations["translations"][number]
        yield lattice @ rotation @ inverse, _mapped(supercell, rotation, translation)


def _mapped(supercell: Any, rotation: np.ndarray, translation: np.ndarray) -> np.ndarray:
    moved = supercell.scaled_positions @ rotation.T + translation
    apart = moved[:, None] - supercell.scaled_positions
    distances = np.linalg.norm((apart - np.rint(apart)) @ supercell.cell, axis=2)
    found = distances.argmin(axis=1)
    if distances.min(axis=1).max() > SAME_PLACE or len(set(found)) < len(found):
        raise ValueError("an operation of the space group does not map the supercell's atoms onto each other")
    return found


def _tensor(rotation: np.ndarray, order: tuple[int, ...]) -> np.ndarray:
    """(27, 27): what an operation and an order of the atoms make of a flattened Φ."""
    turned = np.einsum("ad,be,cf->abcdef", rotation, rotation, rotation)
    back = np.argsort(order)
    return turned.transpose(0, 1, 2, *(3 + back)).reshape(27, 27)


def _image(places: Places, triplets: np.ndarray, mapped: np.ndarray, order: tuple[int, ...]) -> np.ndarray:
    atoms = mapped[_atoms(places, triplets)][list(order)]
    size = places.shape[1]
    one, two = places.shift[atoms[0], atoms[1]], places.shift[atoms[0], atoms[2]]
    return (places.home[atoms[0]] * size + one) * size + two


def _atoms(places: Places, triplets: np.ndarray) -> np.ndarray:
    """(3, m) supercell atoms of triplets."""
    p, j, k = np.unravel_index(triplets, places.shape)
    return np.stack([places.first[p], j, k])


def _sides(places: Places, triplets: np.ndarray) -> np.ndarray:
    """(m, 3) Å, ascending."""
    i, j, k = _atoms(places, triplets)
    between = places.distances
    return np.sort(np.stack([between[i, j], between[i, k], between[j, k]], axis=1), axis=1)
