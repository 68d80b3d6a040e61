"""Force sets that somebody else made: phono3py's and phonopy's files in a folder, read without touching the folder.

Run it in a folder of its own: both libraries also look for force constants and Born charges in the current one.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import phono3py
import phonopy
import yaml
from phono3py import Phono3py
from phono3py.phonon3.dataset import forces_in_dataset
from phonopy import Phonopy

from kappakit.displacements import SYMPREC
from kappakit.errors import InputError
from kappakit.force_constants import solve_second_order

PHONO3PY_YAML = ("phono3py_params.yaml", "phono3py_disp.yaml", "phono3py.yaml")
PHONOPY_YAML = ("phonopy_params.yaml", "phonopy_disp.yaml", "phonopy.yaml")
COMPRESSED = ("", ".xz", ".gz", ".bz2")
UNIT_CELL, CONFIGURATION = "POSCAR-unitcell", "phonopy.conf"
UNREADABLE = (RuntimeError, ValueError, KeyError, TypeError, IndexError, AssertionError, OSError, yaml.YAMLError)
"""What the two libraries raise for a file that is damaged or does not fit the others."""


def has_third_order(folder: Path) -> bool:
    """Whether the folder holds a phono3py yaml; otherwise only harmonic phonons can come of it."""
    return _first(folder, PHONO3PY_YAML) is not None


def read_third_order(folder: Path) -> Phono3py:
    """phono3py's calculation with the forces of FORCES_FC3 (and FORCES_FC2) and the Born charges of BORN, if given.

    The primitive matrix is the yaml's; where it gives none, phono3py finds the primitive cell. Raises InputError for a
    folder without forces and for files that do not belong together.
    """
    description = _first(folder, PHONO3PY_YAML)
    if description is None:
        raise InputError(f"{folder} holds none of {', '.join(PHONO3PY_YAML)}")
    try:
        calculation = phono3py.load(
            description,
            primitive_matrix="auto",
            forces_fc3_filename=_compressed(folder, "FORCES_FC3"),
            forces_fc2_filename=_compressed(folder, "FORCES_FC2"),
            born_filename=_compressed(folder, "BORN"),
            is_nac=True,
            produce_fc=False,
            is_compact_fc=True,
            symprec=SYMPREC,
        )
    except UNREADABLE as error:
        raise InputError(f"the force sets in {folder} cannot be read: {error}") from error
    if calculation.dataset is None or not forces_in_dataset(calculation.dataset):
        raise InputError(f"{folder} holds displacements but no forces: FORCES_FC3 is missing")
    return calculation


def read_harmonic(folder: Path) -> Phonopy:
    """phonopy's calculation with force constants from FORCE_SETS: a phonopy yaml, or POSCAR-unitcell and phonopy.conf.

    Force constants are symmetrised explicitly. Raises InputError as read_third_order does.
    """
    forces = _compressed(folder, "FORCE_SETS")
    if forces is None:
        raise InputError(f"{folder} holds neither a phono3py yaml nor FORCE_SETS")
    try:
        phonons = phonopy.load(
            **_cell(folder),
            force_sets_filename=forces,
            born_filename=_compressed(folder, "BORN"),
            is_nac=True,
            produce_fc=False,
            symprec=SYMPREC,
        )
        solve_second_order(phonons)
    except UNREADABLE as error:
        raise InputError(f"the force sets in {folder} cannot be read: {error}") from error
    return phonons


def _cell(folder: Path) -> dict[str, Any]:
    description = _first(folder, PHONOPY_YAML)
    if description is not None:
        return {"phonopy_yaml": description, "primitive_matrix": "auto"}
    if not (folder / UNIT_CELL).is_file():
        raise InputError(f"{folder} holds neither {', '.join(PHONOPY_YAML)} nor {UNIT_CELL}")
    settings = _configuration(folder / CONFIGURATION)
    if "DIM" not in settings:
        raise InputError(f"{folder / CONFIGURATION} does not say DIM, the supercell of FORCE_SETS")
    return {
        "unitcell_filename": folder / UNIT_CELL,
        "supercell_matrix": _matrix(settings["DIM"], int),
        "primitive_matrix": _axes(settings.get("PRIMITIVE_AXES") or settings.get("PRIMITIVE_AXIS") or "auto"),
        "calculator": "vasp",
    }


def _configuration(path: Path) -> dict[str, str]:
    """KEY = value lines of a phonopy configuration, keys in capitals."""
    lines = path.read_text().splitlines() if path.is_file() else []
    pairs = [line.split("#")[0].split("=", 1) for line in lines if "=" in line.split("#")[0]]
    return {key.strip().upper(): value.strip() for key, value in pairs}


def _axes(text: str) -> Any:
    return _matrix(text, _fraction) if re.search(r"\d", text) else text


def _matrix(text: str, number: Any) -> np.ndarray:
    values = np.array([number(word) for word in text.split()])
    if values.size not in (3, 9):
        raise InputError(f"'{text}' is neither three nor nine numbers")
    return np.diag(values) if values.size == 3 else values.reshape(3, 3)


def _fraction(word: str) -> float:
    numerator, _, denominator = word.partition("/")
    return float(numerator) / float(denominator or 1)


def _first(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _compressed(folder: Path, name: str) -> Path | None:
    return _first(folder, tuple(name + ending for ending in COMPRESSED))
