"""The stress of GPAW's own vdW-DF functionals, complete.

GPAW 26.7.0 evaluates only the semi-local part of the stress for functionals of VDWFunctionalBase (optB88-vdW …): the
derivative of the non-local correlation energy is left out without a word (the old GPAW raised NotImplementedError). In
diamond that is about 0.7 GPa, and 0.3–0.5 GPa in shear, there with the wrong sign. Here the whole is computed:

    E_nl = ½ dv/N Σ_k Σ_ab θ_a(k)* θ_b(k) φ_ab(|k|)      (G. Román-Pérez, J. M. Soler, Phys. Rev. Lett. 103, 096102)

Under strain change: the density and its gradient inside θ, which are the terms of any GGA with the non-local potential
put in; and |k| inside φ, which gives −½ dv/N Σ_k Σ_ab θ_a* θ_b φ'_ab(|k|) k_v k_w / |k|. The convention is GPAW's:
Hartree atomic units, summed over the volume.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from gpaw.new import xc as functionals
from gpaw.xc.vdw import VDWFunctionalBase
from numpy.fft import fftfreq, rfftn


def complete() -> None:
    """From now on every stress of this process is complete."""
    original = functionals.Functional.stress_contribution

    def stress_contribution(self: Any, ibzwfs: Any, density: Any, interpolate: Callable[[Any], Any]) -> np.ndarray:
        if isinstance(self.xc, VDWFunctionalBase):
            return _whole(self, density, interpolate)
        found: np.ndarray = original(self, ibzwfs, density, interpolate)
        return found

    functionals.Functional.stress_contribution = stress_contribution


def _whole(functional: Any, density: Any, interpolate: Callable[[Any], Any]) -> np.ndarray:
    """(3, 3): the semi-local terms with the non-local potential in them, and the kernel's own."""
    energy = functional.grid.empty(xp=functional.xp)
    n = interpolate(density.nt_sR)
    potential = n.new(zeroed=True)
    gradient, sigma = functionals.gradient_and_sigma(functional.grad_v, n)
    by_sigma = sigma.new()
    arguments = (energy, n, potential, sigma, by_sigma)
    total, q0 = _evaluated(functional, arguments)
    semi_local: np.ndarray = functional._stress(*arguments, gradn_svr=gradient)
    return semi_local + functional.xc.vdwcoef * kernel_term(functional.xc, total, q0)


def _evaluated(functional: Any, arguments: tuple[Any, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Fill energy and potentials; returns the density and q0 on which GPAW evaluated the non-local energy."""
    seen: list[np.ndarray] = []
    integral = functional.xc.calculate_6d_integral

    def watched(n: np.ndarray, q0: np.ndarray, *others: Any) -> float:
        seen.extend((n.copy(), q0.copy()))
        value: float = integral(n, q0, *others)
        return value

    functional.xc.calculate_6d_integral = watched
    try:
        functional._evaluate_xc_cpu([array.data for array in arguments])
    finally:
        del functional.xc.calculate_6d_integral
    return seen[0], seen[1]


def kernel_term(xc: Any, n: np.ndarray, q0: np.ndarray) -> np.ndarray:
    """(3, 3) −½ dv/N Σ θ* θ φ' k k/|k|, from the density and q0 on the grid, with the splines that GPAW made."""
    theta = _thetas(xc, n, q0)
    k = _wave_vectors(xc)
    length = np.sqrt((k**2).sum(axis=0))
    summed = _slopes(xc, theta, length) * _plane_weights(xc.shape, length.shape)
    length[0, 0, 0] = 1.0
    factor = -0.5 * xc.gd.dv / np.prod(xc.shape)
    term: np.ndarray = factor * np.einsum("xyz,vxyz,wxyz->vw", summed / length, k, k)
    return term


def _thetas(xc: Any, n: np.ndarray, q0: np.ndarray) -> list[np.ndarray]:
    """θ_a(k): the density times each interpolating spline in q0, transformed."""
    interval = (np.log(q0 / xc.q_a[1] * (xc.lambd - 1) + 1) / np.log(xc.lambd)).astype(int)
    x = q0 - xc.q_a[interval]
    thetas = []
    for spline in xc.C_aip:
        c = spline[interval].transpose((3, 0, 1, 2))
        thetas.append(rfftn(n * (c[0] + x * (c[1] + x * (c[2] + x * c[3]))), xc.shape, [0, 1, 2]))
    return thetas


def _wave_vectors(xc: Any) -> np.ndarray:
    """(3, N0, N1, N2/2 + 1) of the FFT box, 1/Bohr."""
    size = np.asarray(xc.shape)
    box = xc.gd.cell_cv * (size / xc.gd.N_c)[:, None]
    reciprocal = 2 * np.pi * np.linalg.inv(box).T
    indices = [fftfreq(size[0], 1 / size[0]), fftfreq(size[1], 1 / size[1]), np.arange(size[2] // 2 + 1)]
    k: np.ndarray = np.einsum("cxyz,cv->vxyz", np.array(np.meshgrid(*indices, indexing="ij")), reciprocal)
    return k


def _slopes(xc: Any, theta: list[np.ndarray], length: np.ndarray) -> np.ndarray:
    """Σ_ab Re(θ_a* θ_b) φ'_ab(|k|), the derivative taken of the cubic spline that GPAW interpolates φ with."""
    step = 2 * np.pi / xc.rcut
    node = (length / step).astype(int)
    x = length - node * step
    summed = np.zeros(length.shape)
    for a in range(xc.Nalpha):
        for b in range(a, xc.Nalpha):
            c = xc.phi_aajp[a, b][node]
            slope = c[..., 1] + x * (2 * c[..., 2] + 3 * x * c[..., 3])
            summed += (1 if a == b else 2) * slope * (theta[a].conj() * theta[b]).real
    return summed


def _plane_weights(size: Any, shape: tuple[int, ...]) -> np.ndarray:
    """2 where a half transform stands for k and −k, 1 on the planes that are their own mirror image."""
    weights = np.full(shape, 2.0)
    weights[:, :, 0] = 1.0
    if size[2] % 2 == 0:
        weights[:, :, -1] = 1.0
    return weights
