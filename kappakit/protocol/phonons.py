"""Numbers of the thermal conductivity and of the neighbours' search."""

from __future__ import annotations

from dataclasses import dataclass

from kappakit.protocol.facts import OURS, PAPER, setting


@dataclass(frozen=True)
class ConductivitySettings:
    """Finite displacements and the phonon Boltzmann equation by phono3py; three-phonon scattering, and what is chosen
    of isotopes and a boundary."""

    supercell_rule: str = setting(
        "width",
        "supercells: the smallest that keeps the point group and is as wide as said, or repetitions of the primitive "
        "cell (the paper)",
        choices=("width", "repeat"),
    )
    fc3_width: float = setting(
        6.0, "smallest width of the FC3 supercell between opposite faces", unit="Å", low=2.0, high=60.0
    )
    fc2_width: float = setting(
        8.5,
        "smallest width of the FC2 supercell between opposite faces; FC2 reaches farther than FC3",
        unit="Å",
        low=2.0,
        high=60.0,
    )
    fc3_supercell: int = setting(
        3, "repetitions of the primitive cell for FC3, where supercells repeat", origin=PAPER, low=1, high=8
    )
    fc2_supercell: int = setting(3, "repetitions of the primitive cell for FC2, where supercells repeat", low=1, high=8)
    displacements: str = setting(
        "systematic",
        "displacements: one and two atoms at a time (the paper), or pairs of opposite random ones and a fit, which "
        "asks for a tenth of the forces and pays where these are expensive",
        choices=("systematic", "random"),
    )
    displacement: float = setting(0.03, "displacement length, systematic", unit="Å", low=0.001, high=0.2)
    pair_cutoff: float = setting(
        3.0, "pair cutoff of systematic FC3 displacements, 0: none", unit="Å", origin=PAPER, low=0.0, high=20.0
    )
    random_displacement: float = setting(0.03, "displacement length, random", unit="Å", low=0.001, high=0.2)
    fc3_cutoff: float = setting(
        6.0, "cutoff of FC3 where it is fitted to random displacements, 0: none", unit="Å", low=0.0, high=20.0
    )
    fit_tolerance: float = setting(
        0.02,
        "random supercells are added until a fit to three quarters of them gets no larger share of the others' "
        "third-order forces wrong",
        low=1e-4,
        high=1.0,
    )
    max_random: int = setting(400, "most random supercells of one crystal", unit="supercells", low=2, high=10_000)
    mesh_rule: str = setting(
        "spacing",
        "mesh of q-points: by the spacing along each reciprocal direction, or by the lengths of the cell's own vectors "
        "(the paper; too thin in oblique cells)",
        choices=("spacing", "axes"),
    )
    mesh_length: float = setting(
        25.0,
        "mesh: spacing of q-points at most 1/length; by axes: n_i with n_i |a_i| above the length",
        unit="Å",
        origin=PAPER,
        low=1.0,
        high=200.0,
    )
    mesh_step: float = setting(1.25, "ratio of the mesh lengths of the convergence test, 1: no test", low=1.0, high=2.0)
    mesh_change: float = setting(
        0.05, "converged: the last step of the mesh changes no principal κ_L by more than this share", low=0.0, high=1.0
    )
    max_mesh_length: float = setting(60.0, "longest mesh that the refinement goes to", unit="Å", low=1.0, high=200.0)
    interaction: str = setting(
        "torch",
        "how the strength of three-phonon scattering is computed: batched matrix products, or phono3py's own kernel",
        choices=("torch", "phono3py"),
    )
    isotopes: str = setting(
        "none",
        "scattering by isotopes: none (the paper), natural abundances, or enriched in the most abundant one",
        choices=("none", "natural", "enriched"),
    )
    isotope_purity: float = setting(0.999, "share of the most abundant isotope where enriched", low=0.5, high=1.0)
    boundary: float = setting(
        0.0, "mean free path at the sample's boundary, 0: infinite sample (the paper)", unit="µm", low=0.0, high=1e6
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
    max_minutes: float = setting(
        5.0, "expected time of one crystal's κ_L that starts by itself, on this machine", unit="min", low=0.0, high=1e6
    )
    max_sweep_minutes: float = setting(
        60.0, "expected time of one sweep's κ_L that start by themselves", unit="min", low=0.0, high=1e6
    )
    max_campaign_minutes: float = setting(
        600.0, "expected time of a campaign's κ_L that start by themselves", unit="min", low=0.0, high=1e7
    )


@dataclass(frozen=True)
class NeighbourSettings:
    """The neighbours of good ones are searched too."""

    k: int = setting(10, "nearest neighbours of each ultrahigh crystal", origin=PAPER, low=0, high=1000)
    space: str = setting("soap", "space of the distances", choices=("soap", "plane"))
    sweeps: int = setting(1, "how often neighbours are searched", low=0, high=10)
