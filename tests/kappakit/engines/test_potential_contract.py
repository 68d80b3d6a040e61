"""Every Potential keeps one contract: the shipped Allegro, the analytic fake, and anything that registers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kappakit.crystals import Crystal
from kappakit.engines.allegro.potential import AllegroPotential
from kappakit.engines.doors import RealEngines
from kappakit.errors import InputError
from kappakit.ports import PotentialRef, SilentProgress
from kappakit.protocol import RelaxSettings
from kappakit.testing.potentials import FakePotential, assert_potential

LAPTOP = Path(__file__).parents[3] / "models" / "carbon-laptop"
FCC = np.array([[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]])


def diamond(a: float = 3.6, symbol: str = "C", seed: int = 3) -> Crystal:
    rng = np.random.default_rng(seed)
    frac = np.array([[0.0, 0.0, 0.0], [0.25, 0.25, 0.25]]) + rng.normal(0.0, 0.01, (2, 3))
    return Crystal.from_symbols(a * FCC + rng.normal(0.0, 0.02, (3, 3)), frac, [symbol] * 2)


def potential(engine: str) -> object:
    return RealEngines(SilentProgress()).potential(PotentialRef(engine, engine))


def test_the_shipped_potential_keeps_the_contract_in_float64() -> None:
    shipped = AllegroPotential(LAPTOP, precision="float64", compile_model=False)
    crystals = [diamond(), diamond(3.4, seed=4)]
    assert_potential(shipped, crystals)


def test_the_shipped_potential_keeps_the_contract_in_the_precision_that_it_ships_with() -> None:
    assert_potential(AllegroPotential(LAPTOP, compile_model=False), [diamond(), diamond(3.4, seed=4)])


def test_the_analytic_fake_keeps_the_contract() -> None:
    assert_potential(FakePotential(), [diamond(), diamond(3.4, seed=4)])


def test_an_ase_calculator_registered_in_a_few_lines_keeps_the_contract() -> None:
    assert_potential(potential("emt"), [diamond(5.5, "Cu"), diamond(5.8, "Cu", seed=4)])


def test_tersoff_for_boron_nitride_keeps_the_contract() -> None:
    crystal = Crystal.from_symbols(3.65 * FCC, [[0.0, 0.0, 0.0], [0.26, 0.24, 0.25]], ["B", "N"])
    assert_potential(potential("tersoff-bcn"), [crystal])


def test_a_torch_sim_model_registered_in_a_few_lines_keeps_the_contract() -> None:
    crystals = [Crystal.from_symbols(5.3 * FCC * 1.05, [[0.0, 0.0, 0.0]], ["Ar"])]
    assert_potential(potential("lennard-jones"), crystals)


def test_a_lennard_jones_crystal_relaxes_in_a_batch() -> None:
    crystals = [Crystal.from_symbols(a * FCC, [[0.0, 0.0, 0.0]], ["Ar"]) for a in (5.0, 5.6)]
    ends = potential("lennard-jones").relax(crystals, RelaxSettings(max_force=1e-3, max_stress=0.01), SilentProgress())
    assert [end.converged for end in ends] == [True, True]
    assert ends[0].crystal.volume == pytest.approx(ends[1].crystal.volume, rel=1e-2)


def test_a_wrong_force_is_found_out() -> None:
    class Liar(FakePotential):
        def _pairs(self, r: np.ndarray) -> tuple[float, np.ndarray]:
            energy, gradient = super()._pairs(r)
            return energy, 1.01 * gradient

    with pytest.raises(AssertionError, match="−dE/dx"):
        assert_potential(Liar(), [diamond()])


def test_an_unknown_engine_is_named() -> None:
    with pytest.raises(InputError, match="no potential engine 'vasp'"):
        potential("vasp")


def test_an_element_the_potential_never_saw_is_refused() -> None:
    with pytest.raises(InputError, match="knows C, not Si"):
        AllegroPotential(LAPTOP, compile_model=False).evaluate([diamond(5.4, "Si")])
