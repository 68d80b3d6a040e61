"""Supercells for rattles, and rattles."""

from __future__ import annotations

import numpy as np
import pytest

from kappakit.crystals import Crystal
from kappakit.errors import InputError
from kappakit.ports import Potential
from kappakit.rattles import rattled, repeated, smallest_supercell
from kappakit.symmetry import shortest_distance
from kappakit.testing.potentials import FakePotential

FCC = np.array([[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]])
DIAMOND = Crystal(3.567 * FCC, np.array([[0.0] * 3, [0.25] * 3]), np.array([6, 6]))


def test_diamonds_primitive_cell_is_doubled_for_five_angstrom() -> None:
    found = smallest_supercell(DIAMOND, 5.0)
    assert found.repeats == (2, 2, 2)
    assert found.crystal.n_atoms == 16
    assert found.lengths == pytest.approx([2 * 3.567 / np.sqrt(2)] * 3)
    assert shortest_distance(found.crystal) == pytest.approx(3.567 * np.sqrt(3) / 4)


def test_a_long_thin_cell_is_repeated_where_it_is_thin_only() -> None:
    crystal = Crystal(np.diag([2.5, 2.6, 12.0]), np.array([[0.0] * 3, [0.5] * 3]), np.array([6, 6]))
    assert smallest_supercell(crystal, 5.0).repeats == (2, 2, 1)


def test_a_length_that_is_reached_exactly_is_enough_and_zero_asks_for_the_cell_as_it_is() -> None:
    crystal = Crystal(np.diag([2.5, 5.0, 5.1]), np.zeros((1, 3)), np.array([6]))
    assert smallest_supercell(crystal, 5.0).repeats == (2, 1, 1)
    assert smallest_supercell(crystal, 0.0).crystal is crystal


def test_a_skewed_description_of_a_lattice_gives_the_supercell_of_the_short_one() -> None:
    skew = np.array([[1, 0, 0], [3, 1, 0], [0, 0, 1]])
    cell = skew @ DIAMOND.cell
    skewed = Crystal(cell, DIAMOND.positions @ np.linalg.inv(cell), DIAMOND.numbers)
    found = smallest_supercell(skewed, 5.0)
    assert found.repeats == (2, 2, 2)
    assert min(found.lengths) >= 5.0
    assert shortest_distance(found.crystal) == pytest.approx(shortest_distance(DIAMOND))


def test_a_supercell_is_the_same_crystal() -> None:
    potential: Potential = FakePotential()
    small, large = potential.evaluate([DIAMOND, repeated(DIAMOND, (2, 1, 3))])
    assert large.energy == pytest.approx(6 * small.energy)


def test_rattles_have_the_asked_amplitude_and_do_not_move_as_a_whole() -> None:
    crystal = repeated(DIAMOND, (2, 2, 2))
    copies = rattled(crystal, count=64, amplitude=0.05, seed=1)
    moves = np.array([(copy.frac - crystal.frac) @ crystal.cell for copy in copies])
    np.testing.assert_allclose(moves.mean(axis=1), 0.0, atol=1e-12)
    assert moves.std() == pytest.approx(0.05 * np.sqrt(15 / 16), rel=0.03)
    assert np.abs(moves[0] - moves[1]).max() > 0.01


def test_a_rattle_depends_on_seed_and_number_only() -> None:
    few, many = (rattled(DIAMOND, count=count, amplitude=0.05, seed=7) for count in (2, 5))
    assert [c.digest for c in few] == [c.digest for c in many[:2]]
    assert few[0].digest != rattled(DIAMOND, count=1, amplitude=0.05, seed=8)[0].digest


def test_atoms_never_come_nearer_than_the_share_that_is_stated() -> None:
    copies = rattled(DIAMOND, count=40, amplitude=0.25, seed=0)
    assert min(map(shortest_distance, copies)) >= 0.7 * shortest_distance(DIAMOND)


def test_an_amplitude_that_always_makes_atoms_collide_is_refused() -> None:
    with pytest.raises(InputError, match="always come nearer"):
        rattled(repeated(DIAMOND, (2, 2, 2)), count=1, amplitude=1.0, seed=0)
