"""Labelled crystals from extended XYZ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ase.io import iread

from kappakit.crystals import Crystal
from kappakit.errors import InputError
from kappakit.ports import Evaluation, LabelledCrystal
from kappakit.writing import crystal_of

VOIGT = ((0, 5, 4), (5, 1, 3), (4, 3, 2))


def read_frames(path: Path) -> list[LabelledCrystal]:
    """Frames of an extended XYZ file with energy (eV), forces (eV/Å), stress (eV/Å³), `group` and `kind`.

    Raises InputError for an unreadable file or a frame without labels.
    """
    try:
        return [_labelled(atoms, index) for index, atoms in enumerate(iread(str(path), index=":", format="extxyz"))]
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise InputError(f"{path.name} is not a labelled data set: {error}") from error


def read_geometries(path: Path) -> list[tuple[Crystal, str, str]]:
    """(crystal, group, kind) of each frame of an extended XYZ file, labels ignored; raises InputError."""
    try:
        return [
            (crystal_of(atoms), _group(atoms, index), _kind(atoms))
            for index, atoms in enumerate(iread(str(path), index=":", format="extxyz"))
        ]
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise InputError(f"{path.name} holds no readable crystals: {error}") from error


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
    return LabelledCrystal(crystal_of(atoms), evaluation, _group(atoms, index), _kind(atoms))
