"""The smallest supercell that is wide enough and keeps the crystal's point group.

Supercell vectors are the columns of (a b c) M with M a matrix of integers, as phonopy counts them. A rotation R, in the
basis of the crystal's own vectors, maps the supercell's lattice to itself if M⁻¹ R M is whole. Where it does not, the
displaced supercells have less symmetry than the crystal: more displacements and a tensor that is not the crystal's.

The width is the smallest distance between opposite faces of the supercell, and no atom may be closer to an image of its
own than √(3/2) times the width: in the face-centred lattice, the most even one, both are equal. The second condition is
the one that κ_L feels: FC3 of diamond in 2×2×2 of its cube (7.15 Å between faces, images at 7.15 Å) gives 14 % more
than in 4×4×4 of the primitive cell, 3×3×3 (6.2 Å, images at 7.6 Å) 5 % more. Both are of the most compact shape:
vectors are reduced (P. Q. Nguyen, D. Stehlé, ACM Trans. Algorithms 5, 46 (2009)) before they are measured. Sublattices
are listed by their Hermite normal forms (G. L. W. Hart, R. W. Forcade, Phys. Rev. B 77, 224115 (2008)).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product
from typing import Any

import numpy as np
import spglib

from kappakit.crystals import Crystal
from kappakit.errors import InputError, Rejected

NO_SUPERCELL = "no-supercell"
MOST_LISTED = 48
"""Supercells of up to so many cells are searched among all sublattices, larger ones among multiples of the vectors of
the primitive and of the conventional cell only: the number of sublattices grows with the square of their index."""
MOST_REPEATS = 32
MOST_CELLS = 4096
SHORT_OF = 1e-6
"""Å: a width that misses the wanted one by rounding counts as reached."""
WHOLE = 1e-6
SAME_PLACE = 1e-5
"""Å, for spglib: the crystals that come here are idealised."""
EVEN = np.sqrt(1.5)
"""Distance of images over distance of faces in the face-centred cubic lattice."""
STEPS = tuple(step for step in product((-1, 0, 1), repeat=2) if any(step))


def supercell_of_width(primitive: Crystal, width: float) -> np.ndarray:
    """(3, 3) integers, determinant above 0: the fewest atoms with a width of at least `width` Å and the point group
    kept; among equals the widest.

    Raises Rejected where none of up to MOST_CELLS cells reaches it.
    """
    rotations = point_group(primitive)
    regular = _regular(primitive, rotations, width)
    limit = MOST_CELLS + 1 if regular is None else index(regular)
    least = int(np.ceil(width**3 / primitive.volume - WHOLE))
    for size in range(max(1, least), min(limit, MOST_LISTED + 1)):
        found = _widest(primitive, _invariant(_sublattices(size), rotations), width)
        if found is not None:
            return _compact(primitive, found)
    if regular is None:
        raise Rejected(NO_SUPERCELL, f"no supercell of up to {MOST_CELLS} cells is {width:g} Å wide")
    return regular


def repeated(repeats: int) -> np.ndarray:
    """(3, 3): the cell repeated equally along its three vectors, which keeps every point group."""
    return np.eye(3, dtype=int) * repeats


def checked(primitive: Crystal, matrix: np.ndarray) -> np.ndarray:
    """The (3, 3) matrix of a supercell; raises InputError for one that is no supercell or breaks the point group."""
    given = np.asarray(matrix)
    if given.shape != (3, 3) or not np.array_equal(given, np.rint(given)) or np.linalg.det(given) < 0.5:
        raise InputError("a supercell is a matrix of 3 × 3 whole numbers with a determinant above 0")
    whole = given.astype(int)
    rotations = point_group(primitive)
    kept = sum(keeps(whole, rotation[None]) for rotation in rotations)
    if kept < len(rotations):
        raise InputError(
            f"the supercell {whole.tolist()} keeps {kept} of the crystal's {len(rotations)} rotations: displaced, it "
            "would have less symmetry than the crystal; choose one by width, or repeat the primitive cell equally"
        )
    return whole


def keeps(matrix: np.ndarray, rotations: np.ndarray) -> bool:
    """Whether every rotation (r, 3, 3) maps the lattice of the supercell to itself."""
    return bool(len(_invariant(matrix[None], rotations)))


def width_of(primitive: Crystal, matrix: np.ndarray) -> float:
    """Å: the smaller of the distance between opposite faces and that of images over EVEN."""
    return float(_widths(primitive, matrix[None])[0])


def index(matrix: np.ndarray) -> int:
    """How many primitive cells a supercell holds."""
    return round(abs(float(np.linalg.det(matrix))))


def point_group(primitive: Crystal) -> np.ndarray:
    """(r, 3, 3) integers: the rotations of the crystal's space group, in the basis of its own vectors."""
    return np.unique(np.asarray(_dataset(primitive).rotations), axis=0)


def _dataset(primitive: Crystal) -> spglib.SpglibDataset:
    cell: Any = (primitive.cell, primitive.frac, primitive.numbers)
    try:
        found = spglib.get_symmetry_dataset(cell, symprec=SAME_PLACE)
    except spglib.SpglibError as error:
        raise Rejected(NO_SUPERCELL, f"spglib finds no symmetry: {error}") from error
    if found is None:
        raise Rejected(NO_SUPERCELL, "spglib finds no symmetry")
    return found


def _regular(primitive: Crystal, rotations: np.ndarray, width: float) -> np.ndarray | None:
    """The smallest one among multiples of the vectors of the primitive and of the conventional cell."""
    found = []
    for basis in (np.eye(3, dtype=int), _conventional(primitive)):
        matrices = np.array([basis * repeats for repeats in _repeats(primitive, basis, width)])
        found += list(_invariant(matrices, rotations)) if len(matrices) else []
    wide = [matrix for matrix in found if width_of(primitive, matrix) > width - SHORT_OF]
    return min(wide, key=lambda one: (index(one), -round(width_of(primitive, one), 6)), default=None)


def _repeats(primitive: Crystal, basis: np.ndarray, width: float) -> Iterator[np.ndarray]:
    """Repetitions of a cell along its vectors: each at least as many as reach the width between the faces."""
    least = np.ceil((width - SHORT_OF) / _heights(primitive.cell.T @ basis)).astype(int)
    counts = [range(1, min(MOST_REPEATS, 2 * int(n)) + 1) for n in least]
    volume = index(basis)
    return (np.array(one) for one in product(*counts) if volume * np.prod(one) <= MOST_CELLS)


def _conventional(primitive: Crystal) -> np.ndarray:
    """(3, 3) integers: spglib's conventional cell in the basis of the primitive one."""
    return np.rint(np.linalg.inv(_dataset(primitive).transformation_matrix)).astype(int)


def _sublattices(size: int) -> np.ndarray:
    """(m, 3, 3): every sublattice of an index, one matrix each, in Hermite normal form (columns are the vectors)."""
    forms = [
        ((a, 0, 0), (d, b, 0), (e, f, c))
        for a, b, c in product(_divisors(size), repeat=3)
        if a * b * c == size
        for d, e, f in product(range(b), range(c), range(c))
    ]
    return np.array(forms)


def _divisors(number: int) -> list[int]:
    return [n for n in range(1, number + 1) if number % n == 0]


def _invariant(matrices: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """Those of (m, 3, 3) matrices whose lattice every rotation maps to itself."""
    kept = matrices
    for rotation in rotations:
        turned = np.linalg.inv(kept) @ rotation @ kept
        kept = kept[np.abs(turned - np.rint(turned)).max(axis=(1, 2)) < WHOLE]
    return kept


def _widest(primitive: Crystal, matrices: np.ndarray, width: float) -> np.ndarray | None:
    if not len(matrices):
        return None
    widths = _widths(primitive, matrices)
    best = int(widths.argmax())
    return matrices[best] if widths[best] > width - SHORT_OF else None


def _widths(primitive: Crystal, matrices: np.ndarray) -> np.ndarray:
    """(m,) Å: one over the longest vector of the reduced reciprocal lattice (without 2π), or the shortest vector of the
    reduced lattice over EVEN."""
    columns = primitive.cell.T @ matrices
    faces = 1.0 / np.linalg.norm(_reduced(np.linalg.inv(columns)), axis=2).max(axis=1)
    images = np.linalg.norm(_reduced(columns.transpose(0, 2, 1)), axis=2).min(axis=1)
    return np.asarray(np.minimum(faces, images / EVEN))


def _heights(columns: np.ndarray) -> np.ndarray:
    """(3,) Å: distances between opposite faces of one cell, its vectors the columns."""
    return np.asarray(1.0 / np.linalg.norm(np.linalg.inv(columns), axis=1))


def _reduced(rows: np.ndarray) -> np.ndarray:
    """Bases (m, 3, 3), vectors in rows, reduced until no vector becomes shorter by adding or subtracting others."""
    rows = np.array(rows)
    changed = True
    while changed:
        changed = _shortened_by_pairs(rows)
        for i in range(3):
            j, k = (i + 1) % 3, (i + 2) % 3
            for p, q in STEPS:
                changed |= _replaced(rows, i, rows[:, i] + p * rows[:, j] + q * rows[:, k])
    return rows


def _shortened_by_pairs(rows: np.ndarray) -> bool:
    changed = False
    for i, j in permutations(range(3), 2):
        ratio = np.einsum("mx,mx->m", rows[:, i], rows[:, j]) / np.einsum("mx,mx->m", rows[:, j], rows[:, j])
        changed |= _replaced(rows, i, rows[:, i] - np.rint(ratio)[:, None] * rows[:, j])
    return changed


def _replaced(rows: np.ndarray, i: int, tried: np.ndarray) -> bool:
    shorter = np.linalg.norm(tried, axis=1) < np.linalg.norm(rows[:, i], axis=1) * (1 - WHOLE)
    rows[shorter, i] = tried[shorter]
    return bool(shorter.any())


def _compact(primitive: Crystal, matrix: np.ndarray) -> np.ndarray:
    """The same sublattice by its reduced vectors, right-handed."""
    reciprocal = _reduced(np.linalg.inv(primitive.cell.T @ matrix)[None])[0]
    vectors = np.rint(np.linalg.inv(primitive.cell.T) @ np.linalg.inv(reciprocal)).astype(int)
    return vectors if np.linalg.det(vectors) > 0 else -vectors
