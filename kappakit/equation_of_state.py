"""Energy against volume: Birch–Murnaghan of third order, which is a cubic in V^(-2/3).

F. Birch, Phys. Rev. 71, 809 (1947), doi 10.1103/PhysRev.71.809.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kappakit.errors import InputError

FEWEST = 5


@dataclass(frozen=True)
class EquationOfState:
    """volume Å³ and energy eV of the minimum; bulk_modulus eV/Å³; derivative dB/dp, no unit; rms of the fit, eV."""

    volume: float
    energy: float
    bulk_modulus: float
    derivative: float
    rms: float


def fitted(volumes: np.ndarray, energies: np.ndarray) -> EquationOfState:
    """The fit of volumes (n,) Å³ and energies (n,) eV; raises InputError for too few, or without a minimum within."""
    volumes, energies = np.asarray(volumes, float), np.asarray(energies, float)
    if len(volumes) < FEWEST:
        raise InputError(f"an equation of state takes at least {FEWEST} volumes")
    x = volumes ** (-2.0 / 3.0)
    centre, width = x.mean(), np.ptp(x)
    scaled = (x - centre) / width
    cubic = np.poly1d(np.polyfit(scaled, energies, 3))
    minima = [r.real for r in cubic.deriv().roots if abs(r.imag) < 1e-9 and cubic.deriv(2)(r.real) > 0]
    inside = [r for r in minima if scaled.min() <= r <= scaled.max()]
    if not inside:
        raise InputError("the energies have no minimum between the volumes: shift them")
    rms = float(np.sqrt(np.mean((cubic(scaled) - energies) ** 2)))
    return _at_minimum(cubic, inside[0], centre, width, rms)


def _at_minimum(cubic: np.poly1d, at: float, centre: float, width: float, rms: float) -> EquationOfState:
    """With x = V^(-2/3), dx/dV = -(2/3) x^(5/2): B = V d²E/dV² = (4/9) x^(7/2) d²E/dx² where dE/dx = 0."""
    x = centre + width * at
    second, third = cubic.deriv(2)(at) / width**2, cubic.deriv(3)(at) / width**3
    bulk = 4.0 / 9.0 * x**3.5 * second
    derivative = 4.0 + 2.0 / 3.0 * x * third / second
    return EquationOfState(float(x**-1.5), float(cubic(at)), float(bulk), float(derivative), rms)
