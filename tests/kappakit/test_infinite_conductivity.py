"""On a coarse mesh a mode may scatter with nothing: a κ_L without a finite value is never passed on."""

from types import SimpleNamespace

import numpy as np

from kappakit.conductivity import Conductivity, tensor
from kappakit.convergence import GIVEN, Mesh

MESH = Mesh(GIVEN, (2, 2, 2), ((2, 0, 0), (0, 2, 0), (0, 0, 2)), 5.0)


def solved(*kappa_xx: float) -> Conductivity | None:
    """κ_L (W/(m·K)) along x at 100, 300 and 1000 K; 5 along y and z."""
    voigt = np.array([[[xx, 5.0, 5.0, 0.0, 0.0, 0.0] for xx in kappa_xx]])
    solution = SimpleNamespace(temperatures=[100.0, 300.0, 1000.0], kappa=voigt)
    return tensor(solution, "RTA", MESH, ranked=300.0, named_cell=np.eye(3), seconds=1.0)


def test_a_temperature_without_a_finite_value_is_left_out() -> None:
    found = solved(np.inf, 800.0, 200.0)
    assert found is not None
    assert found.temperatures.tolist() == [300.0, 1000.0]
    assert found.principal[0].tolist() == [800.0, 5.0, 5.0]


def test_without_a_finite_value_at_the_ranked_temperature_there_is_no_tensor() -> None:
    assert solved(900.0, np.inf, 200.0) is None
    assert solved(900.0, np.nan, 200.0) is None


def test_finite_values_are_all_kept() -> None:
    found = solved(900.0, 800.0, 200.0)
    assert found is not None
    assert len(found.temperatures) == 3
