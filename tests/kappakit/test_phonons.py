"""Harmonic phonons against elasticity, and the search for imaginary modes."""

from __future__ import annotations

import numpy as np
import pytest
from phonopy import Phonopy

from kappakit.crystals import Crystal
from kappakit.displacements import displaced, evaluate_displacements
from kappakit.force_constants import produce
from kappakit.phonons import band_path, density_of_states, dynamical_word, frequencies_at, harmonic, stability
from kappakit.ports import SilentProgress
from kappakit.protocol import ConductivitySettings
from kappakit.units import EV_PER_A3_IN_GPA
from tests.kappakit.reference_cells import TERSOFF_DIAMOND, diamond, simple_cubic
from tests.kappakit.tersoff_potential import TersoffPotential

SMALL = ConductivitySettings(
    supercell_rule="repeat", displacements="systematic", fc3_supercell=2, fc2_supercell=3, pair_cutoff=0.1
)
TOLERANCE = 0.1


def phonons_of(crystal: Crystal) -> Phonopy:
    calculation = displaced(crystal, SMALL)
    evaluate_displacements(calculation, TersoffPotential(), SilentProgress())
    produce(calculation)
    return harmonic(calculation.unitcell, calculation.phonon_supercell_matrix, np.eye(3), calculation.fc2)


@pytest.fixture(scope="module")
def of_diamond() -> Phonopy:
    return phonons_of(diamond())


def c11(a: float) -> float:
    """GPa, by a finite strain of Tersoff's diamond; the strain of one axis moves no atom inside the cell."""
    strain = 1e-4
    base = diamond(a)
    stretched = Crystal(base.cell @ (np.eye(3) + np.diag([strain, 0, 0])), base.frac, base.numbers)
    before, after = (evaluation.stress for evaluation in TersoffPotential().evaluate([base, stretched]))
    return float((after - before)[0, 0] / strain * EV_PER_A3_IN_GPA)


def test_sound_along_100_is_as_fast_as_elasticity_says(of_diamond: Phonopy) -> None:
    """v = √(C11/ρ). 3 %: the wave vector is small, not zero, and the supercell is finite."""
    speed = np.sqrt(c11(TERSOFF_DIAMOND) * 1e9 / (diamond().density * 1e3))
    q = np.array([[0.0, 0.01, 0.01]])
    length = np.linalg.norm(q @ np.linalg.inv(diamond().cell).T)
    longitudinal = frequencies_at(of_diamond, q)[0, 2] * 1e12 / (length * 1e10)
    assert longitudinal == pytest.approx(speed, rel=0.03)


def test_c11_of_tersoff_s_diamond_is_the_published_one() -> None:
    """10.9 Mbar: J. Tersoff, Phys. Rev. Lett. 61, 2879 (1988), table I; the same carbon as in the 1989 set."""
    assert c11(TERSOFF_DIAMOND) == pytest.approx(1090.0, rel=0.03)


def test_diamond_has_three_acoustic_and_three_degenerate_optical_modes_at_gamma(of_diamond: Phonopy) -> None:
    frequencies = frequencies_at(of_diamond, np.zeros((1, 3)))[0]
    np.testing.assert_allclose(frequencies[:3], 0.0, atol=1e-3)
    np.testing.assert_allclose(frequencies[3:], frequencies[5], rtol=1e-6)
    assert frequencies[5] > 30.0


def test_frequencies_obey_the_symmetry_of_the_crystal(of_diamond: Phonopy) -> None:
    star = np.array([[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]])
    found = frequencies_at(of_diamond, star)
    np.testing.assert_allclose(found, found[[0, 0, 0]], atol=1e-6)


def test_diamond_is_stable(of_diamond: Phonopy) -> None:
    found = stability(of_diamond, (6, 6, 6), band_path(of_diamond), TOLERANCE)
    assert found.dynamical == "stable"
    assert min(found.lowest_commensurate, found.lowest_mesh, found.lowest_path) > 5.0
    assert found.acoustic_lowest > -1e-3


def test_simple_cubic_carbon_is_imaginary() -> None:
    """Tersoff's carbon favours 109.5°, a simple cube has 90° and 180°: shear leads down."""
    phonons = phonons_of(simple_cubic(1.6))
    found = stability(phonons, (4, 4, 4), band_path(phonons), TOLERANCE)
    assert found.dynamical == "imaginary"
    assert min(found.lowest_commensurate, found.lowest_mesh, found.lowest_path) < -1.0


@pytest.mark.parametrize(
    ("lowest", "acoustic", "word"),
    [
        (2.0, 0.0, "stable"),
        (-5e-4, 0.0, "stable"),
        (-0.02, 0.0, "borderline"),
        (-0.0999, 0.0, "borderline"),
        (-0.1001, 0.0, "imaginary"),
        (2.0, -0.05, "stable"),
        (2.0, -0.5, "borderline"),
        (-3.0, -0.5, "imaginary"),
    ],
)
def test_acoustic_branches_near_gamma_alone_make_a_crystal_borderline_never_imaginary(
    lowest: float, acoustic: float, word: str
) -> None:
    assert dynamical_word(lowest, acoustic, TOLERANCE) == word


def test_a_soft_acoustic_branch_near_gamma_is_told_apart() -> None:
    """A weak negative spring on every atom lowers ω² alike everywhere: only the branches near Γ fall below zero."""
    phonons = phonons_of(diamond())
    fc2 = phonons.force_constants.copy()
    for row, atom in enumerate(phonons.primitive.p2s_map):
        fc2[row, atom] -= 0.05 * np.eye(3)
    soft = harmonic(phonons.unitcell, phonons.supercell_matrix, np.eye(3), fc2)
    found = stability(soft, (4, 4, 4), band_path(soft), TOLERANCE)
    assert found.dynamical == "borderline"
    assert found.acoustic_lowest < -TOLERANCE
    assert min(found.lowest_commensurate, found.lowest_mesh, found.lowest_path) > 5.0


def test_the_path_starts_at_gamma_and_breaks_where_it_jumps(of_diamond: Phonopy) -> None:
    path = band_path(of_diamond)
    labels = [label for _, label in path.ticks]
    assert labels == ["Γ", "X", "U|K", "Γ", "L", "W", "X"]
    (jump,) = path.breaks
    assert path.distances[jump] == pytest.approx(path.ticks[2][0])
    assert np.all(np.diff(path.distances) >= -1e-12)
    assert len(path.distances) == len(path.frequencies) == len(path.q_points)


def test_the_path_follows_the_cell_as_it_stands() -> None:
    """A primitive cell that is not the standard one has the same bands: the path is translated into its own axes."""
    straight = diamond()
    shear = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]])
    sheared = Crystal(shear @ straight.cell, straight.frac @ np.linalg.inv(shear), straight.numbers)
    expected, found = band_path(phonons_of(straight)), band_path(phonons_of(sheared))
    np.testing.assert_allclose(found.distances, expected.distances, atol=1e-6)
    np.testing.assert_allclose(found.frequencies[0], expected.frequencies[0], atol=1e-3)
    zone_boundary = int(np.searchsorted(expected.distances, expected.ticks[1][0]))
    np.testing.assert_allclose(found.frequencies[zone_boundary], expected.frequencies[zone_boundary], rtol=0.02)


def test_the_density_of_states_counts_every_mode(of_diamond: Phonopy) -> None:
    frequencies, states = density_of_states(of_diamond, (8, 8, 8))
    assert np.trapezoid(states, frequencies) == pytest.approx(6.0, rel=0.02)
    assert states.min() >= 0.0
