"""Supercells by width: the fewest atoms that are wide enough and keep the point group."""

from __future__ import annotations

import numpy as np
import pytest
import spglib

from kappakit.crystals import Crystal
from kappakit.errors import InputError, Rejected
from kappakit.reference import REFERENCES, stacked_polytype
from kappakit.symmetry import find_symmetry
from kappakit.widths import checked, index, keeps, point_group, repeated, supercell_of_width, width_of
from tests.kappakit.reference_cells import diamond, lonsdaleite

FOUR_H = stacked_polytype("hc", 3.567)
TRICLINIC = Crystal.from_symbols(
    [[3.0, 0.2, 0.1], [0.4, 3.3, -0.2], [-0.5, 0.6, 4.1]], [[0.0, 0.0, 0.0], [0.31, 0.27, 0.44], [0.7, 0.1, 0.8]], "CCC"
)


def primitive_of(name: str) -> Crystal:
    return find_symmetry(REFERENCES[name].crystal, symprec=0.01, angle_tolerance=-1.0).primitive


def rotations_of_the_supercell(primitive: Crystal, matrix: np.ndarray) -> int:
    """How many rotations spglib finds in the supercell itself, its atoms all of one crystal."""
    shifts = np.stack(np.meshgrid(*[np.arange(-12, 13)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    inside = (shifts @ np.linalg.inv(matrix).T + 1e-7) % 1.0
    cells = np.unique(np.round(inside, 6), axis=0)
    frac = (cells[:, None] + primitive.frac @ np.linalg.inv(matrix).T).reshape(-1, 3)
    numbers = np.tile(primitive.numbers, len(cells))
    dataset = spglib.get_symmetry((matrix.T @ primitive.cell, frac, numbers), symprec=1e-5)
    return len(np.unique(dataset["rotations"], axis=0))


@pytest.mark.parametrize(
    ("crystal", "width", "cells", "reached"),
    [
        (diamond(), 6.0, 27, 6.18),
        (diamond(), 7.0, 64, 8.24),
        (lonsdaleite(), 6.0, 18, 6.18),
        (FOUR_H, 6.0, 9, 6.18),
    ],
    ids=["diamond, 3×3×3", "diamond, 4×4×4", "lonsdaleite, 3×3×2", "4H, 3×3×1"],
)
def test_the_smallest_supercell_of_a_width(crystal: Crystal, width: float, cells: int, reached: float) -> None:
    matrix = supercell_of_width(crystal, width)
    assert index(matrix) == cells
    assert width_of(crystal, matrix) == pytest.approx(reached, abs=0.01)


@pytest.mark.parametrize("name", ["diamond-9R", "bct-C4", "Z-carbon", "M-carbon", "T12-carbon", "BCO-C16"])
def test_a_supercell_has_every_rotation_of_its_crystal(name: str) -> None:
    primitive = primitive_of(name)
    matrix = supercell_of_width(primitive, 6.0)
    assert width_of(primitive, matrix) > 6.0 - 1e-6
    assert rotations_of_the_supercell(primitive, matrix) == len(point_group(primitive))
    assert index(matrix) < 27


def test_images_of_an_atom_are_as_far_as_in_the_most_even_cell() -> None:
    cube = np.array([[-2, 2, 2], [2, -2, 2], [2, 2, -2]])
    edge = np.linalg.norm(cube.T @ diamond().cell, axis=1)
    np.testing.assert_allclose(edge, 2 * 3.56583)
    assert width_of(diamond(), cube) == pytest.approx(edge[0] / 1.5**0.5)
    assert width_of(diamond(), repeated(3)) == pytest.approx(3 * 3.56583 / 3**0.5)


def test_a_long_axis_is_not_repeated() -> None:
    matrix = supercell_of_width(stacked_polytype("hcc", 3.567), 10.0)
    assert index(matrix) == 25
    assert sorted(np.abs(matrix).max(axis=0)) == [1, 5, 5]


def test_the_width_is_of_the_lattice_and_not_of_the_vectors_chosen() -> None:
    straight = Crystal.from_symbols(np.diag([2.0, 3.0, 5.0]), [[0.0] * 3], ["C"])
    assert width_of(straight, np.array([[1, 0, 0], [7, 1, 0], [-5, 3, 1]])) == pytest.approx(2.0 / 1.5**0.5)


def test_without_symmetry_the_widest_of_all_sublattices_is_taken() -> None:
    matrix = supercell_of_width(TRICLINIC, 8.0)
    assert width_of(TRICLINIC, matrix) > 8.0 - 1e-6
    assert index(matrix) <= index(np.diag([4, 3, 3]))
    assert np.linalg.det(matrix) > 0


def test_unequal_repetitions_of_an_oblique_cell_are_refused() -> None:
    bct = primitive_of("bct-C4")
    assert not keeps(np.diag([3, 3, 2]), point_group(bct))
    with pytest.raises(InputError, match=r"keeps 4 of the crystal's 16 rotations"):
        checked(bct, np.diag([3, 3, 2]))
    np.testing.assert_array_equal(checked(bct, repeated(3)), 3 * np.eye(3))


@pytest.mark.parametrize("matrix", [np.diag([2.5, 2, 2]), np.zeros((3, 3)), np.diag([1, 1, -1]), np.eye(2)])
def test_what_is_no_supercell_is_refused(matrix: np.ndarray) -> None:
    with pytest.raises(InputError, match="whole numbers"):
        checked(diamond(), matrix)


def test_a_width_that_nothing_reaches_is_refused() -> None:
    with pytest.raises(Rejected, match="100 Å wide"):
        supercell_of_width(diamond(), 100.0)
