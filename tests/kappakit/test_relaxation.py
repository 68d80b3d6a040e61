"""Relaxation: deviations, trust, and a batch by torch-sim that ends where ASE ends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kappakit.crystals import Crystal
from kappakit.engines.allegro.potential import AllegroPotential
from kappakit.errors import Rejected
from kappakit.ports import SilentProgress, TrustLimits
from kappakit.protocol import RelaxSettings
from kappakit.relaxation import deviations, relax_one, relax_under_symmetry, require_trust
from kappakit.testing.potentials import FakePotential

LAPTOP = Path(__file__).parents[2] / "models" / "carbon-laptop"
FCC = np.array([[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]])
DIAMOND = np.array([[0.0, 0.0, 0.0], [0.25, 0.25, 0.25]])


def diamond(a: float, rattle: float = 0.0) -> Crystal:
    rng = np.random.default_rng(5)
    return Crystal(
        a * FCC + rattle * rng.normal(size=(3, 3)), DIAMOND + rattle * rng.normal(size=(2, 3)), np.array([6, 6])
    )


def test_a_rigid_shift_across_the_boundary_is_no_deviation() -> None:
    start = diamond(3.57)
    end = Crystal(start.cell, start.frac + np.array([0.9, -0.3, 0.45]), start.numbers)
    lengths, angles, volume, positions = deviations(start, end)
    assert max(*lengths, *angles, abs(volume), positions) < 1e-12


def test_a_stretched_crystal_deviates_by_its_stretch() -> None:
    lengths, angles, volume, _ = deviations(diamond(3.5), diamond(3.5 * 1.1))
    np.testing.assert_allclose(lengths, 0.1, atol=1e-12)
    np.testing.assert_allclose(angles, 0.0, atol=1e-12)
    assert volume == pytest.approx(1.1**3 - 1.0)


@pytest.mark.parametrize(("a", "reason"), [(2.2, "too-close"), (7.0, "volume")])
def test_a_crystal_outside_the_limits_of_trust_is_rejected(a: float, reason: str) -> None:
    with pytest.raises(Rejected) as refused:
        require_trust(diamond(a), TrustLimits(min_volume=0.5), None)
    assert refused.value.reason == reason


def test_a_crystal_unlike_the_training_set_is_rejected() -> None:
    with pytest.raises(Rejected, match="SOAP"):
        require_trust(diamond(3.57), TrustLimits(soap_distance=0.1), 0.2)


def test_relaxation_under_symmetry_keeps_the_symmetry_and_ends_at_rest() -> None:
    end, evaluation, _, converged = relax_under_symmetry(
        diamond(3.5), FakePotential(), symprec=1e-4, max_force=1e-4, max_stress=0.01, max_steps=200
    )
    assert converged
    assert np.abs(evaluation.forces).max() <= 1e-4
    np.testing.assert_allclose(end.lengths, end.lengths[0], rtol=1e-8)


def test_a_batch_ends_where_ase_ends_one_by_one() -> None:
    potential = AllegroPotential(LAPTOP, compile_model=False)
    left_handed = Crystal(-diamond(3.65, 0.02).cell, diamond(3.65, 0.02).frac, np.array([6, 6]))
    starts = [diamond(3.7, 0.02), left_handed]
    settings = RelaxSettings(max_force=0.02, max_stress=0.2, max_steps=120)
    batch = potential.relax(starts, settings, SilentProgress())
    single = relax_one(potential, starts[0], settings)
    assert [end.converged for end in batch] == [True, True]
    assert batch[0].evaluation.energy == pytest.approx(single.evaluation.energy, abs=2e-3)
    assert np.linalg.det(batch[1].crystal.cell) < 0.0
    a = (8.0 * batch[0].crystal.volume / 2) ** (1 / 3)
    assert a == pytest.approx(3.5758, rel=0.005), "lattice constant of diamond by the labelling DFT (optB88-vdW)"


def test_the_steps_allowed_are_not_exceeded() -> None:
    potential = AllegroPotential(LAPTOP, compile_model=False)
    (end,) = potential.relax([diamond(3.9, 0.05)], RelaxSettings(max_steps=3), SilentProgress())
    assert (end.steps, end.converged) == (3, False)
