"""Labelled crystals from extended XYZ, plain or packed by gzip, and back."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import iread, write

from kappakit.crystals import Crystal
from kappakit.errors import InputError
from kappakit.ports import Evaluation, LabelledCrystal
from kappakit.writing import atoms_of, crystal_of

VOIGT = ((0, 5, 4), (5, 1, 3), (4, 3, 2))
SHIPPED = Path(__file__).parent / "data" / "carbon_dft.extxyz.gz"


def shipped_labels() -> Path:
    """Configurations of carbon with DFT labels that come with the program; `data/README.md` says what they are."""
    return SHIPPED


def read_frames(path: Path) -> list[LabelledCrystal]:
    """Frames of an extended XYZ file with energy (eV), forces (eV/Å), stress (eV/Å³), `group`, `kind`, `method`.

    Raises InputError for an unreadable file or a frame without labels.
    """
    try:
        return [_labelled(atoms, index) for index, atoms in enumerate(_frames(path))]
    except (OSError, EOFError, ValueError, KeyError, IndexError) as error:
        raise InputError(f"{path.name} is not a labelled data set: {error}") from error


def read_geometries(path: Path) -> list[tuple[Crystal, str, str]]:
    """(crystal, group, kind) of each frame of an extended XYZ file, labels ignored; raises InputError."""
    try:
        return [(crystal_of(atoms), _group(atoms, index), _kind(atoms)) for index, atoms in enumerate(_frames(path))]
    except (OSError, EOFError, ValueError, KeyError, IndexError) as error:
        raise InputError(f"{path.name} holds no readable crystals: {error}") from error


def write_frames(path: Path, frames: Sequence[LabelledCrystal]) -> None:
    """Write what read_frames reads, all frames in order; a file of no frames is empty."""
    path.write_text("")
    if frames:
        write(str(path), [_atoms(frame) for frame in frames], format="extxyz")


def _atoms(frame: LabelledCrystal) -> Any:
    atoms = atoms_of(frame.crystal, {"group": frame.group, "kind": frame.kind, "method": frame.method})
    found = frame.evaluation
    voigt = found.stress[(0, 1, 2, 1, 0, 0), (0, 1, 2, 2, 2, 1)]
    atoms.calc = SinglePointCalculator(atoms, energy=found.energy, forces=found.forces, stress=voigt)
    return atoms


def _frames(path: Path) -> Iterator[Any]:
    """Packed files are unpacked into memory first: ase seeks in what it reads."""
    if path.name.endswith(".gz"):
        return iread(StringIO(gzip.decompress(path.read_bytes()).decode()), index=":", format="extxyz")
    return iread(str(path), index=":", format="extxyz")


def _group(atoms: Any, index: int) -> str:
    return str(atoms.info.get("group", index))


def _kind(atoms: Any) -> str:
    return str(atoms.info.get("kind", ""))


def _labelled(atoms: Any, index: int) -> LabelledCrystal:
    if atoms.calc is None or not {"energy", "forces", "stress"} <= atoms.calc.results.keys():
        raise InputError(f"frame {index} lacks energy, forces or stress")
    results = atoms.calc.results
    stress = np.asarray(results["stress"], dtype=float)
    evaluation = Evaluation(
        energy=float(results["energy"]),
        forces=np.asarray(results["forces"], dtype=float),
        stress=stress if stress.shape == (3, 3) else stress[np.array(VOIGT)],
    )
    method = str(atoms.info.get("method", ""))
    return LabelledCrystal(crystal_of(atoms), evaluation, _group(atoms, index), _kind(atoms), method)
