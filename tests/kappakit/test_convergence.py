"""Which meshes are tried, and what the last step tells of the error that is left."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from kappakit.convergence import GIVEN, Convergence, Mesh, MeshStep, convergence, mesh_lengths


def step(n: int, *diagonal: float) -> MeshStep:
    mesh = Mesh(GIVEN, (n, n, n), ((n, 0, 0), (0, n, 0), (0, 0, n)), 2.5 * n)
    return MeshStep(mesh, n, np.diag(diagonal), 1.0)


def test_a_shorter_mesh_tests_the_protocol_s_and_longer_ones_follow_up_to_the_longest() -> None:
    assert list(mesh_lengths(25.0, 1.25, 40.0)) == pytest.approx([20.0, 25.0, 31.25, 39.0625])


def test_a_step_of_one_means_no_test() -> None:
    assert list(mesh_lengths(25.0, 1.0, 60.0)) == [25.0]


def test_the_lengths_never_end_before_the_protocol_s_own() -> None:
    assert list(islice(mesh_lengths(25.0, 2.0, 25.0), 9)) == [12.5, 25.0]


def test_a_protocol_s_own_length_is_computed_even_beyond_the_longest_of_the_refinement() -> None:
    assert list(mesh_lengths(80.0, 1.25, 60.0)) == [64.0, 80.0]


def test_one_mesh_alone_tells_nothing() -> None:
    assert convergence([step(10, 100.0, 90.0, 80.0)]) is None


def test_changes_are_counted_along_the_principal_directions_of_the_longer_mesh() -> None:
    """On the shorter mesh the order of the directions was another: what changed along z is 20 of 100, not 10."""
    found = convergence([step(8, 90.0, 90.0, 80.0), step(10, 90.0, 81.0, 100.0)])
    assert found is not None
    assert found.directions == pytest.approx((0.2, 0.0, -1 / 9))
    assert found.largest == pytest.approx(0.1)
    assert found.within(0.2)
    assert not found.within(0.19)


def test_an_error_that_falls_with_the_spacing_is_estimated_exactly() -> None:
    """κ(L) = 1000 (1 − 2 Å/L) on 10 and 12 points a direction: 8 % are missing at 25 Å, 6.7 % at 30 Å."""
    exact, missing = 1000.0, [0.08, 2 / 30]
    steps = [step(n, *[exact * (1 - share)] * 3) for n, share in zip((10, 12), missing, strict=True)]
    found = convergence(steps)
    assert found is not None
    assert found.error == pytest.approx(missing[1] / (1 - missing[1]), rel=1e-9)


def test_a_step_of_the_mesh_that_adds_almost_nothing_gives_no_small_error() -> None:
    """Two meshes of nearly as many points agree whatever they miss: the change is not divided by less than 5 %."""
    a, b = step(50, 100.0, 100.0, 100.0), step(51, 101.0, 101.0, 101.0)
    found = convergence([a, b])
    assert found is not None
    assert found.error == pytest.approx(20 / 101)


def test_convergence_holds_along_every_direction_or_not_at_all() -> None:
    assert Convergence(0.01, (0.01, 0.02, -0.04), 0.1).within(0.05)
    assert not Convergence(0.01, (0.01, 0.02, -0.06), 0.1).within(0.05)
