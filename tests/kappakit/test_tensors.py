"""Principal conductivities and the words for their directions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from kappakit.tensors import direction_words, from_voigt, nearest_direction, principal

CUBE = 3.6 * np.eye(3)
HEXAGON = np.array([[2.5, 0, 0], [-1.25, 2.5 * 3**0.5 / 2, 0], [0, 0, 4.1]])
values = st.floats(1.0, 4000.0)
angles = st.tuples(*[st.floats(-np.pi, np.pi)] * 3)


def turned(tensor: np.ndarray, euler: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    rotation = Rotation.from_euler("xyz", euler).as_matrix()
    return rotation @ tensor @ rotation.T, rotation


@given(st.tuples(values, values, values), angles)
def test_principal_values_do_not_depend_on_the_axes(
    kappas: tuple[float, ...], euler: tuple[float, float, float]
) -> None:
    tensor, _ = turned(np.diag(kappas), euler)
    found, directions = principal(tensor)
    np.testing.assert_allclose(found, sorted(kappas, reverse=True), rtol=1e-9)
    np.testing.assert_allclose(directions @ directions.T, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(directions.T @ np.diag(found) @ directions, tensor, atol=1e-9 * max(kappas))


@given(angles)
def test_principal_directions_turn_with_the_crystal(euler: tuple[float, float, float]) -> None:
    tensor, rotation = turned(np.diag([300.0, 200.0, 100.0]), euler)
    _, directions = principal(tensor)
    np.testing.assert_allclose(np.abs(directions @ rotation), np.eye(3), atol=1e-9)


@given(angles)
def test_words_do_not_depend_on_the_axes(euler: tuple[float, float, float]) -> None:
    rotation = Rotation.from_euler("xyz", euler).as_matrix()
    tensor = rotation @ np.diag([300.0, 100.0, 100.0]) @ rotation.T
    words = direction_words(*principal(tensor), CUBE @ rotation.T)
    plane = "any direction in the plane ⊥ [100]"
    assert words == ("[100]", plane, plane)


def test_the_largest_principal_value_exceeds_every_diagonal_element_of_a_turned_tensor() -> None:
    tensor, _ = turned(np.diag([2000.0, 100.0, 100.0]), (0.4, 0.6, 0.2))
    assert principal(tensor)[0][0] == pytest.approx(2000.0)
    assert np.diag(tensor).max() < 1500.0


def test_an_antisymmetric_part_is_ignored() -> None:
    tensor = np.diag([3.0, 2.0, 1.0]) + np.array([[0, 0.5, 0], [-0.5, 0, 0], [0, 0, 0]])
    np.testing.assert_allclose(principal(tensor)[0], [3.0, 2.0, 1.0])


def test_a_stack_of_temperatures_keeps_its_order() -> None:
    stack = np.stack([np.diag([1.0, 5.0, 3.0]), np.diag([0.1, 0.5, 0.3])])
    values, directions = principal(stack)
    np.testing.assert_allclose(values, [[5.0, 3.0, 1.0], [0.5, 0.3, 0.1]])
    np.testing.assert_allclose(directions[:, 0], [[0, 1, 0], [0, 1, 0]])


def test_voigt_order_is_xx_yy_zz_yz_xz_xy() -> None:
    expected = [[1.0, 6.0, 5.0], [6.0, 2.0, 4.0], [5.0, 4.0, 3.0]]
    np.testing.assert_allclose(from_voigt(np.arange(1.0, 7.0)), expected)


def test_a_cubic_crystal_has_no_preferred_direction() -> None:
    words = direction_words(*principal(2000.0 * np.eye(3)), CUBE)
    assert words == ("any direction", "any direction", "any direction")


def test_a_hexagonal_crystal_conducts_alike_in_its_plane() -> None:
    words = direction_words(*principal(np.diag([1600.0, 1600.0, 1770.0])), HEXAGON)
    plane = "any direction in the plane ⊥ [001]"
    assert words == ("[001]", plane, plane)


def test_an_orthorhombic_crystal_names_three_axes() -> None:
    words = direction_words(*principal(np.diag([1.0, 3.0, 2.0])), np.diag([3.0, 4.0, 5.0]))
    assert words == ("[010]", "[001]", "[100]")


@pytest.mark.parametrize(
    ("direction", "cell", "word"),
    [
        ([1, 1, 1], CUBE, "[111]"),
        ([1, -1, 0], CUBE, "[1-10]"),
        ([-1, 1, 0], CUBE, "[1-10]"),
        ([0.0, 1.0, 0.0], HEXAGON, "[120]"),
        ([1.0, 0.003, 0.0], CUBE, "[100]"),
    ],
)
def test_a_direction_is_named_by_its_simplest_lattice_vector(
    direction: list[float], cell: np.ndarray, word: str
) -> None:
    unit = np.array(direction) / np.linalg.norm(direction)
    assert nearest_direction(unit, cell) == word


def test_a_direction_that_no_small_index_meets_says_how_far_off_it_is() -> None:
    unit = np.array([np.cos(0.05), np.sin(0.05), 0.0])
    name, _, deviation = nearest_direction(unit, CUBE).partition(" + ")
    assert name == "[100]"
    assert deviation == "2.9°"
