"""File formats: how a file splits into frames, and how ase reads one of them. Nothing here trusts its input.

Runs inside the process of `kappakit.reading.parse`, under its limits; a reader may raise anything.
"""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import re
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from ase import Atoms
from ase.db import connect
from ase.db.row import AtomsRow
from ase.io.cif import CIFBlock, parse_cif
from ase.io.extxyz import read_xyz

from kappakit.errors import Rejected
from kappakit.reading.frames import CrystalFrame, some, too_many
from kappakit.reading.poscar import poscar_frames
from kappakit.reading.res import res_frames

LABELS = ("name", "material_id", "title", "id", "label")
KNOWN_FORMATS = (
    "CSV (columns material_id, cif), CIF, POSCAR, gatheredPOSCARS, extended XYZ, res (each also .gz), ase.db, "
    "and a zip of them without ase.db"
)
CHUNK = 2**20
GZIP = b"\x1f\x8b"
"""How a gzip file begins."""


def format_of(name: str) -> str:
    """'csv', 'cif', 'poscar', 'extxyz', 'res', 'db' or 'zip' by a file's name; raises Rejected for another."""
    base = Path(name).name
    lower = base.lower().removesuffix(".gz")
    for suffix, found in SUFFIXES.items():
        if lower.endswith(suffix):
            return found
    if lower.startswith(("poscar", "contcar")) or "poscars" in lower:
        return "poscar"
    raise Rejected("unknown-format", f"{base} is of no known format; known are {KNOWN_FORMATS}")


def frames_of(kind: str, path: Path, max_bytes: int) -> Iterator[CrystalFrame]:
    """The frames of a file in order; raises Rejected when it is larger than max_bytes once unpacked, or has none."""
    return some(_database(path)) if kind == "db" else text_frames(kind, read_text(path, max_bytes))


def text_frames(kind: str, text: str) -> Iterator[CrystalFrame]:
    """The frames of a text in order; raises Rejected when there is none."""
    return some(READERS[kind](text))


def read_text(path: Path, max_bytes: int) -> str:
    """Text of a plain or gzip file, at most max_bytes of it unpacked; raises Rejected beyond."""
    with path.open("rb") as raw:
        packed = raw.read(2) == GZIP
    with gzip.open(path) if packed else path.open("rb") as stream:
        parts, size = [], 0
        while part := stream.read(CHUNK):
            parts.append(part)
            size += len(part)
            if size > max_bytes:
                raise Rejected("too-large", f"the file holds more than {max_bytes / 2**20:.0f} MiB")
    return b"".join(parts).decode("utf-8", errors="replace")


def _csv(text: str) -> Iterator[CrystalFrame]:
    csv.field_size_limit(2**31 - 1)
    rows = csv.DictReader(io.StringIO(text))
    if rows.fieldnames is None or "cif" not in rows.fieldnames:
        raise Rejected("unreadable", "a CSV file needs a header with the columns material_id and cif")
    for row in rows:
        yield CrystalFrame(row.get("material_id") or "", partial(_parse_cif, row.get("cif") or ""))


def _cif(text: str) -> Iterator[CrystalFrame]:
    starts = [match.start() for match in re.finditer(r"^data_", text, flags=re.MULTILINE | re.IGNORECASE)]
    if not starts:
        raise Rejected("unreadable", "a CIF file needs a data_ block")
    for begin, end in itertools.pairwise([*starts, len(text)]):
        block = text[begin:end]
        yield CrystalFrame(block.split(None, 1)[0][5:], partial(_parse_cif, block))


def _parse_cif(text: str, max_atoms: int) -> Atoms:
    block = next((block for block in parse_cif(io.StringIO(text)) if block.has_structure()), None)
    if block is None:
        raise Rejected("no-crystal", "the CIF holds no atoms with coordinates")
    sites = len(block.get_symbols())
    if sites > max_atoms:
        raise too_many(sites, max_atoms)
    _check_order(block)
    atoms = block.get_atoms(fractional_occupancies=False)
    atoms.pbc = True
    return atoms


def _check_order(block: CIFBlock) -> None:
    occupancies = block.get("_atom_site_occupancy") or []
    if any(isinstance(value, (int, float)) and abs(value - 1.0) > 1e-3 for value in occupancies):
        raise Rejected("disordered", "a site is only partly occupied")


def _extxyz(text: str) -> Iterator[CrystalFrame]:
    lines = io.StringIO(text)
    while line := lines.readline():
        if not line.strip():
            continue
        count = int(line)
        comment = lines.readline()
        body = "".join(itertools.islice(lines, max(count, 0)))
        label = next(iter(re.findall(rf"\b(?:{'|'.join(LABELS)})=(\"[^\"]*\"|\S+)", comment)), "")
        yield CrystalFrame(label.strip('"')[:200], partial(_parse_xyz, count, f"{count}\n{comment}{body}"))


def _parse_xyz(count: int, text: str, max_atoms: int) -> Atoms:
    if count > max_atoms:
        raise too_many(count, max_atoms)
    if "Lattice" not in text:
        raise Rejected("not-periodic", "the frame has no Lattice: only crystals are taken")
    return next(read_xyz(io.StringIO(text), 0))


def _database(path: Path) -> Iterator[CrystalFrame]:
    with path.open("rb") as raw:
        if raw.read(15) != b"SQLite format 3":
            raise Rejected("unreadable", "an ase.db file is an SQLite database; this is not one")
    try:
        for row in connect(path, type="db", serial=False, use_lock_file=False).select():
            label = next((str(row.key_value_pairs[key]) for key in LABELS if key in row.key_value_pairs), "")
            yield CrystalFrame(label, partial(_row_atoms, row))
    except sqlite3.Error as error:
        raise Rejected("unreadable", f"the database cannot be read: {error}") from error


def _row_atoms(row: AtomsRow, max_atoms: int) -> Atoms:
    if row.natoms > max_atoms:
        raise too_many(row.natoms, max_atoms)
    return row.toatoms()


SUFFIXES = {
    ".csv": "csv",
    ".cif": "cif",
    ".extxyz": "extxyz",
    ".xyz": "extxyz",
    ".db": "db",
    ".vasp": "poscar",
    ".poscar": "poscar",
    ".res": "res",
    ".zip": "zip",
}
READERS: dict[str, Callable[[str], Iterator[CrystalFrame]]] = {
    "csv": _csv,
    "cif": _cif,
    "poscar": poscar_frames,
    "extxyz": _extxyz,
    "res": res_frames,
}
