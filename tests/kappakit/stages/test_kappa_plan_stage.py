"""What a κ_L will take, said before it starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kappakit.conductivity import temperatures_with
from kappakit.crystals import Crystal
from kappakit.displacements import displaced
from kappakit.estimates import cost
from kappakit.ports import PotentialRef
from kappakit.protocol import ConductivitySettings
from kappakit.stages import conductivity, kappa_plan
from kappakit.stages.contracts import ConductivityInputs, Item, KappaPlanInputs, KappaPlanItem, KappaPlanOutputs
from kappakit.stages.kappa_plan import symmetry_kept
from kappakit.symmetry import find_symmetry
from kappakit.units import EV_PER_A3_IN_GPA
from tests.kappakit.reference_cells import TERSOFF_DIAMOND, diamond, graphite, lonsdaleite
from tests.kappakit.stages.tersoff_engines import TersoffEngines

SETTINGS = ConductivitySettings(supercell_rule="repeat", displacements="systematic")
SMALL = ConductivitySettings(
    supercell_rule="repeat",
    displacements="systematic",
    fc3_supercell=2,
    fc2_supercell=2,
    mesh_length=8.0,
    mesh_step=1.0,
)
TERSOFF = PotentialRef(engine="tersoff", name="tersoff")


def planned(*crystals: Crystal, settings: ConductivitySettings = SETTINGS) -> KappaPlanOutputs:
    items = tuple(Item(str(number), crystal) for number, crystal in enumerate(crystals))
    inputs = KappaPlanInputs(items, TERSOFF, symprec=0.1, angle_tolerance=1.0)
    return kappa_plan.run(inputs, settings, engines=TersoffEngines())


def perturbed(crystal: Crystal, seed: int = 3) -> Crystal:
    """Atoms off their sites by a few thousandths of an Å and a cell strained by a per cent."""
    random = np.random.default_rng(seed)
    shift = random.normal(scale=0.001, size=crystal.frac.shape)
    return Crystal(1.01 * crystal.cell, crystal.frac + shift, crystal.numbers)


@pytest.fixture(scope="module")
def of_diamond() -> KappaPlanItem:
    (plan,) = planned(perturbed(diamond())).plans
    return plan


def test_the_cell_is_standardised_and_relaxed_under_its_symmetry(of_diamond: KappaPlanItem) -> None:
    assert (of_diamond.number, of_diamond.symbol) == (227, "Fd-3m")
    assert of_diamond.symmetry_kept
    assert of_diamond.max_force <= 1e-4
    assert of_diamond.max_stress <= 0.01
    assert of_diamond.primitive.lengths == pytest.approx([TERSOFF_DIAMOND / 2**0.5] * 3, abs=1e-3)


def test_the_energy_that_the_relaxation_won_is_told(of_diamond: KappaPlanItem) -> None:
    """Linear strain ε costs 9/2 · B · ε² · V: with B = 4.2 Mbar (Tersoff 1988) and ε = 1 %, 67 meV an atom, and the
    displacements some more."""
    strained = 4.5 * (420.0 / EV_PER_A3_IN_GPA) * 0.01**2 * TERSOFF_DIAMOND**3 / 8 * 1000
    assert -1.2 * strained < of_diamond.energy_change < -0.9 * strained


def test_supercells_atoms_and_omitted_pairs_are_phono3py_s(of_diamond: KappaPlanItem) -> None:
    assert (of_diamond.supercells_fc3, of_diamond.supercells_fc2) == (95, 0)
    assert of_diamond.atoms_per_supercell == 54
    assert of_diamond.pairs_omitted == 86
    assert of_diamond.evaluations == (95 + 1) * 54


def test_the_mesh_and_its_irreducible_points_are_told(of_diamond: KappaPlanItem) -> None:
    """25 Å / 3.566 Å = 7.01: the next odd number is nine, along each edge of the cube."""
    assert of_diamond.mesh.numbers == (9, 9, 9)
    assert of_diamond.mesh.points == 4 * 9**3
    assert of_diamond.mesh.length == pytest.approx(9 * TERSOFF_DIAMOND, rel=1e-3)
    assert of_diamond.q_points == 110


def test_the_promise_of_diamond_is_a_cheap_estimate_with_its_method(of_diamond: KappaPlanItem) -> None:
    assert of_diamond.promise is not None
    assert 100.0 < of_diamond.promise < 20_000.0
    assert "Slack" in of_diamond.promise_method


def test_the_time_of_the_forces_is_measured_on_this_machine(of_diamond: KappaPlanItem) -> None:
    assert 0 < of_diamond.expected_force_minutes < 5.0


def test_the_third_shell_beside_the_cutoff_is_flagged(of_diamond: KappaPlanItem) -> None:
    assert [shell.flagged for shell in of_diamond.shells] == [False, False, True, False]


def test_times_and_memory_are_of_the_order_of_seconds_and_a_gibibyte(of_diamond: KappaPlanItem) -> None:
    assert 0.005 < of_diamond.expected_bte_minutes < 0.5
    assert of_diamond.expected_bte_minutes < of_diamond.expected_lbte_minutes < 5.0
    assert 0.1 < of_diamond.expected_memory < 2.0


def test_graphite_is_known_as_layered() -> None:
    (plan,) = planned(graphite(), settings=SMALL).plans
    assert plan.dimensionality == 2


def test_a_crystal_that_does_not_relax_is_refused_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kappa_plan, "MAX_STEPS", 0)
    relaxed = diamond(3.5656265)
    found = planned(perturbed(diamond()), relaxed, settings=replace(SMALL, relax_stress=0.5))
    assert [(refusal.source, refusal.reason) for refusal in found.refusals] == [("0", "not-relaxed")]
    assert [plan.id for plan in found.plans] == ["1"]


def test_a_lost_operation_breaks_the_symmetry_and_a_gained_one_does_not() -> None:
    whole = find_symmetry(diamond(), symprec=1e-5, angle_tolerance=-1.0)
    bent = Crystal(diamond().cell @ np.diag([1, 1, 1.02]), diamond().frac, diamond().numbers)
    less = find_symmetry(bent, symprec=1e-5, angle_tolerance=-1.0)
    assert symmetry_kept(whole, whole)
    assert symmetry_kept(less, whole)
    assert not symmetry_kept(whole, less)


def test_the_plan_leads_straight_to_a_conductivity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (plan,) = planned(perturbed(diamond()), settings=SMALL).plans
    engines = TersoffEngines()
    inputs = ConductivityInputs(plan.id, plan.primitive, TERSOFF, symprec=0.1, lbte="no")
    found = conductivity.run(inputs, SMALL, engines=engines)
    assert found.verdict.dynamical == "stable"
    assert found.notes == ()
    assert engines.of.evaluated_atoms == plan.evaluations
    assert found.modes is not None
    assert len(found.modes.weights) == plan.q_points


@pytest.mark.parametrize("build", [diamond, lonsdaleite])
def test_expected_times_grow_with_the_mesh_and_shrink_with_threads(build: Callable[[], Crystal]) -> None:
    calculation = displaced(build(), SMALL)
    coarse = cost(calculation, (4, 4, 4), temperatures=1, threads=1)
    fine = cost(calculation, (8, 8, 8), temperatures=1, threads=1)
    both = cost(calculation, (8, 8, 8), temperatures=1, threads=2)
    many = cost(calculation, (8, 8, 8), temperatures=len(temperatures_with(300.0)), threads=1)
    assert 20 < fine.triplets / coarse.triplets < 70
    assert coarse.rta_seconds < both.rta_seconds < fine.rta_seconds
    assert fine.lbte_seconds < many.lbte_seconds
    assert fine.memory < many.memory
