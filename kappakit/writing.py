"""Files for people and programs: one crystal as CIF, POSCAR or extended XYZ, by ase. Light enough for a web process."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO, StringIO
from typing import Any

from ase import Atoms
from ase.io.cif import write_cif
from ase.io.extxyz import write_extxyz
from ase.io.vasp import write_vasp

from kappakit.crystals import Crystal

FORMATS = ("cif", "poscar", "extxyz")


def atoms_of(crystal: Crystal, info: Mapping[str, Any] | None = None) -> Atoms:
    """The crystal as an ase.Atoms, periodic in three directions; `info` becomes Atoms.info."""
    return Atoms(
        numbers=crystal.numbers, scaled_positions=crystal.frac, cell=crystal.cell, pbc=True, info=dict(info or {})
    )


def crystal_of(atoms: Any) -> Crystal:
    """The Crystal of an ase.Atoms, positions not wrapped; the inverse of atoms_of. Raises InputError for a bad one."""
    return Crystal(atoms.cell.array, atoms.get_scaled_positions(wrap=False), atoms.numbers)


def cif(crystal: Crystal, name: str = "crystal") -> str:
    """CIF text in P1, lengths in Å, angles in degrees."""
    buffer = BytesIO()
    write_cif(buffer, atoms_of(crystal, {"name": name}), wrap=True)
    return buffer.getvalue().decode("latin-1").replace("data_image0", f"data_{_block_name(name)}", 1)


def poscar(crystal: Crystal, name: str = "crystal") -> str:
    """VASP 5 POSCAR text with fractional coordinates; the species stand in alphabetical order."""
    buffer = StringIO()
    write_vasp(buffer, atoms_of(crystal), direct=True, sort=True, vasp5=True)
    _, body = buffer.getvalue().split("\n", 1)
    return f"{_one_line(name)}\n{body}"


def extxyz(crystal: Crystal, info: Mapping[str, Any] | None = None) -> str:
    """One frame of extended XYZ, Cartesian positions in Å; `info` goes to the comment line."""
    flat = {key: " ".join(value.split()) if isinstance(value, str) else value for key, value in (info or {}).items()}
    buffer = StringIO()
    write_extxyz(buffer, [atoms_of(crystal, flat)], write_results=False)
    return buffer.getvalue()


def _block_name(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name)[:75] or "crystal"


def _one_line(name: str) -> str:
    return " ".join(name.split())[:75] or "crystal"
