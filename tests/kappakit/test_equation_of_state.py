"""The Birch–Murnaghan fit against published all-electron curves, and its refusals."""

from __future__ import annotations

import numpy as np
import pytest

from kappakit.equation_of_state import fitted
from kappakit.errors import InputError
from kappakit.units import gpa_from_ev_per_a3

DIAMOND_FLEUR = [
    (10.71161283524203, -2073.369582892), (10.939519491312252, -2073.4043024357),
    (11.167426147381043, -2073.4241136991),
    (11.395332803449646, -2073.4303762854), (11.623239459518418, -2073.4242815172),
    (11.85114611558848, -2073.4069667216),
    (12.079052771655872, -2073.3794350628),
]  # fmt: skip
"""Å³ and eV per cell of two atoms, PBE. E. Bosoni et al., Nat. Rev. Phys. 6, 45 (2024), CC BY 4.0."""


def birch_murnaghan(volume: np.ndarray, v0: float, e0: float, b0: float, b1: float) -> np.ndarray:
    """The formula as it is usually written."""
    eta = (v0 / volume) ** (2.0 / 3.0)
    return e0 + 9.0 * v0 * b0 / 16.0 * ((eta - 1.0) ** 3 * b1 + (eta - 1.0) ** 2 * (6.0 - 4.0 * eta))


def test_it_finds_the_parameters_of_its_own_formula() -> None:
    volumes = np.linspace(10.6, 12.2, 7)
    fit = fitted(volumes, birch_murnaghan(volumes, 11.4, -18.0, 2.7, 3.7))
    assert (fit.volume, fit.energy) == (pytest.approx(11.4, rel=1e-9), pytest.approx(-18.0, rel=1e-9))
    assert (fit.bulk_modulus, fit.derivative) == (pytest.approx(2.7, rel=1e-6), pytest.approx(3.7, rel=1e-4))
    assert fit.rms < 1e-9


def test_diamond_by_pbe_has_the_published_volume_and_bulk_modulus() -> None:
    volumes, energies = np.array(DIAMOND_FLEUR).T
    fit = fitted(volumes, energies)
    assert fit.volume / 2 == pytest.approx(5.6958, abs=0.003)
    assert gpa_from_ev_per_a3(fit.bulk_modulus) == pytest.approx(433.4, abs=1.0)


def test_too_few_volumes_and_a_minimum_outside_are_refused() -> None:
    with pytest.raises(InputError, match="at least"):
        fitted(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
    volumes = np.linspace(12.0, 14.0, 7)
    with pytest.raises(InputError, match="no minimum"):
        fitted(volumes, birch_murnaghan(volumes, 11.0, -18.0, 2.7, 3.7))
