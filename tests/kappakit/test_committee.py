"""The committee's numbers: parts that members leave out, spreads, calibration, offsets between methods."""

from __future__ import annotations

import hypothesis.strategies as some
import numpy as np
import pytest
from hypothesis import given

from kappakit.committee import (
    calibrate,
    drawn_groups,
    energy_std,
    force_spread,
    left_out,
    method_offsets,
    most_frequent,
    on_one_zero,
)
from kappakit.crystals import Crystal
from kappakit.errors import InputError
from kappakit.ports import CommitteeEvaluation, Evaluation, LabelledCrystal


def frame(energy: float, n_atoms: int = 2, *, method: str = "a", group: str = "g") -> LabelledCrystal:
    frac = np.arange(3 * n_atoms).reshape(n_atoms, 3) / (3.0 * n_atoms)
    crystal = Crystal(5.0 * np.eye(3), frac, np.full(n_atoms, 6))
    return LabelledCrystal(crystal, Evaluation(energy, np.zeros((n_atoms, 3)), np.zeros((3, 3))), group, "", method)


def test_eight_members_leave_out_eight_different_parts_that_cover_everything() -> None:
    names = [str(i) for i in range(160)]
    parts = left_out(names, size=8, share=0.125, seed=3)
    assert [len(part) for part in parts] == [20] * 8
    assert set().union(*parts) == set(names)
    assert parts == left_out(names[::-1] + names, size=8, share=0.125, seed=3)
    assert parts != left_out(names, size=8, share=0.125, seed=4)


@given(some.integers(2, 60), some.integers(1, 12), some.floats(0.01, 0.4))
def test_each_member_leaves_out_its_share_and_no_two_the_same_while_there_are_enough(
    groups: int, size: int, share: float
) -> None:
    names = [str(i) for i in range(groups)]
    parts = left_out(names, size=size, share=share, seed=0)
    count = max(1, round(share * groups))
    assert all(len(part) == count for part in parts)
    if size * count <= groups and size <= groups:
        assert len(set().union(*parts)) == size * count


def test_a_member_with_nothing_to_learn_from_is_refused_and_nothing_may_be_left_out() -> None:
    assert left_out(["a", "b"], size=2, share=0.0, seed=0) == ((), ())
    with pytest.raises(InputError, match="no member can leave out"):
        left_out(["a"], size=2, share=0.5, seed=0)


def test_the_test_set_is_a_share_of_the_crystals_and_depends_on_the_seed_only() -> None:
    names = [str(i) for i in range(100)]
    assert len(drawn_groups(names, share=0.15, seed=0)) == 15
    assert drawn_groups(names, share=0.15, seed=0) == drawn_groups(names[::-1], share=0.15, seed=0)
    assert len(drawn_groups(["a", "b"], share=0.9, seed=0)) == 1
    with pytest.raises(InputError, match="two distinct"):
        drawn_groups(["a", "a"], share=0.5, seed=0)


def test_the_energy_uncertainty_is_the_standard_deviation_per_atom_in_mev() -> None:
    energies = np.array([-20.00, -20.02, -20.04])
    assert energy_std(energies, 2, 1) == pytest.approx(10.0)
    assert energy_std(energies, 2, 0) == pytest.approx(10.0 * np.sqrt(2.0 / 3.0))
    assert energy_std(energies[:1], 2, 1) == 0.0


def test_the_force_spread_is_that_of_the_atom_where_members_differ_most() -> None:
    forces = np.zeros((2, 3, 3))
    forces[0, 1] = [0.3, 0.0, 0.4]
    assert force_spread(forces, 0) == pytest.approx(0.25)
    assert force_spread(forces, 1) == pytest.approx(0.25 * np.sqrt(2.0))


def agreeing_with(errors: np.ndarray, spreads: np.ndarray) -> tuple[list[LabelledCrystal], list[CommitteeEvaluation]]:
    """Two members about −10 eV + error, ± spread, both eV/atom, on cells of two atoms."""
    frames = [frame(-20.0, group=str(i)) for i in range(len(errors))]
    pairs = [2.0 * (-10.0 + e + np.array([-s, s])) for e, s in zip(errors, spreads, strict=True)]
    return frames, [CommitteeEvaluation(pair, np.zeros((2, 2, 3))) for pair in pairs]


def test_a_committee_whose_spread_is_its_error_is_calibrated() -> None:
    errors = np.array([0.01, -0.02, 0.03, 0.05])
    found = calibrate(*agreeing_with(errors, np.abs(errors)), ddof=0)
    np.testing.assert_allclose(found.spread_energy, [10.0, 20.0, 30.0, 50.0])
    np.testing.assert_allclose(found.error_energy, [10.0, 20.0, 30.0, 50.0])
    assert found.rank_energy == pytest.approx(1.0)
    assert found.ratio_energy == pytest.approx(1.0)
    assert found.energy_mae == pytest.approx(27.5)
    np.testing.assert_allclose(found.member_energy_mae, [10.0, 45.0])
    assert found.groups == ("0", "1", "2", "3")


def test_an_overconfident_committee_has_a_ratio_above_one_and_order_shows_in_the_rank() -> None:
    errors = np.array([0.01, 0.02, 0.03])
    found = calibrate(*agreeing_with(errors, errors[::-1] / 4), ddof=0)
    assert found.ratio_energy == pytest.approx(4.0)
    assert found.rank_energy == pytest.approx(-1.0)
    assert (found.rank_force, found.force_rmse) == (0.0, 0.0)


def test_force_errors_are_of_the_mean_and_of_each_member() -> None:
    forces = np.zeros((2, 2, 3))
    forces[0, 0, 0], forces[1, 0, 0] = 0.6, 0.0
    found = calibrate([frame(-20.0)], [CommitteeEvaluation(np.full(2, -20.0), forces)], ddof=0)
    np.testing.assert_allclose(found.error_force, [0.3])
    np.testing.assert_allclose(found.member_force_rmse, [600.0 / np.sqrt(6.0), 0.0])
    assert found.force_rmse == pytest.approx(300.0 / np.sqrt(6.0))


def test_without_frames_there_is_no_calibration() -> None:
    with pytest.raises(InputError, match="nobody trained on"):
        calibrate([], [], ddof=1)


def test_two_methods_come_to_one_zero_by_the_mean_distance_to_one_reference() -> None:
    frames = [frame(-20.0), frame(-42.0, 4), frame(-10.0, method="b"), frame(-19.8, 4, method="b")]
    reference = [-20.2, -41.6, -20.2, -40.2]
    offsets = method_offsets(frames, reference, "a")
    assert offsets["a"].residual == pytest.approx(0.0)
    assert offsets["b"].residual == pytest.approx(5.1)
    assert (offsets["b"].frames, offsets["b"].shift) == (2, pytest.approx(-5.1))
    moved = on_one_zero(frames, offsets)
    assert [f.evaluation.energy for f in moved] == pytest.approx([-20.0, -42.0, -20.2, -40.2])
    with pytest.raises(InputError, match="no label"):
        method_offsets(frames, reference, "c")


def test_the_most_frequent_method_is_named_and_a_tie_goes_to_the_first() -> None:
    assert most_frequent(["b", "a", "b"]) == "b"
    assert most_frequent(["b", "a"]) == "a"
