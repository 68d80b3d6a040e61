"""What every format hands on: one crystal to be, and what its parsing may raise."""

from __future__ import annotations

import itertools
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ase import Atoms

from kappakit.errors import InputError, Rejected


@dataclass(frozen=True)
class CrystalFrame:
    """One crystal to be of a file: its label and how to parse it; parse(max_atoms) may raise anything.

    `place` is what its source adds to the file's name, as '/member#2' in an archive; empty: its position in the file.
    """

    label: str
    parse: Callable[[int], Atoms]
    place: str = ""


class FrameTimeout(BaseException):
    """The alarm rang; not an Exception, so that no reader swallows it."""


READER_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    InputError,
    LookupError,
    MemoryError,
    NameError,
    OSError,
    RuntimeError,
    StopIteration,
    SyntaxError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What readers of damaged files were seen to raise; anything else ends this process and the parent goes on after it."""


def some(frames: Iterator[CrystalFrame]) -> Iterator[CrystalFrame]:
    """The frames unchanged; raises Rejected where there is none, so that no file is passed over in silence."""
    first = next(frames, None)
    if first is None:
        raise Rejected("no-crystal", "the file holds no crystal")
    yield from itertools.chain([first], frames)


def refused(label: str, error: BaseException, place: str = "") -> CrystalFrame:
    """A frame that cannot be parsed: it raises why."""

    def parse(max_atoms: int) -> Atoms:
        raise error

    return CrystalFrame(label, parse, place)


def too_many(count: int, max_atoms: int) -> Rejected:
    """The refusal of a cell with too many atoms."""
    return Rejected("too-many-atoms", f"{count:,} atoms in the cell; at most {max_atoms} are taken")
