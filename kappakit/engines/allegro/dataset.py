"""Labelled crystals: read from extended XYZ, split by distinct crystal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase.io import iread

from kappakit.crystals import Crystal
from kappakit.errors import InputError
from kappakit.ports import Evaluation, LabelledCrystal

VOIGT = ((0, 5, 4), (5, 1, 3), (4, 3, 2))


@dataclass(frozen=True, eq=False)
class Split:
    """Frames by use. `validation` chooses between models, `test` is looked at once, for the card."""

    train: tuple[LabelledCrystal, ...]
    validation: tuple[LabelledCrystal, ...]
    test: tuple[LabelledCrystal, ...]


def read_frames(path: Path) -> list[LabelledCrystal]:
    """Frames of an extended XYZ file with energy (eV), forces (eV/Å), stress (eV/Å³), `group` and `kind`.

    Raises InputError for an unreadable file or a frame without labels.
    """
    try:
        return [_labelled(atoms, index) for index, atoms in enumerate(iread(str(path), index=":", format="extxyz"))]
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise InputError(f"{path.name} is not a labelled data set: {error}") from error


def _labelled(atoms: Any, index: int) -> LabelledCrystal:
    if atoms.calc is None or not {"energy", "forces", "stress"} <= atoms.calc.results.keys():
        raise InputError(f"frame {index} lacks energy, forces or stress")
    results = atoms.calc.results
    stress = np.asarray(results["stress"], dtype=float)
    crystal = Crystal(atoms.cell.array, atoms.get_scaled_positions(wrap=False), atoms.numbers)
    evaluation = Evaluation(
        energy=float(results["energy"]),
        forces=np.asarray(results["forces"], dtype=float),
        stress=stress if stress.shape == (3, 3) else stress[np.array(VOIGT)],
    )
    return LabelledCrystal(crystal, evaluation, str(atoms.info.get("group", index)), str(atoms.info.get("kind", "")))


def split(
    frames: Sequence[LabelledCrystal],
    *,
    seed: int,
    always_train: Iterable[str],
    validation_fraction: float,
    test_fraction: float,
) -> Split:
    """Split by group, never by frame: groups are drawn from `seed`, those in `always_train` train.

    Fractions are of the groups; each part gets at least one group. Raises InputError for fewer than three groups.
    """
    fixed = set(always_train)
    free = sorted({f.group for f in frames} - fixed)
    if len(free) < (2 if fixed else 3):
        raise InputError("a split by distinct crystal needs at least three groups")
    order = [free[i] for i in np.random.default_rng(seed).permutation(len(free))]
    n_test = max(1, round(test_fraction * len(free)))
    n_validation = max(1, round(validation_fraction * len(free)))
    test, validation = set(order[:n_test]), set(order[n_test : n_test + n_validation])
    return Split(
        train=tuple(f for f in frames if f.group not in test | validation),
        validation=tuple(f for f in frames if f.group in validation),
        test=tuple(f for f in frames if f.group in test),
    )
