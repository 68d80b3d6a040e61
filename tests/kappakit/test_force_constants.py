"""Force constants from displaced supercells: what a pair cutoff leaves out, and the symmetries that must hold."""

from __future__ import annotations

import numpy as np
import pytest
from phono3py import Phono3py

from kappakit.crystals import Crystal
from kappakit.displacements import counts, displaced, evaluate_displacements, measured_force_noise
from kappakit.force_constants import nonzero_triplets, produce, residuals, solve_third_order
from kappakit.ports import SilentProgress
from kappakit.protocol import ConductivitySettings
from tests.kappakit.reference_cells import diamond, graphite, lonsdaleite
from tests.kappakit.tersoff_potential import TersoffPotential

SMALL = ConductivitySettings(
    supercell_rule="repeat", displacements="systematic", fc3_supercell=2, fc2_supercell=2, pair_cutoff=2.0
)


def evaluated(crystal: Crystal, settings: ConductivitySettings) -> Phono3py:
    calculation = displaced(crystal, settings)
    evaluate_displacements(calculation, TersoffPotential(), SilentProgress())
    return calculation


def of_phono3py_s_own_cutoff(crystal: Crystal, settings: ConductivitySettings) -> np.ndarray:
    """Compact FC3 by phono3py's treatment of a cutoff: zero forces for omitted pairs, then a full FC3, cleaned up."""
    calculation = evaluated(crystal, settings)
    for first in calculation.dataset["first_atoms"]:
        for pair in first["second_atoms"]:
            pair.setdefault("forces", np.zeros((len(calculation.supercell), 3)))
    calculation.produce_fc3(is_compact_fc=True)
    return calculation.fc3


@pytest.mark.parametrize("crystal", [diamond(), lonsdaleite()], ids=["diamond", "lonsdaleite"])
def test_omitted_pairs_are_treated_as_phono3py_treats_them(crystal: Crystal) -> None:
    calculation = evaluated(crystal, SMALL)
    assert counts(calculation).pairs_omitted > 0
    solve_third_order(calculation)
    np.testing.assert_allclose(calculation.fc3, of_phono3py_s_own_cutoff(crystal, SMALL), atol=1e-8)


def test_symmetries_hold_after_symmetrisation() -> None:
    found = produce(evaluated(lonsdaleite(), SMALL))
    assert found.asr_fc2 < 1e-10
    assert found.asr_fc3 < 1e-6
    assert found.permutation_fc2 < 1e-10
    assert found.permutation_fc3 < 1e-10


def test_the_sum_rule_changes_force_constants_by_little() -> None:
    """Imposing it must not rewrite what the forces said: the correction is far below the largest element."""
    calculation = evaluated(diamond(), SMALL)
    solve_third_order(calculation)
    before = calculation.fc3.copy()
    produce(calculation)
    assert np.abs(calculation.fc3 - before).max() < 0.02 * np.abs(before).max()


def test_elements_beyond_the_cutoff_stay_exactly_zero() -> None:
    calculation = evaluated(diamond(), SMALL)
    produce(calculation)
    kept = nonzero_triplets(calculation)
    assert 0.1 < kept.mean() < 0.9
    assert not calculation.fc3[~kept].any()
    np.testing.assert_array_equal(calculation.fc3_nonzero_indices.astype(bool), kept)


def test_a_cutoff_longer_than_the_supercell_changes_nothing() -> None:
    whole = evaluated(
        diamond(),
        ConductivitySettings(
            supercell_rule="repeat", displacements="systematic", fc3_supercell=2, fc2_supercell=2, pair_cutoff=0.0
        ),
    )
    long = evaluated(
        diamond(),
        ConductivitySettings(
            supercell_rule="repeat", displacements="systematic", fc3_supercell=2, fc2_supercell=2, pair_cutoff=15.0
        ),
    )
    produce(whole)
    produce(long)
    assert counts(long).pairs_omitted == 0
    np.testing.assert_allclose(long.fc3, whole.fc3, atol=1e-6)


@pytest.mark.parametrize("order", [2, 3])
def test_residuals_notice_a_broken_symmetry(order: int) -> None:
    calculation = evaluated(diamond(), SMALL)
    produce(calculation)
    broken = calculation.fc2 if order == 2 else calculation.fc3
    broken[(0, 1, 0, 1) if order == 2 else (0, 1, 2, 0, 1, 2)] += 0.5
    found = residuals(calculation)
    sum_rule, permutation = (
        (found.asr_fc2, found.permutation_fc2) if order == 2 else (found.asr_fc3, found.permutation_fc3)
    )
    assert sum_rule == pytest.approx(0.5, abs=1e-5)
    assert permutation == pytest.approx(0.5, abs=1e-5)


def test_a_larger_fc2_supercell_has_displacements_of_its_own() -> None:
    calculation = evaluated(
        diamond(),
        ConductivitySettings(
            supercell_rule="repeat", displacements="systematic", fc3_supercell=2, fc2_supercell=3, pair_cutoff=2.0
        ),
    )
    asked = counts(calculation)
    produce(calculation)
    assert (asked.fc2, asked.atoms_fc3, asked.atoms_fc2) == (1, 16, 54)
    assert calculation.fc2.shape == (2, 54, 3, 3)
    assert calculation.fc3.shape == (2, 16, 16, 3, 3, 3)


@pytest.mark.parametrize("fc2_supercell", [2, 3])
def test_the_plan_s_count_is_what_the_potential_is_asked(fc2_supercell: int) -> None:
    settings = ConductivitySettings(
        supercell_rule="repeat",
        displacements="systematic",
        fc3_supercell=2,
        fc2_supercell=fc2_supercell,
        pair_cutoff=2.0,
    )
    calculation, potential = displaced(diamond(), settings), TersoffPotential()
    progress = SilentProgress()
    evaluate_displacements(calculation, potential, progress)
    assert potential.evaluated_atoms == counts(calculation).evaluations
    assert progress.calls[-1][0] == progress.calls[-1][1]


def test_diamond_needs_95_and_lonsdaleite_233_supercells() -> None:
    """phono3py's own lists for 3×3×3 of the primitive cell and a pair cutoff of 3 Å."""
    settings = ConductivitySettings(supercell_rule="repeat", displacements="systematic")
    found = [counts(displaced(crystal, settings)) for crystal in (diamond(), lonsdaleite())]
    assert [(one.fc3, one.atoms_fc3) for one in found] == [(95, 54), (233, 108)]


def test_no_third_order_force_constant_couples_graphite_s_layers() -> None:
    """Neighbouring layers lie 3.35 Å apart: at 3 Å no pair displacement joins them."""
    calculation = displaced(
        graphite(),
        ConductivitySettings(supercell_rule="repeat", displacements="systematic", fc3_supercell=2, fc2_supercell=2),
    )
    height = calculation.supercell.positions[:, 2]
    for first in calculation.dataset["first_atoms"]:
        partners = [pair["number"] for pair in first["second_atoms"] if pair["included"]]
        np.testing.assert_allclose(height[partners], height[first["number"]], atol=1e-6)


def test_the_noise_of_float64_is_zero_and_that_of_float32_is_measured() -> None:
    calculation = displaced(diamond(), SMALL)
    assert measured_force_noise(calculation, TersoffPotential()) == 0.0
    noise = measured_force_noise(calculation, TersoffPotential(precision="float32"))
    assert 1e-7 < noise < 1e-4


def test_the_forces_that_a_relaxation_left_are_subtracted() -> None:
    """Off its minimum lonsdaleite has forces: they must not count as the answer to a displacement."""
    settings = ConductivitySettings(
        supercell_rule="repeat", displacements="systematic", fc3_supercell=2, fc2_supercell=2, pair_cutoff=2.0
    )
    calculation = evaluated(lonsdaleite(c=4.2), settings)
    (strained,) = TersoffPotential().evaluate([lonsdaleite(c=4.2)])
    assert np.abs(strained.forces).max() > 0.1
    assert produce(calculation).asr_fc2 < 1e-10
    for first in calculation.dataset["first_atoms"]:
        assert np.abs(first["forces"].sum(axis=0)).max() < 1e-8
