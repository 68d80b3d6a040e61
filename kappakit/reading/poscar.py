"""POSCAR: one crystal, or many behind each other as USPEX gathers them and `cat POSCAR_*` joins them.

The counts of a block tell its length; where it breaks, reading goes on at the next lines that look like a beginning.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from io import StringIO

from ase import Atoms
from ase.data import atomic_numbers
from ase.io.vasp import read_vasp

from kappakit.errors import Rejected
from kappakit.reading.frames import CrystalFrame, refused, too_many

COUNTS = 5
"""The line of a block, from 0, that holds the counts in VASP 4 and the elements in VASP 5."""
MODES = ("direct", "cartesian", "lattice velocities and vectors")


@dataclass(frozen=True)
class Header:
    """What stands before the coordinates: counts of atoms, elements (None in VASP 4), first line of coordinates."""

    title: str
    symbols: list[str] | None
    counts: list[int]
    body: int

    @property
    def n_atoms(self) -> int:
        """Atoms in the cell, as the counts have it."""
        return sum(self.counts)


def poscar_frames(text: str) -> Iterator[CrystalFrame]:
    """The blocks of a file in order; lines that are neither a block nor velocities are refused as one."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        header = _header(lines, at)
        if header is None:
            end = _next_header(lines, at + 1)
            yield from _strange(lines, at, end)
        else:
            held = _coordinates(lines, header)
            whole = held == header.n_atoms
            # Behind a broken block the counts are not to be trusted.
            end = header.body + held if whole else _next_header(lines, header.body)
            yield CrystalFrame(_label(header.title), partial(_parse, header, held, lines[at:end]))
        at = end


def _header(lines: list[str], at: int) -> Header | None:
    """The header that begins in line `at`, if one does."""
    counts_at = at + COUNTS
    if counts_at >= len(lines) or not _is_scale(lines[at + 1]):
        return None
    if not all(_is_vector(line) for line in lines[at + 2 : counts_at]):
        return None
    counts, symbols = _counts(lines[counts_at]), None
    if not counts:
        symbols = _words(lines[counts_at])
        counts_at += 1
        counts = _counts(lines[counts_at]) if symbols and counts_at < len(lines) else []
    if not sum(counts):
        return None
    selective = counts_at + 1 < len(lines) and lines[counts_at + 1].strip()[:1].lower() == "s"
    return Header(lines[at].strip(), symbols, counts, counts_at + (3 if selective else 2))


def _next_header(lines: list[str], at: int) -> int:
    """The first line from `at` on where a block begins; the number of lines when there is none."""
    return next((line for line in range(at, len(lines)) if _header(lines, line)), len(lines))


def _coordinates(lines: list[str], header: Header) -> int:
    """Lines of coordinates, at most one more than there are atoms: then the counts are wrong."""
    most = header.body + header.n_atoms
    end = header.body
    while end < min(most, len(lines)) and _is_vector(lines[end]):
        end += 1
    follows = end == most and end < len(lines) and _is_vector(lines[end]) and not _header(lines, end)
    return end - header.body + follows


def _parse(header: Header, held: int, block: list[str], max_atoms: int) -> Atoms:
    expected = header.n_atoms
    if expected > max_atoms:
        raise too_many(expected, max_atoms)
    if held != expected:
        found = f"only {held}" if held < expected else "more"
        raise Rejected("unreadable", f"the counts promise {expected} lines of coordinates; there are {found}")
    if header.symbols is None:
        block = [*block[:COUNTS], " ".join(_titled_symbols(header)), *block[COUNTS:]]
    elif len(header.symbols) != len(header.counts):
        raise Rejected("unreadable", f"{len(header.symbols)} elements and {len(header.counts)} counts")
    return read_vasp(StringIO("\n".join(block) + "\n"))


def _titled_symbols(header: Header) -> list[str]:
    """The elements of a VASP 4 block, which only its title can name; raises Rejected when it names anything else."""
    symbols = header.title.split()
    if len(symbols) != len(header.counts) or not all(symbol in atomic_numbers for symbol in symbols):
        raise Rejected("no-elements", "no line names the elements (VASP 4): write their symbols above the counts")
    return symbols


def _strange(lines: list[str], at: int, end: int) -> Iterator[CrystalFrame]:
    """One refusal for lines that are no block; none for blank ones, velocities and what molecular dynamics leaves."""
    if all(_is_numeric(line) or line.strip().lower().startswith(MODES) for line in lines[at:end]):
        return
    title = next(line.strip() for line in lines[at:end] if line.strip())
    told = f"lines {at + 1}–{end} are no POSCAR: title, scale, three lattice vectors, elements, counts, coordinates"
    yield refused(_label(title), Rejected("unreadable", told))


def _label(title: str) -> str:
    """The title; of USPEX's, which goes on with the cell, the name alone."""
    named = re.match(r"(EA\d+)\s", title)
    return named[1] if named else title[:200]


def _words(line: str) -> list[str]:
    return re.split("[!#]", line, maxsplit=1)[0].split()


def _counts(line: str) -> list[int]:
    words = _words(line)
    return [int(word) for word in words] if all(re.fullmatch("[0-9]{1,18}", word) for word in words) else []


def _is_scale(line: str) -> bool:
    """One factor, or three positive ones; what follows is a comment."""
    factors = [float(word) for word in itertools.takewhile(_is_numeric, line.split(None, 3)[:3])]
    return len(factors) == 1 or (len(factors) == 3 and min(factors) > 0)


def _is_vector(line: str) -> bool:
    words = line.split(None, 3)[:3]
    return len(words) == 3 and _is_numeric(" ".join(words))


def _is_numeric(line: str) -> bool:
    try:
        [float(word) for word in line.split()]
    except ValueError:
        return False
    return True
