"""SHELX .res as AIRSS and its tools write it: one TITL … END block, or many behind each other (`cat *.res`).

ase.io.res is not used: it leaves an atom out without a word where a coordinate has an exponent, takes the element from
the label instead of SFAC, and knows neither occupancies nor symmetry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from ase import Atoms
from ase.geometry import cellpar_to_cell

from kappakit.errors import Rejected
from kappakit.reading.frames import CrystalFrame, too_many

INSTRUCTIONS = frozenset({"TITL", "REM", "CELL", "ZERR", "LATT", "SYMM", "SFAC", "UNIT", "END"})
BORDER = re.compile(r"^[ \t]*(TITL|END)\b[^\n]*\n?", flags=re.MULTILINE | re.IGNORECASE)
P1_LATTICE = "-1"
FULL_OCCUPANCIES = (1.0, 11.0)
"""SHELX adds 10 to a number that a refinement keeps; the same habit in a coordinate vanishes when it is wrapped."""


def res_frames(text: str) -> Iterator[CrystalFrame]:
    """The blocks of a file, split at TITL and END, so that a broken one ends where the next begins."""
    start = 0
    for border in BORDER.finditer(text):
        end = border.end() if border[1].upper() == "END" else border.start()
        yield from _block(text[start:end])
        start = end
    yield from _block(text[start:])


def _block(text: str) -> Iterator[CrystalFrame]:
    rows = _rows(text)
    first = next(rows, None)
    if first is not None:
        label = " ".join(first[1:2]) if first[0].upper() == "TITL" else ""
        yield CrystalFrame(label[:200], partial(_parse, text))


def _rows(text: str) -> Iterator[list[str]]:
    """The words of each line that says something."""
    for line in text.split("\n"):
        words = line.split()
        if words and words[0].upper() != "REM":
            yield words


def _parse(text: str, max_atoms: int) -> Atoms:
    count = sum(_is_atom(row) for row in _rows(text))
    if count > max_atoms:
        raise too_many(count, max_atoms)
    if not count:
        raise Rejected("no-atoms", "there is no atom")
    rows = list(_rows(text))
    _check_block(rows)
    atoms = [row for row in rows if _is_atom(row)]
    _check_order(atoms)
    elements = [word for row in _named(rows, "SFAC") for word in row[1:]]
    return Atoms(
        symbols=[_element(elements, row) for row in atoms],
        scaled_positions=[[float(word) for word in row[2:5]] for row in atoms],
        cell=_cell(rows),
        pbc=True,
    )


def _is_atom(row: list[str]) -> bool:
    """Label, number in SFAC, three fractional coordinates, and perhaps occupancy and spin."""
    return row[0].upper() not in INSTRUCTIONS and len(row) >= 5 and row[1].isdecimal()


def _named(rows: list[list[str]], instruction: str) -> list[list[str]]:
    return [row for row in rows if row[0].upper() == instruction]


def _check_block(rows: list[list[str]]) -> None:
    """Raise Rejected for a block of which something is missing, not understood, or left to symmetry."""
    if rows[-1][0].upper() != "END":
        raise Rejected("unreadable", "the block has no END: it is cut short")
    for row in rows:
        if row[0].upper() not in INSTRUCTIONS and not _is_atom(row):
            raise Rejected("unreadable", f"the line {' '.join(row)[:100]!r} is neither an atom nor known to AIRSS")
    # A block without LATT is taken as P1, as generators mean it; refinements say more than AIRSS and are refused above.
    if _named(rows, "SYMM") or any(row[1:2] != [P1_LATTICE] for row in _named(rows, "LATT")):
        raise Rejected("unreadable", "the block leaves atoms to symmetry; LATT -1 without SYMM, every atom, is taken")


def _check_order(atoms: list[list[str]]) -> None:
    for row in atoms:
        occupancy = float(row[5]) if len(row) > 5 else 1.0
        if not any(abs(occupancy - full) <= 1e-3 for full in FULL_OCCUPANCIES):
            raise Rejected("disordered", "a site is only partly occupied")


def _element(elements: list[str], row: list[str]) -> str:
    """The element's symbol by its number in SFAC, counted from 1."""
    number = int(row[1])
    if not 1 <= number <= len(elements):
        raise Rejected("unreadable", f"the atom {row[0][:20]!r} names element {number} of {len(elements)} in SFAC")
    return elements[number - 1].capitalize()


def _cell(rows: list[list[str]]) -> list[list[float]]:
    """Lattice vectors in Å from CELL: wavelength, three lengths in Å, three angles in degrees."""
    cells = _named(rows, "CELL")
    if len(cells) != 1 or len(cells[0]) < 8:
        raise Rejected("unreadable", "the block needs one CELL line: wavelength, a, b, c, alpha, beta, gamma")
    parameters = [float(word) for word in cells[0][2:8]]
    try:
        return cellpar_to_cell(parameters).tolist()
    except (AssertionError, ArithmeticError) as error:
        raise Rejected("no-volume", f"no cell has the angles {parameters[3:]}") from error
