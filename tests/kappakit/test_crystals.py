"""A crystal is one immutable geometry with a digest."""

import numpy as np
import pytest

from kappakit.crystals import Crystal
from kappakit.errors import InputError

CUBE = np.eye(3) * 3.567
DIAMOND = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0],
           [0.25, 0.25, 0.25], [0.25, 0.75, 0.75], [0.75, 0.25, 0.75], [0.75, 0.75, 0.25]]  # fmt: skip


def diamond() -> Crystal:
    return Crystal.from_symbols(CUBE, DIAMOND, ["C"] * 8)


def test_diamond_has_its_measured_density() -> None:
    # 3.515 g/cm³ at a = 3.567 Å: Handbook of Chemistry and Physics, 97th ed., 4-56.
    assert diamond().density == pytest.approx(3.515, abs=0.005)


def test_composition_reads_alphabetically() -> None:
    crystal = Crystal.from_symbols(CUBE, [[0, 0, 0], [0.5, 0.5, 0.5]], ["N", "B"])
    assert (crystal.formula, crystal.chemical_system) == ("BN", "B-N")


def test_the_digest_ignores_whole_lattice_translations_and_survives_json() -> None:
    crystal = diamond()
    moved = Crystal(crystal.cell, crystal.frac + np.array([1.0, -2.0, 3.0]), crystal.numbers)
    assert moved.digest == crystal.digest == Crystal.from_dict(crystal.to_dict()).digest


def test_a_crystal_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        diamond().cell[0, 0] = 1.0


@pytest.mark.parametrize(
    ("cell", "frac", "symbols"),
    [
        (CUBE * np.nan, [[0, 0, 0]], ["C"]),
        (np.zeros((3, 3)), [[0, 0, 0]], ["C"]),
        (CUBE, [[0, 0, np.inf]], ["C"]),
        (CUBE, [[0, 0, 0]], ["Xx"]),
        (CUBE, [[0, 0, 0]], ["C", "C"]),
        (CUBE, [], []),
        (CUBE[:2], [[0, 0, 0]], ["C"]),
    ],
)
def test_what_is_not_a_crystal_is_refused(cell: np.ndarray, frac: list, symbols: list[str]) -> None:
    with pytest.raises(InputError):
        Crystal.from_symbols(cell, frac, symbols)


def test_angles_and_lengths_of_a_skewed_cell() -> None:
    fcc = Crystal.from_symbols(CUBE @ [[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]], [[0, 0, 0]], ["C"])
    assert fcc.angles == pytest.approx([60, 60, 60])
    assert fcc.lengths == pytest.approx([3.567 / np.sqrt(2)] * 3)
