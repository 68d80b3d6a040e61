"""Meshes by spacing and by the paper's rule, and the neighbour shells beside the cutoff."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from phono3py import Phono3py

from kappakit.convergence import AXES
from kappakit.crystals import Crystal
from kappakit.displacements import displaced
from kappakit.errors import InputError
from kappakit.meshes import (
    allowed_mesh,
    distinct_meshes,
    given_mesh,
    irreducible_points,
    neighbour_shells,
    spaced_mesh,
)
from kappakit.protocol import ConductivitySettings
from kappakit.stages.kappa_plan import shells
from tests.kappakit.reference_cells import diamond, graphite, lonsdaleite, rhombohedral

SETTINGS = ConductivitySettings(supercell_rule="repeat", displacements="systematic", fc3_supercell=1, fc2_supercell=1)


def rotations(calculation: Phono3py) -> np.ndarray:
    return np.asarray(calculation.primitive_symmetry.symmetry_operations["rotations"])


def mesh_of(crystal: Crystal, length: float = 25.0) -> tuple[int, int, int]:
    return allowed_mesh(crystal, rotations(displaced(crystal, SETTINGS)), length)


def test_diamond_has_ten_points_a_direction_not_twelve() -> None:
    """25 Å / (3.566 Å / √2) = 9.9; phono3py's length mesh would count the spacing of lattice planes and say 12."""
    assert mesh_of(diamond()) == (10, 10, 10)


def test_lonsdaleite_has_fewer_points_along_its_long_axis() -> None:
    assert mesh_of(lonsdaleite()) == (10, 10, 7)


def test_the_mesh_is_longer_than_the_length_even_where_it_divides_evenly() -> None:
    cube = Crystal.from_symbols(2.5 * np.eye(3), [[0.0] * 3], ["C"])
    assert mesh_of(cube) == (11, 11, 11)


def test_axes_that_symmetry_exchanges_get_equal_numbers() -> None:
    """Body-centred tetragonal: three equal primitive vectors, mixed by the fourfold axis."""
    a, c = 4.37, 2.51
    cell = np.array([[-a, a, c], [a, -a, c], [a, a, -c]]) / 2
    crystal = Crystal.from_symbols(cell, [[0.0] * 3], ["C"])
    mesh = mesh_of(crystal)
    assert len(set(mesh)) == 1
    assert mesh[0] * crystal.lengths[0] > 25.0


def test_a_skew_cell_gets_the_numbers_of_its_own_axes_when_no_rotation_mixes_them() -> None:
    cell = np.array([[2.3, 0, 0], [0.4, 4.9, 0], [0.7, 0.9, 9.0]])
    crystal = Crystal.from_symbols(cell, [[0.0] * 3, [0.31, 0.17, 0.43], [0.11, 0.62, 0.75]], "CCC")
    assert mesh_of(crystal) == (11, 6, 3)


def test_phono3py_finds_the_mesh_symmetric() -> None:
    """The mesh that the rule gives is one on which every rotation acts: weights reflect the whole point group."""
    for crystal, numbers, irreducible in ((diamond(), (10, 10, 10), 47), (lonsdaleite(), (10, 10, 7), 56)):
        calculation = displaced(crystal, SETTINGS)
        assert irreducible_points(calculation, given_mesh(calculation, numbers)) == irreducible


@pytest.mark.parametrize("length", [12.0, 25.0, 31.3])
@pytest.mark.parametrize(
    "crystal", [diamond(), lonsdaleite(), rhombohedral(), graphite()], ids=["3C", "2H", "9R", "gr"]
)
def test_no_direction_of_a_spaced_mesh_is_thinner_than_its_length(crystal: Crystal, length: float) -> None:
    """Measured on the q-points themselves: the distance of neighbouring grid planes along each conventional axis."""
    calculation = displaced(crystal, SETTINGS)
    mesh = spaced_mesh(calculation, length)
    planes = np.array(mesh.matrix) @ crystal.cell
    spacings = np.linalg.norm(np.linalg.inv(planes), axis=0)
    assert spacings.max() <= 1 / length + 1e-9
    assert mesh.length == pytest.approx(1 / spacings.max())
    assert mesh.length >= length - 1e-6
    assert mesh.points == abs(round(np.linalg.det(np.array(mesh.matrix))))


def test_a_spaced_mesh_follows_the_conventional_cell() -> None:
    """25 Å / 3.576 Å = 6.99, so 7 along each edge of the cube; four primitive cells a cube: 4 · 7³ points."""
    calculation = displaced(diamond(3.576), SETTINGS)
    mesh = spaced_mesh(calculation, 25.0)
    assert (mesh.numbers, mesh.points) == ((7, 7, 7), 1372)
    assert irreducible_points(calculation, mesh) == 60
    assert len(calculation.grid.grg2bzg) == 1372


@pytest.mark.parametrize("length", [6.0, 13.0, 20.0, 25.0])
def test_no_point_of_a_spaced_mesh_lies_on_the_face_across_a_screw_axis(length: float) -> None:
    """P6_3/mmc: at q_z = 1/2 bands stick together in pairs of opposite velocities."""
    calculation = displaced(lonsdaleite(), SETTINGS)
    mesh = spaced_mesh(calculation, length)
    assert all(number % 2 for number in mesh.numbers)
    irreducible_points(calculation, mesh)
    heights = (calculation.grid.addresses @ calculation.grid.QDinv.T)[:, 2]
    assert not np.isclose(np.abs(heights), 0.5).any()


def test_lengths_that_give_one_mesh_are_tried_once() -> None:
    settings = replace(SETTINGS, mesh_length=25.0, mesh_step=1.25, max_mesh_length=33.0)
    found = [mesh.numbers[0] for mesh in distinct_meshes(displaced(diamond(3.576), SETTINGS), settings)]
    assert found == [7, 9]


def test_the_paper_s_rule_is_thin_along_the_axis_of_a_rhombohedral_polytype() -> None:
    """9R: vectors of 6.3 Å give 4×4×4, while the lattice planes lie 2.1 Å apart."""
    calculation = displaced(rhombohedral(), SETTINGS)
    numbers = allowed_mesh(rhombohedral(), rotations(calculation), 25.0)
    thin = given_mesh(calculation, numbers, rule=AXES)
    assert numbers == (4, 4, 4)
    assert thin.length == pytest.approx(8.6, abs=0.2)
    assert spaced_mesh(calculation, 25.0).length > 25.0


def test_a_mesh_of_a_slip_of_the_keyboard_is_refused() -> None:
    with pytest.raises(InputError, match=r"q-points: choose a shorter one"):
        spaced_mesh(displaced(diamond(), SETTINGS), 1e4)


def test_diamond_s_shells_are_those_of_the_diamond_lattice() -> None:
    """4, 12, 12 neighbours an atom at a√3/4, a/√2, a√11/4; two atoms a cell."""
    found = neighbour_shells(diamond(3.577), 3.2)
    expected = [(3.577 * 3**0.5 / 4, 8), (3.577 / 2**0.5, 24), (3.577 * 11**0.5 / 4, 24)]
    assert [count for _, count in found] == [count for _, count in expected]
    np.testing.assert_allclose([d for d, _ in found], [d for d, _ in expected], atol=1e-9)


def test_shells_do_not_depend_on_where_the_atoms_are_written() -> None:
    crystal = diamond()
    shifted = Crystal(crystal.cell, crystal.frac + np.array([[0.9, -2.3, 0.4], [5.9, 1.7, -0.6]]), crystal.numbers)
    np.testing.assert_allclose(neighbour_shells(shifted, 4.0), neighbour_shells(crystal, 4.0), atol=1e-9)


def test_diamond_s_third_shell_is_flagged_beside_a_cutoff_of_three_angstrom() -> None:
    """2.966 Å at a = 3.577 Å: inside by one per cent, so a small strain changes the list of displacements."""
    flagged = [shell for shell in shells(diamond(3.577), SETTINGS) if shell.flagged]
    assert [shell.distance for shell in flagged] == [pytest.approx(2.966, abs=1e-3)]


def test_no_shell_is_flagged_without_a_cutoff() -> None:
    assert not any(shell.flagged for shell in shells(diamond(), ConductivitySettings(pair_cutoff=0.0)))


def test_graphite_s_layers_are_beyond_the_cutoff() -> None:
    """3.354 Å apart: no third-order force constant couples them at 3 Å, and the list of shells shows it."""
    distances = [shell.distance for shell in shells(graphite(), SETTINGS)]
    between = [d for d in distances if d > 3.0]
    assert between[0] == pytest.approx(3.354, abs=1e-3)
