"""Numbers of the thermal conductivity and of the neighbours' search."""

from __future__ import annotations

from dataclasses import dataclass

from kappakit.protocol.facts import OURS, PAPER, setting


@dataclass(frozen=True)
class ConductivitySettings:
    """Finite displacements and the phonon Boltzmann equation by phono3py; three-phonon scattering only."""

    fc3_supercell: int = setting(3, "repetitions of the primitive cell for FC3", origin=PAPER, low=1, high=8)
    fc2_supercell: int = setting(3, "repetitions of the primitive cell for FC2", low=1, high=8)
    pair_cutoff: float = setting(3.0, "pair cutoff of FC3 displacements", unit="Å", origin=PAPER, low=0.0, high=20.0)
    displacement: float = setting(0.03, "displacement length", unit="Å", low=0.001, high=0.2)
    mesh_length: float = setting(
        25.0, "mesh n_i with n_i |a_i| above this", unit="Å", origin=PAPER, low=1.0, high=500.0
    )
    method: str = setting("rta", "method that ranks", choices=("rta", "lbte"))
    lbte_above: float = setting(
        500.0, "largest principal κ_L (RTA) from which LBTE follows", unit="W/(m·K)", low=0.0, high=1e5
    )
    temperature: float = setting(300.0, "temperature of the ranked value", unit="K", origin=OURS, low=1.0, high=5000.0)
    ultrahigh: float = setting(
        800.0, "ultrahigh: κ_L above this in any direction", unit="W/(m·K)", origin=PAPER, low=0.0, high=1e5
    )
    imaginary_tolerance: float = setting(
        0.1, "frequencies below minus this are imaginary; between 0 and this: borderline", unit="THz", low=0.0, high=5.0
    )
    relax_force: float = setting(1e-4, "largest force after relaxation under symmetry", unit="eV/Å", low=1e-8, high=0.1)
    relax_stress: float = setting(
        0.01, "largest stress after relaxation under symmetry", unit="GPa", low=1e-5, high=1.0
    )
    shell_margin: float = setting(
        0.03, "flag neighbour shells within this fraction of the pair cutoff", low=0.0, high=0.5
    )
    max_evaluations: int = setting(
        150_000,
        "force evaluations × atoms of one crystal that start by themselves",
        unit="atom evaluations",
        low=0,
        high=10**12,
    )
    max_bte_minutes: float = setting(
        1.0, "expected BTE time of one crystal that starts by itself", unit="min", low=0.0, high=1e6
    )
    max_sweep_evaluations: int = setting(
        600_000, "atom evaluations of one sweep that start by themselves", unit="atom evaluations", low=0, high=10**12
    )
    max_sweep_minutes: float = setting(
        4.0, "expected BTE time of one sweep that starts by itself", unit="min", low=0.0, high=1e6
    )


@dataclass(frozen=True)
class NeighbourSettings:
    """The neighbours of good ones are searched too."""

    k: int = setting(10, "nearest neighbours of each ultrahigh crystal", origin=PAPER, low=0, high=1000)
    space: str = setting("soap", "space of the distances", choices=("soap", "plane"))
    sweeps: int = setting(1, "how often neighbours are searched", low=0, high=10)
