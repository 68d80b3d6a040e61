"""κ_L from FC2 and FC3: the phonon Boltzmann equation in the relaxation time approximation and in full, by phono3py.

Three-phonon scattering, and isotopes and a boundary where they are asked for; no four-phonon processes. Energy
conservation by the linear tetrahedron method, so no smearing enters. A. Togo, L. Chaput, I. Tanaka, Phys. Rev. B 91,
094306 (2015); L. Chaput, Phys. Rev. Lett. 110, 265506 (2013).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from phono3py import Phono3py
from phonopy.structure.atomic_data import get_atomic_data

from kappakit.convergence import Mesh
from kappakit.errors import InputError
from kappakit.meshes import grid_of
from kappakit.ports import Interactions
from kappakit.protocol import ConductivitySettings
from kappakit.tensors import direction_words, from_voigt, principal

RTA, LBTE = "rta", "lbte"
NO_ISOTOPES, NATURAL, ENRICHED = "none", "natural", "enriched"
TEMPERATURES = (100.0, 200.0, 300.0, 400.0, 500.0, 600.0, 700.0, 800.0, 900.0, 1000.0)
"""K: where κ_L(T) is given, besides the protocol's own temperature."""
MEAN_FREE_PATHS = 120
"""Points of the cumulative κ_L, spaced evenly in the logarithm of the mean free path."""
EIGENVECTOR_FREE = {
    "symmetrize_tetrahedra": True,
    "average_degenerate_weights": True,
    "exclude_gamma_acoustic": True,
}
"""phono3py's options that free linewidths from the choice of eigenvectors in degenerate subspaces and of the
tetrahedra's diagonal; without them rounding alone moves κ_L by half a per cent on a coarse mesh."""
SHORTFALL = 0.02
NEGLIGIBLE = 1e-12
"""Share of the largest mode's κ_L below which a mode is left out of the cumulative one: frozen modes at Γ."""


@dataclass(frozen=True, eq=False)
class Conductivity:
    """κ_L by one method. temperatures (t,) K; kappa (t, 3, 3) W/(m·K) in the axes of the cell; principal (t, 3)
    descending; directions (t, 3, 3): row i belongs to value i; uvw: words at the ranked temperature; wall time in s."""

    method: str
    mesh: Mesh
    temperatures: np.ndarray
    kappa: np.ndarray
    principal: np.ndarray
    directions: np.ndarray
    uvw: tuple[str, str, str]
    seconds: float


@dataclass(frozen=True, eq=False)
class Modes:
    """At one temperature, per q-point and band: frequencies (q, b) THz, linewidths (q, b) THz (half width γ),
    group_velocities (q, b) Å·THz; weights (q,); mean_free_paths (m,) Å, cumulative (m,) W/(m·K), trace / 3."""

    frequencies: np.ndarray
    linewidths: np.ndarray
    group_velocities: np.ndarray
    weights: np.ndarray
    mean_free_paths: np.ndarray
    cumulative: np.ndarray


@dataclass(frozen=True)
class Scattering:
    """What scatters beside three phonons: `isotopes` 'none' | 'natural' | 'enriched', `purity` the share of the most
    abundant one where enriched, `boundary` a mean free path in µm (0: an infinite sample)."""

    isotopes: str = NO_ISOTOPES
    purity: float = 1.0
    boundary: float = 0.0


THREE_PHONON = Scattering()


def scattering_of(settings: ConductivitySettings) -> Scattering:
    """The settings' choice of isotopes and boundary."""
    return Scattering(settings.isotopes, settings.isotope_purity, settings.boundary)


def temperatures_with(ranked: float) -> tuple[float, ...]:
    """TEMPERATURES and the ranked one, ascending, in K."""
    return tuple(sorted({*TEMPERATURES, float(ranked)}))


def solve(
    calculation: Phono3py,
    method: str,
    mesh: Mesh,
    temperatures: Sequence[float],
    interactions: Interactions,
    scattering: Scattering = THREE_PHONON,
) -> float:
    """Solve for κ_L on a mesh at temperatures in K; the result is calculation.thermal_conductivity. Returns seconds."""
    start = perf_counter()
    calculation.sigmas = None
    calculation.mesh_numbers = grid_of(mesh)
    extra = interactions.prepare(calculation, EIGENVECTOR_FREE)
    calculation.run_thermal_conductivity(
        is_LBTE=method == LBTE,
        temperatures=list(temperatures),
        is_isotope=scattering.isotopes != NO_ISOTOPES,
        mass_variances=mass_variances(calculation.primitive.symbols, scattering),
        boundary_mfp=scattering.boundary or None,
        log_level=0,
        **extra,
    )
    return perf_counter() - start


def mass_variances(symbols: Sequence[str], scattering: Scattering) -> list[float] | None:
    """Σ f (1 − m/m̄)² of each atom's isotopes, dimensionless; None without isotope scattering.

    Natural abundances as phonopy lists them. Enriched: the most abundant isotope has the share `purity`, the others
    share the rest as in nature. S. Tamura, Phys. Rev. B 27, 858 (1983).
    """
    if scattering.isotopes == NO_ISOTOPES:
        return None
    return [_variance(symbol, scattering) for symbol in symbols]


def _variance(symbol: str, scattering: Scattering) -> float:
    known = get_atomic_data().isotope_data[symbol]
    if not known:
        raise InputError(f"no isotope abundances are known of {symbol}: choose isotopes “none”")
    masses, shares = np.array([(mass, share) for _, mass, share in known], float).T
    if scattering.isotopes == ENRICHED:
        shares = _enriched(shares, scattering.purity)
    mean = shares @ masses
    return float(shares @ (1.0 - masses / mean) ** 2)


def _enriched(shares: np.ndarray, purity: float) -> np.ndarray:
    most = int(shares.argmax())
    rest = shares.sum() - shares[most]
    if not rest:
        return shares
    enriched = shares * (1.0 - purity) / rest
    enriched[most] = purity
    return enriched


def tensor(
    solution: Any, method: str, mesh: Mesh, *, ranked: float, named_cell: np.ndarray, seconds: float
) -> Conductivity | None:
    """The tensor of a solved thermal conductivity. `named_cell` (3, 3) Å: the lattice vectors that [uvw] counts.

    On a coarse mesh a mode may find nothing to scatter with, and κ_L has no finite value: such temperatures are left
    out, and None is returned where the ranked one (K) is among them.
    """
    temperatures = np.asarray(solution.temperatures, float)
    kappa = from_voigt(np.asarray(solution.kappa)[0])
    finite = np.isfinite(kappa).all(axis=(1, 2))
    if not finite[nearest(temperatures, ranked)]:
        return None
    temperatures, kappa = temperatures[finite], kappa[finite]
    values, directions = principal(kappa)
    at = nearest(temperatures, ranked)
    return Conductivity(
        method=method,
        mesh=mesh,
        temperatures=temperatures,
        kappa=kappa,
        principal=values,
        directions=directions,
        uvw=direction_words(values[at], directions[at], named_cell),
        seconds=seconds,
    )


def below_rta(full: Conductivity, rta: Conductivity, temperature: float) -> bool:
    """Whether LBTE falls short of RTA along some direction by more than SHORTFALL of the largest principal value.

    RTA is a trial solution of the variational principle that LBTE maximises (J. M. Ziman, Electrons and Phonons, 1960,
    ch. 7), so only a collision matrix that lacks channels, on too coarse a mesh, can do so.
    """
    exact = full.kappa[nearest(full.temperatures, temperature)]
    trial = rta.kappa[nearest(rta.temperatures, temperature)]
    return bool(principal(exact - trial)[0].min() < -SHORTFALL * principal(trial)[0].max())


def nearest(temperatures: np.ndarray, temperature: float) -> int:
    """Index of the temperature nearest to the given one."""
    return int(np.abs(temperatures - temperature).argmin())


def mode_data(solution: Any, mesh: Mesh, ranked: float) -> Modes:
    """Frequencies, half linewidths, group velocities and cumulative κ_L of a solved RTA at the ranked temperature.

    A mode's mean free path is |v| / (2 · 2π γ), v in Å·THz and γ in THz, in Å.
    """
    at = nearest(np.asarray(solution.temperatures), ranked)
    linewidths = np.asarray(solution.gamma)[0, at]
    speeds = np.linalg.norm(solution.group_velocities, axis=-1)
    contributions = from_voigt(np.asarray(solution.mode_kappa)[0, at]) / mesh.points
    paths, cumulative = cumulative_kappa(np.trace(contributions, axis1=-2, axis2=-1) / 3, linewidths, speeds)
    return Modes(
        frequencies=np.asarray(solution.frequencies),
        linewidths=linewidths,
        group_velocities=speeds,
        weights=np.asarray(solution.grid_weights),
        mean_free_paths=paths,
        cumulative=cumulative,
    )


def cumulative_kappa(
    contributions: np.ndarray, linewidths: np.ndarray, speeds: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(mean free paths Å (m,), κ_L carried by modes with a shorter or equal one (m,)).

    contributions (q, b) W/(m·K); linewidths (q, b) THz; speeds (q, b) Å·THz. Modes without a linewidth carry nothing.
    """
    scattered = (linewidths > 0) & (speeds > 0) & (np.abs(contributions) > NEGLIGIBLE * np.abs(contributions).max())
    lengths = speeds[scattered] / (4 * np.pi * linewidths[scattered])
    if not len(lengths):
        return np.zeros(0), np.zeros(0)
    order = np.argsort(lengths)
    total = np.concatenate([[0.0], np.cumsum(contributions[scattered][order])])
    points = np.geomspace(lengths.min(), lengths.max(), MEAN_FREE_PATHS)
    points[-1] = lengths.max()
    return points, total[np.searchsorted(lengths[order], points, side="right")]


def threads() -> int:
    """Threads that the kernels of phono3py may use here."""
    return int(os.environ.get("RAYON_NUM_THREADS") or os.cpu_count() or 1)
