"""What is read off a solved Boltzmann equation."""

from __future__ import annotations

import numpy as np
import pytest

from kappakit.conductivity import Conductivity, below_rta, cumulative_kappa, temperatures_with
from kappakit.convergence import GIVEN, Mesh
from kappakit.tensors import principal

MESH = Mesh(GIVEN, (4, 4, 4), ((4, 0, 0), (0, 4, 0), (0, 0, 4)), 10.0)


def solved(method: str, *diagonal: float) -> Conductivity:
    kappa = np.diag(diagonal)[None]
    values, directions = principal(kappa)
    words = ("[100]", "[010]", "[001]")
    return Conductivity(method, MESH, np.array([300.0]), kappa, values, directions, words, 0.0)


@pytest.mark.parametrize(
    ("full", "short"), [((120.0, 120.0, 110.0), False), ((120.0, 120.0, 99.0), False), ((120.0, 120.0, 74.0), True)]
)
def test_a_full_solution_below_its_variational_bound_is_noticed(full: tuple[float, ...], short: bool) -> None:
    """Lonsdaleite on 6×6×4 does this: along c modes without a scattering channel drop out of LBTE."""
    assert below_rta(solved("lbte", *full), solved("rta", 100.0, 100.0, 100.0), 300.0) is short


def test_cumulative_conductivity_orders_modes_by_mean_free_path() -> None:
    """λ = v / 4πγ, so 1, 10 and 100 Å here; a mode without linewidth carries nothing."""
    speeds = 4 * np.pi * np.array([[1.0, 1.0], [1.0, 1.0]])
    linewidths = np.array([[1.0, 0.01], [0.1, 0.0]])
    paths, carried = cumulative_kappa(np.array([[5.0, 50.0], [20.0, 0.0]]), linewidths, speeds)
    assert (paths[0], paths[-1]) == (pytest.approx(1.0), pytest.approx(100.0))
    assert carried[np.searchsorted(paths, 5.0)] == pytest.approx(5.0)
    assert carried[np.searchsorted(paths, 50.0)] == pytest.approx(25.0)
    assert carried[-1] == pytest.approx(75.0)


def test_without_scattering_nothing_is_cumulated() -> None:
    paths, carried = cumulative_kappa(np.ones((2, 3)), np.zeros((2, 3)), np.ones((2, 3)))
    assert len(paths) == len(carried) == 0


def test_the_ranked_temperature_is_among_those_given_once() -> None:
    assert temperatures_with(300.0).count(300.0) == 1
    assert 77.0 in temperatures_with(77.0)
    assert list(temperatures_with(77.0)) == sorted(temperatures_with(77.0))
