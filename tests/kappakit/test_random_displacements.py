"""FC3 from pairs of opposite random displacements: symmetry of the unknowns, the fit, its check, files for others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import phono3py
import pytest
from phono3py import Phono3py

from kappakit.adaptive_force_constants import force_constants
from kappakit.crystals import Crystal
from kappakit.displacements import counts, displaced, evaluate_displacements, supercell_matrices
from kappakit.fitted_force_constants import ThirdOrderFit, is_paired, pairs_of
from kappakit.force_constants import produce
from kappakit.ports import SilentProgress
from kappakit.protocol import ConductivitySettings
from kappakit.supercells import asked_supercells, forces_return
from kappakit.symmetric_fits import FCBasisSetO3, SymfcAtoms
from kappakit.triplets import Constraints, Orbits
from kappakit.widths import index
from tests.kappakit.reference_cells import diamond, lonsdaleite
from tests.kappakit.tersoff_potential import TersoffPotential

CUBE = ConductivitySettings(
    supercell_rule="repeat", displacements="systematic", fc3_supercell=2, fc2_supercell=2, pair_cutoff=0.0
)
RANDOM = replace(CUBE, displacements="random", fc3_cutoff=0.0, fit_tolerance=0.02, max_random=200)
NARROW = replace(RANDOM, supercell_rule="width", fc3_width=3.3, fc2_width=3.3)
"""Diamond in 16 atoms, lonsdaleite in 12."""
WHOLE = replace(NARROW, displacements="systematic")


def evaluated(crystal: Crystal, settings: ConductivitySettings, pairs: int | None = None) -> Phono3py:
    calculation = displaced(crystal, settings, pairs)
    evaluate_displacements(calculation, TersoffPotential(), SilentProgress())
    return calculation


def orbits_of(calculation: Phono3py, cutoff: float = 0.0) -> Orbits:
    operations = calculation.symmetry.symmetry_operations
    return Orbits(calculation.supercell, calculation.primitive, operations, cutoff)


def relative(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


@pytest.mark.parametrize("cutoff", [0.0, 3.0])
@pytest.mark.parametrize("crystal", [diamond(), lonsdaleite()], ids=["diamond", "lonsdaleite"])
def test_as_many_unknowns_as_symfc_finds(crystal: Crystal, cutoff: float) -> None:
    calculation = displaced(crystal, RANDOM, 1)
    cell = calculation.supercell
    atoms = SymfcAtoms(cell=cell.cell, scaled_positions=cell.scaled_positions, numbers=cell.numbers)
    basis = FCBasisSetO3(atoms, cutoff=cutoff or None).run(apply_sum_rule=False)
    assert orbits_of(calculation, cutoff).unknowns == basis.compact_compression_matrix.shape[1]


def test_whatever_the_coordinates_every_symmetry_holds() -> None:
    calculation = displaced(lonsdaleite(), NARROW, 1)
    orbits = orbits_of(calculation)
    drawn = np.random.default_rng(0).normal(size=(orbits.size, 27))
    constraints = Constraints(orbits.drifts(np.ones(orbits.size)))
    z = orbits.symmetric(constraints.project(drawn.ravel()).reshape(-1, 27))
    calculation.fc3 = orbits.compact(z)
    calculation.fc2 = np.zeros((4, len(calculation.supercell), 3, 3))
    assert np.abs(calculation.fc3).max() > 0.1
    drift = np.abs(calculation.fc3.sum(axis=2)).max()
    before = calculation.fc3.copy()
    calculation.symmetrize_fc3()
    assert drift < 1e-6
    np.testing.assert_allclose(calculation.fc3, before, atol=1e-6)


def test_expansion_and_gathering_are_transposes() -> None:
    orbits = orbits_of(displaced(lonsdaleite(), NARROW, 1))
    share = orbits.share(orbits.used)
    rng = np.random.default_rng(1)
    z = orbits.symmetric(rng.normal(size=(orbits.size, 27)))
    values = rng.normal(size=(len(share.triplets), 27))
    there, back = np.sum(orbits.expanded(z, share) * values), np.sum(z * orbits.gathered(values, share))
    assert there == pytest.approx(back, rel=1e-10)


@pytest.mark.parametrize("crystal", [diamond(), lonsdaleite()], ids=["diamond", "lonsdaleite"])
def test_many_pairs_give_the_force_constants_of_the_systematic_displacements(crystal: Crystal) -> None:
    whole, random = evaluated(crystal, WHOLE), evaluated(crystal, NARROW, 24)
    produce(whole)
    left = produce(random)
    assert relative(random.fc3, whole.fc3) < 0.02
    assert relative(random.fc2, whole.fc2) < 0.005
    assert max(left.asr_fc2, left.asr_fc3, left.permutation_fc2, left.permutation_fc3) < 1e-8


def test_fewer_forces_than_unknowns_do() -> None:
    """Of all force constants that give the forces the expected ones are nearly right."""
    whole, few = evaluated(lonsdaleite(), WHOLE), evaluated(lonsdaleite(), NARROW, 2)
    fit = ThirdOrderFit(few, 0.0)
    produce(whole)
    produce(few)
    assert 2 * 3 * len(few.supercell) < 0.7 * fit.unknowns
    assert relative(few.fc3, whole.fc3) < 0.25


def test_even_forces_know_nothing_of_second_order() -> None:
    pairs = pairs_of(evaluated(diamond(), RANDOM, 2).dataset)
    half = pairs_of(evaluated(diamond(), replace(RANDOM, random_displacement=0.015), 2).dataset)
    ratio = np.linalg.norm(half.even) / np.linalg.norm(pairs.even)
    assert ratio == pytest.approx(0.25, rel=0.01)
    assert np.linalg.norm(half.odd) / np.linalg.norm(pairs.odd) == pytest.approx(0.5, rel=0.01)


def test_the_error_foretold_is_that_of_the_force_constants() -> None:
    whole, some = evaluated(lonsdaleite(), WHOLE), evaluated(lonsdaleite(), NARROW, 12)
    produce(whole)
    pairs, fit = pairs_of(some.dataset), ThirdOrderFit(some, 0.0)
    found = fit.solve(pairs[:6])
    assert fit.error(found, pairs[6:]) == pytest.approx(relative(fit.compact(found), whole.fc3), rel=0.5)


def test_supercells_are_added_until_the_fit_foretells_the_rest() -> None:
    crystal, settings = lonsdaleite(), replace(NARROW, fit_tolerance=0.03)
    calculation, fit = force_constants(crystal, settings, TersoffPotential(), SilentProgress())
    last = fit.checks[-1]
    assert last.passed
    assert last.error <= 0.03
    assert last.part < last.supercells == fit.supercells == len(calculation.dataset["forces"])
    assert fit.supercells < counts(displaced(crystal, WHOLE)).fc3 / 4
    assert [check.supercells for check in fit.checks] == sorted({check.supercells for check in fit.checks})
    again, same = force_constants(crystal, settings, TersoffPotential(), SilentProgress())
    assert same == fit
    np.testing.assert_array_equal(again.fc3, calculation.fc3)


@pytest.mark.parametrize("most", [2, 9])
def test_no_more_supercells_than_allowed(most: int) -> None:
    settings = replace(RANDOM, fit_tolerance=1e-4, max_random=most)
    potential = TersoffPotential()
    _, fit = force_constants(diamond(), settings, potential, SilentProgress())
    assert not fit.checks[-1].passed
    assert fit.supercells == max(4, most - most % 2)
    assert fit.evaluations == potential.evaluated_atoms


def test_the_systematic_route_says_what_it_took() -> None:
    potential = TersoffPotential()
    calculation, fit = force_constants(diamond(), CUBE, potential, SilentProgress())
    assert (fit.checks, fit.unknowns) == ((), 0)
    assert fit.evaluations == potential.evaluated_atoms == counts(calculation).evaluations
    assert fit.residuals.asr_fc3 < 1e-6


def test_more_pairs_begin_with_the_fewer_and_another_crystal_has_others() -> None:
    few, many = (displaced(diamond(), RANDOM, pairs).dataset["displacements"] for pairs in (3, 5))
    other = displaced(diamond(3.6), RANDOM, 3).dataset["displacements"]
    np.testing.assert_array_equal(few, many[:6])
    np.testing.assert_array_equal(few[::2], -few[1::2])
    np.testing.assert_allclose(np.linalg.norm(few, axis=2), RANDOM.random_displacement)
    assert not np.allclose(few, other)


def test_a_cutoff_leaves_out_what_lies_beyond() -> None:
    calculation = evaluated(diamond(), replace(RANDOM, fc3_cutoff=3.0), 6)
    produce(calculation, 3.0)
    kept = calculation.fc3_nonzero_indices.astype(bool)
    assert 0.1 < kept.mean() < 0.9
    assert not calculation.fc3[~kept].any()


def test_fc2_has_a_supercell_of_its_own_where_it_is_to_be_wider() -> None:
    settings = replace(NARROW, fc2_width=6.0)
    calculation, fit = force_constants(lonsdaleite(), settings, TersoffPotential(), SilentProgress())
    third, second = supercell_matrices(lonsdaleite(), settings)
    assert (index(third), index(second)) == (3, 18)
    assert calculation.fc2.shape == (4, 72, 3, 3)
    assert calculation.fc3.shape == (4, 12, 12, 3, 3, 3)
    assert fit.residuals.asr_fc2 < 1e-8


def test_the_plan_s_count_is_what_the_potential_is_asked() -> None:
    calculation, potential = displaced(lonsdaleite(), replace(NARROW, fc2_width=6.0)), TersoffPotential()
    evaluate_displacements(calculation, potential, SilentProgress())
    asked = counts(calculation)
    assert potential.evaluated_atoms == asked.evaluations
    assert (asked.pairs_omitted, asked.perfect) == (0, 2)


def test_forces_of_others_come_back_to_random_displacements() -> None:
    own, by_others = evaluated(lonsdaleite(), NARROW, 3), displaced(lonsdaleite(), NARROW, 3)
    asked = asked_supercells(by_others)
    found = TersoffPotential().evaluate(asked.cells)
    forces_return(by_others, [(cell, one.forces) for cell, one in zip(asked.cells, found, strict=True)], asked)
    np.testing.assert_allclose(by_others.dataset["forces"], own.dataset["forces"], atol=1e-4)


def test_another_phono3py_reads_the_data_set(tmp_path: Path) -> None:
    own = evaluated(diamond(), RANDOM, 4)
    produce(own)
    own.save(tmp_path / "phono3py_params.yaml", settings={"force_sets": True, "displacements": True})
    read: Any = phono3py.load(tmp_path / "phono3py_params.yaml", produce_fc=False)
    assert is_paired(read.dataset)
    produce(read)
    np.testing.assert_allclose(read.fc3, own.fc3, atol=1e-3)


@pytest.mark.parametrize(("rule", "generalised"), [("spacing", True), ("axes", False)])
def test_a_mesh_by_spacing_is_a_generalised_one(rule: str, generalised: bool) -> None:
    calculation = displaced(diamond(), replace(RANDOM, mesh_rule=rule), 1)
    calculation.mesh_numbers = 20.0 if generalised else [4, 4, 4]
    assert (calculation.grid.grid_matrix is not None) == generalised
