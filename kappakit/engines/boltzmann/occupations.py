"""Bose–Einstein occupations and their like, at all temperatures at once."""

from __future__ import annotations

import numpy as np
from phonopy.physical_units import get_physical_units


def occupations(frequencies: np.ndarray, temperatures: np.ndarray, cutoff: float) -> np.ndarray:
    """(T, …) of frequencies (…) THz, temperatures (T,) K: 1 / (exp x − 1), x = hν / kT; 0 at or below the cutoff."""
    x = _ratios(frequencies, temperatures)
    counted = np.isfinite(x) & (frequencies > cutoff)
    return np.where(counted, 1 / np.expm1(np.where(counted, x, 1.0)), 0.0)


def inverse_sinh(frequencies: np.ndarray, temperatures: np.ndarray, cutoff: float) -> np.ndarray:
    """(T, …): 1 / sinh(x / 2), 0 at or below the cutoff."""
    x = _ratios(frequencies, temperatures)
    counted = np.isfinite(x) & (frequencies > cutoff)
    return np.where(counted, 1 / np.sinh(np.where(counted, x, 1.0) / 2), 0.0)


def _ratios(frequencies: np.ndarray, temperatures: np.ndarray) -> np.ndarray:
    """hν / kT, infinite at 0 K."""
    units = get_physical_units()
    shaped = np.reshape(temperatures, (-1,) + (1,) * frequencies.ndim)
    with np.errstate(divide="ignore", invalid="ignore"):
        return frequencies * units.THzToEv / (units.KB * shaped)
