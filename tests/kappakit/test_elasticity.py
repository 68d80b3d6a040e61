"""Elastic constants by finite strains against published ones, symmetry and hand-made averages."""

from __future__ import annotations

import numpy as np
import pytest

from kappakit.crystals import Crystal
from kappakit.elasticity import Elasticity, Moduli, debye_temperature, elasticity, hill, reuss, velocities, voigt
from kappakit.engines.analytic import lennard_jones, tersoff_bcn
from kappakit.ports import Potential, PotentialRef
from tests.kappakit.reference_cells import diamond, graphite, lonsdaleite
from tests.kappakit.tersoff_potential import TersoffPotential

DIAMOND = 1079.0, 124.0, 578.0
"""GPa: C11, C12, C44 of diamond at 298 K; H. J. McSkimin, P. Andreatch, J. Appl. Phys. 43, 2944 (1972)."""

ARGON = Crystal.from_symbols(3.7 * np.eye(3), [[0.0] * 3], ["Ar"])


def cubic(c11: float, c12: float, c44: float) -> np.ndarray:
    """(6, 6) of a cubic crystal."""
    stiffness = np.diag([c11 - c12] * 3 + [c44] * 3)
    stiffness[:3, :3] += c12
    return stiffness


@pytest.fixture(scope="module")
def tersoff() -> Potential:
    return tersoff_bcn(PotentialRef("tersoff-bcn", "Tersoff"))


def test_diamond_by_tersoff_has_the_published_constants(tersoff: Potential) -> None:
    """1067, 104, 636 GPa: J. Tersoff, Phys. Rev. Lett. 61, 2879 (1988); atoms that did not relax would give 671."""
    stiffness = elasticity(diamond(3.56563), tersoff).stiffness
    assert stiffness[0, 0] == pytest.approx(1067, rel=0.01)
    assert stiffness[0, 1] == pytest.approx(104, abs=3)
    assert stiffness[3, 3] == pytest.approx(636, rel=0.01)
    assert stiffness == pytest.approx(cubic(stiffness[0, 0], stiffness[0, 1], stiffness[3, 3]), abs=0.05)


def test_a_crystal_turned_in_space_has_the_same_moduli(tersoff: Potential) -> None:
    straight = lonsdaleite()
    turned = Crystal(straight.cell @ turn([1.0, 2.0, 3.0], 0.7), straight.frac, straight.numbers)
    before, after = (hill(elasticity(crystal, tersoff).stiffness) for crystal in (straight, turned))
    assert (before.bulk, before.shear) == (pytest.approx(after.bulk, rel=1e-3), pytest.approx(after.shear, rel=1e-3))


def test_a_repeated_cell_has_the_same_constants(tersoff: Potential) -> None:
    """Atoms of one cell move together under a strain, so a larger cell adds nothing."""
    single = diamond(3.56563)
    frac = np.concatenate([single.frac, single.frac + np.eye(3)[0]]) / [2.0, 1.0, 1.0]
    double = Crystal(single.cell * [[2.0], [1.0], [1.0]], frac, np.tile(single.numbers, 2))
    small, large = elasticity(single, tersoff), elasticity(double, tersoff)
    assert large.stiffness == pytest.approx(small.stiffness, abs=0.1)
    assert large.holds_atoms


def test_an_engine_in_single_precision_gives_nearly_the_same() -> None:
    exact, rounded = (elasticity(diamond(), TersoffPotential(precision=word)) for word in ("float64", "float32"))
    assert rounded.stiffness == pytest.approx(exact.stiffness, abs=2.0)


def test_simple_cubic_argon_shears_by_itself() -> None:
    """Pairs of nearest neighbours leave a simple cubic crystal no resistance to shear."""
    found = elasticity(ARGON, lennard_jones(PotentialRef("lennard-jones", "argon")))
    assert found.holds_atoms
    assert not found.holds_shape


def test_layers_out_of_reach_slide(tersoff: Potential) -> None:
    found = elasticity(graphite(), tersoff)
    assert not found.holds_atoms
    assert not found.holds_shape


def test_averages_of_diamond_by_hand() -> None:
    """Cubic: B = (C11 + 2 C12) / 3, Voigt's G = (C11 - C12 + 3 C44) / 5, Reuss's G = 5 c44 d / (4 C44 + 3 d) with
    d = C11 - C12."""
    stiffness = cubic(*DIAMOND)
    upper, lower, mean = voigt(stiffness), reuss(stiffness), hill(stiffness)
    assert upper.bulk == pytest.approx(442.33, abs=0.01)
    assert lower.bulk == pytest.approx(442.33, abs=0.01)
    assert upper.shear == pytest.approx(537.8, abs=0.01)
    assert lower.shear == pytest.approx(5 * 578 * 955 / (4 * 578 + 3 * 955), abs=0.01)
    assert mean.shear == pytest.approx((upper.shear + lower.shear) / 2)


def test_an_isotropic_solid_has_one_modulus_of_each_kind() -> None:
    stiffness = cubic(300.0, 100.0, 100.0)
    assert voigt(stiffness).shear == pytest.approx(100.0)
    assert reuss(stiffness).shear == pytest.approx(100.0)
    assert hill(stiffness).poisson == pytest.approx(0.25)


def test_sound_and_debye_temperature_of_diamond() -> None:
    """2240 ± 5 K at 0 K from the same constants: McSkimin and Andreatch, as above."""
    moduli, crystal = hill(cubic(*DIAMOND)), diamond(3.567)
    longitudinal, transverse = velocities(moduli, crystal.density)
    assert longitudinal == pytest.approx(1e3 * np.sqrt((442.33 + 4 / 3 * 535.7) / 3.515), rel=1e-3)
    assert transverse == pytest.approx(1e3 * np.sqrt(535.7 / 3.515), rel=1e-3)
    assert debye_temperature(moduli, crystal) == pytest.approx(2240, abs=15)


def test_poisson_of_a_rigid_and_of_a_soft_solid() -> None:
    assert Moduli(1.0, 1.5).poisson == pytest.approx(0.0)
    assert Moduli(1e9, 1.0).poisson == pytest.approx(0.5)


def test_a_strain_that_lowers_the_energy_is_told() -> None:
    assert Elasticity(cubic(300.0, 100.0, 100.0), 1.0).holds_shape
    assert not Elasticity(cubic(100.0, 110.0, 50.0), 1.0).holds_shape


def turn(axis: list[float], angle: float) -> np.ndarray:
    """(3, 3) rotation of rows about an axis, by Rodrigues' formula."""
    x, y, z = np.array(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray((np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross).T)
