"""Are two crystals the same? pymatgen's StructureMatcher, decision for decision, fast enough for thousands.

Source: S. P. Ong et al., Comput. Mater. Sci. 68, 314 (2013), doi 10.1016/j.commatsci.2012.10.028; the criteria are
those of StructureMatcher(primitive_cell=True, scale=True, attempt_supercell=False). Reduction, subset test, shortest
vectors and assignment are pymatgen's and scipy's own routines. What StructureMatcher repeats for each pair (copies,
reduction, lattice points) is done once a crystal here, in cells scaled to 1 Å³ per atom: each criterion is scale-free.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from pymatgen.core import Lattice, Structure
from pymatgen.core.structure_matcher import StructureMatcher
from pymatgen.util.coord_cython import is_coord_subset_pbc, pbc_shortest_vectors
from scipy.optimize import linear_sum_assignment

from kappakit.crystals import Crystal

EXACT = 1e-5
"""An rms below this ends the search for a better one, as in StructureMatcher."""
PERIODIC = (True, True, True)


@dataclass(frozen=True)
class Tolerances:
    """ltol: fractional lengths; stol: units of (V/N)^(1/3); angle_tol: degrees."""

    ltol: float = 0.2
    stol: float = 0.3
    angle_tol: float = 5.0


@dataclass(frozen=True, eq=False)
class ReducedCell:
    """The primitive, Niggli-reduced cell of a crystal, scaled to 1 Å³ per atom. frac (n, 3), numbers (n,)."""

    lattice: Lattice
    frac: np.ndarray
    numbers: np.ndarray

    @cached_property
    def bucket(self) -> tuple[tuple[int, int], ...]:
        """Atomic number and count: StructureMatcher never matches primitive cells that differ in this."""
        values, counts = np.unique(self.numbers, return_counts=True)
        return tuple(zip(values.tolist(), counts.tolist(), strict=True))

    @cached_property
    def parameters(self) -> np.ndarray:
        """(6,) a, b, c in units of (V/N)^(1/3) and α, β, γ in degrees."""
        return np.array(self.lattice.parameters)

    def points(self, radius: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Lattice points within a radius: integer (p, 3), Cartesian (p, 3), distance (p,)."""
        known = self.__dict__.get("_points")
        if known is None or known[0] < radius:
            known = (1.2 * radius, *_lattice_points(self.lattice, 1.2 * radius))
            self.__dict__["_points"] = known
        _, frac, cart, distance = known
        inside = distance <= radius
        return frac[inside], cart[inside], distance[inside]


def structure_of(crystal: Crystal) -> Structure:
    """The crystal as a pymatgen Structure."""
    return Structure(Lattice(crystal.cell), list(crystal.symbols), crystal.frac)


def reduced_cell(crystal: Crystal) -> ReducedCell:
    """Reduce as StructureMatcher does: Niggli, then primitive."""
    reduced = StructureMatcher._get_reduced_structure(structure_of(crystal), True, niggli=True)
    scale = (len(reduced) / reduced.volume) ** (1 / 3)
    numbers = np.array([site.specie.Z for site in reduced], dtype=np.int64)
    return ReducedCell(Lattice(reduced.lattice.matrix * scale), np.array(reduced.frac_coords), numbers)


def fits(reference: ReducedCell, other: ReducedCell, tolerances: Tolerances) -> bool:
    """StructureMatcher.fit(reference, other): some mapping moves no atom by stol (V/N)^(1/3) or more."""
    if reference.bucket != other.bucket:
        return False
    return any(moves.max() < tolerances.stol for moves in _mappings(reference, other, tolerances))


def rms_distance(reference: ReducedCell, other: ReducedCell, tolerances: Tolerances) -> float | None:
    """The rms of StructureMatcher.get_rms_dist(reference, other) in units of (V/N)^(1/3); None without a match."""
    best = None
    if reference.bucket != other.bucket:
        return None
    for moves in _mappings(reference, other, tolerances):
        rms = float(np.sqrt((moves**2).mean()))
        best = rms if best is None else min(best, rms)
        if best < EXACT:
            break
    return best if best is not None and best < tolerances.stol else None


def match_rms(reference: ReducedCell, other: ReducedCell, tolerances: Tolerances) -> float | None:
    """The rms where `fits` says yes, else None."""
    return rms_distance(reference, other, tolerances) if fits(reference, other, tolerances) else None


def match_either_way(reference: ReducedCell, other: ReducedCell, tolerances: Tolerances) -> float | None:
    """The rms of the match in whichever direction there is one (StructureMatcher is not symmetric), else None."""
    forward = match_rms(reference, other, tolerances)
    return match_rms(other, reference, tolerances) if forward is None else forward


def reduced_cells(
    crystals: Sequence[Crystal], progress: Callable[[int], None] = lambda done: None
) -> list[ReducedCell]:
    """Each reduced; `progress(done)` is told how many are."""
    cells = []
    for crystal in crystals:
        cells.append(reduced_cell(crystal))
        progress(len(cells))
    return cells


def nearest(
    cell: ReducedCell, known: Iterable[tuple[str, ReducedCell]], tolerances: Tolerances
) -> tuple[float, str] | None:
    """Smallest rms to a known crystal, in whichever direction they match, with its name; None without a match."""
    found = [(rms, name) for name, other in known if (rms := match_either_way(other, cell, tolerances)) is not None]
    return min(found, default=None)


def group(
    cells: Sequence[ReducedCell], tolerances: Tolerances, progress: Callable[[int], None] = lambda done: None
) -> list[list[int]]:
    """The partition of StructureMatcher.group_structures for crystals in this order: lists of indices.

    The first of each list is its reference; `fits` is neither symmetric nor transitive, so the order matters.
    `progress(done)` is told the crystals placed so far.
    """
    groups: list[list[int]] = []
    buckets: dict[tuple[tuple[int, int], ...], list[list[int]]] = {}
    for index, cell in enumerate(cells):
        bucket = buckets.setdefault(cell.bucket, [])
        home = next((g for g in bucket if fits(cells[g[0]], cell, tolerances)), None)
        if home is None:
            bucket.append([index])
            groups.append(bucket[-1])
        else:
            home.append(index)
        progress(index + 1)
    return groups


def _mappings(reference: ReducedCell, other: ReducedCell, tolerances: Tolerances) -> Iterator[np.ndarray]:
    """For each mapping of lattices and each translation that brings all atoms near: (n,) moves over (V/N)^(1/3)."""
    mask = (other.numbers[:, None] != reference.numbers[None, :]).astype(np.int64)
    anchor = int(mask.sum(axis=1).argmax())
    partners = np.flatnonzero(mask[anchor] == 0)
    n = len(other.numbers)
    averages: dict[bytes, _AverageCell] = {}
    for scale, parameters in zip(*_lattice_mappings(reference, other, tolerances), strict=True):
        frac = reference.frac @ np.linalg.inv(scale)
        frac -= np.floor(frac)
        mean = (parameters + other.parameters) / 2
        key = np.round(mean, 9).tobytes()
        average = averages.get(key) or averages.setdefault(key, _AverageCell(mean, n, tolerances.stol))
        for partner in partners:
            shifted = other.frac + (frac[partner] - other.frac[anchor])
            if is_coord_subset_pbc(shifted, frac, average.tolerance, mask, PERIODIC):
                yield average.moves(frac, shifted, mask)


class _AverageCell:
    """The mean of two lattices, with the fractional tolerances that stol means in it."""

    def __init__(self, parameters: np.ndarray, n_atoms: int, stol: float) -> None:
        self._lattice = Lattice.from_parameters(*parameters)
        self._normalisation = (n_atoms / self._lattice.volume) ** (1 / 3)
        self._stol = stol
        self.tolerance = self._fractional(self._lattice)

    @cached_property
    def _lll_tolerance(self) -> np.ndarray:
        return self._fractional(self._lattice.get_lll_reduced_lattice())

    def _fractional(self, lattice: Lattice) -> np.ndarray:
        return np.array(lattice.reciprocal_lattice.abc) * self._stol / (np.pi * self._normalisation)

    def moves(self, frac: np.ndarray, shifted: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """(n,) distances of assigned atoms after the mean translation is taken out, over (V/N)^(1/3)."""
        vectors, squares = pbc_shortest_vectors(self._lattice, shifted, frac, mask, True, self._lll_tolerance)
        rows, columns = linear_sum_assignment(squares)
        short = vectors[rows, columns]
        return np.linalg.norm(short - short.mean(axis=0), axis=1) * self._normalisation


def _lattice_mappings(
    reference: ReducedCell, other: ReducedCell, tolerances: Tolerances
) -> tuple[np.ndarray, np.ndarray]:
    """Bases of the reference's lattice close to the other's: integer (m, 3, 3) of determinant ±1, parameters (m, 6)."""
    lengths, (alpha, beta, gamma) = other.parameters[:3], other.parameters[3:]
    limit = 1 + tolerances.ltol
    frac, cart, distance = reference.points(lengths.max() * limit)
    a, b, c = (np.flatnonzero((distance / x < limit) & (distance / x > 1 / limit)) for x in lengths)
    if not (len(a) and len(b) and len(c)):
        return np.empty((0, 3, 3)), np.empty((0, 6))
    unit = cart / np.where(distance > 0, distance, 1.0)[:, None]
    bc, ac, ab = (_angles(unit[x], unit[y]) for x, y in ((b, c), (a, c), (a, b)))
    near_bc, near_ac, near_ab = (
        np.abs(angles - target) <= tolerances.angle_tol for angles, target in ((bc, alpha), (ac, beta), (ab, gamma))
    )
    i, j, k = np.nonzero(near_ab[:, :, None] & near_bc[None, :, :] & near_ac[:, None, :])
    scale = np.stack([frac[a[i]], frac[b[j]], frac[c[k]]], axis=1)
    parameters = np.stack([distance[a[i]], distance[b[j]], distance[c[k]], bc[j, k], ac[i, k], ab[i, j]], axis=1)
    kept = np.abs(np.abs(np.linalg.det(scale)) - 1) <= 0.5 if len(scale) else np.zeros(0, dtype=bool)
    return scale[kept], parameters[kept]


def _angles(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.rad2deg(np.arccos(np.clip(first @ second.T, -1.0, 1.0)))


def _lattice_points(lattice: Lattice, radius: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    reach = np.floor(radius * np.array(lattice.reciprocal_lattice.abc) / (2 * np.pi)).astype(int)
    axes = [np.arange(-n, n + 1) for n in reach]
    frac = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3).astype(float)
    cart = frac @ lattice.matrix
    distance = np.linalg.norm(cart, axis=1)
    inside = distance <= radius
    return frac[inside], cart[inside], distance[inside]
