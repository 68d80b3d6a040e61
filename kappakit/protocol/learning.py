"""Numbers of the query by committee and of the DFT calculations that answer it."""

from __future__ import annotations

from dataclasses import dataclass

from kappakit.protocol.facts import PAPER, setting


@dataclass(frozen=True)
class CommitteeSettings:
    """Query by committee; `size` 0 switches it off."""

    size: int = setting(0, "members of the committee (the paper: 8); 0: none", unit="members", low=0, high=64)
    configuration: str = setting(
        "carbon-tiny",
        "named configuration of every member and of the final fit",
        choices=("carbon-tiny", "carbon-laptop", "carbon-paper"),
    )
    epochs: int = setting(0, "epochs of a training; 0: the configuration's own", unit="epochs", low=0, high=100_000)
    warm: bool = setting(True, "a member starts from its own weights of the last iteration")
    warm_epochs: int = setting(
        0, "epochs of a training that starts warm; 0: as of any other", unit="epochs", low=0, high=100_000
    )
    start: str = setting(
        "carbon-dft",
        "labelled configurations to begin with: those of carbon that come with the program, or a file that somebody "
        "uploads to the campaign",
        choices=("carbon-dft", "upload"),
    )
    start_count: int = setting(
        1000,
        "of them, the most diverse are taken by farthest points on SOAP; 0: all",
        unit="configurations",
        origin=PAPER,
        low=0,
        high=1_000_000,
    )
    test_fraction: float = setting(
        0.15,
        "share of their distinct crystals that no iteration trains on: the errors' fixed test set",
        low=0.0,
        high=0.9,
    )
    left_out: float = setting(
        0.125, "share of the distinct crystals that each member leaves out, another one each", low=0.0, high=0.9
    )
    criterion: str = setting(
        "energy",
        "what the threshold is held against: the energies' standard deviation, or the forces' largest disagreement",
        choices=("energy", "forces"),
    )
    threshold: float = setting(
        15.0, "energy uncertainty above which labels are asked", unit="meV/atom", origin=PAPER, low=0.0, high=1e4
    )
    force_threshold: float = setting(
        0.5, "disagreement of the forces above which labels are asked", unit="eV/Å", low=0.0, high=1e4
    )
    ddof: int = setting(1, "degrees of freedom taken off in the standard deviation", low=0, high=1)
    max_iterations: int = setting(20, "iterations with labels after which the loop ends", low=0, high=1000)
    rattles: int = setting(8, "rattled configurations of the crystal that is labelled", origin=PAPER, low=1, high=256)
    rattle_amplitude: float = setting(0.05, "standard deviation of a rattled coordinate", unit="Å", low=0.0, high=1.0)
    rattle_length: float = setting(
        5.0,
        "rattles are drawn in the smallest supercell with every length at least this, so that modes at the zone's "
        "boundary are labelled; 0: in the primitive cell",
        unit="Å",
        low=0.0,
        high=30.0,
    )
    label: str = setting(
        "ask", "labels wait for an approver, or spend a granted budget by themselves", choices=("ask", "auto")
    )
    spread: str = setting(
        "ultrahigh",
        "whose κ_L is computed by every member too: nobody's, the ultrahigh ones', or all of a sweep",
        choices=("none", "ultrahigh", "all"),
    )
    spread_count: int = setting(5, "most crystals of a sweep for that", unit="crystals", low=0, high=10_000)


@dataclass(frozen=True)
class DftSettings:
    """What decides a DFT result; labels and validations have the same."""

    engine: str = setting(
        "gpaw",
        "who computes: GPAW, VASP, or a surrogate (a potential that stands for DFT, for trials; every record says so)",
        choices=("gpaw", "vasp", "surrogate"),
    )
    surrogate: str = setting("carbon-laptop", "surrogate: the potential that stands for DFT, by its name")
    functional: str = setting(
        "optB88-vdW", "exchange and correlation", origin=PAPER, choices=("optB88-vdW", "PBE", "LDA")
    )
    cutoff: float = setting(600.0, "plane waves up to this energy", unit="eV", origin=PAPER, low=100.0, high=2000.0)
    k_spacing: float = setting(
        0.15,
        "largest distance of k points, Γ-centred, with 2π as VASP's KSPACING",
        unit="1/Å",
        origin=PAPER,
        low=0.02,
        high=5.0,
    )
    spin: bool = setting(True, "spin-polarised", origin=PAPER)
    smearing: str = setting("fermi-dirac", "occupation of the levels", choices=("fermi-dirac", "gaussian"))
    smearing_width: float = setting(0.05, "width of the smearing", unit="eV", low=0.0, high=2.0)
    energy_tolerance: float = setting(
        1e-5, "electronic convergence: eV per valence electron in GPAW, EDIFF in VASP", unit="eV", low=1e-12, high=1.0
    )
    tight_tolerance: float = setting(
        1e-8, "the same where forces become force constants", unit="eV", low=1e-14, high=1.0
    )
    relax_force: float = setting(0.005, "DFT relaxation: largest force at the end", unit="eV/Å", low=1e-5, high=1.0)
    relax_stress: float = setting(0.1, "DFT relaxation: largest stress at the end", unit="GPa", low=1e-3, high=10.0)
    validation_supercell: int = setting(
        2, "validation: repetitions of the primitive cell for FC2 by DFT", low=1, high=6
    )
    validation_displacement: float = setting(0.02, "validation: displacement length", unit="Å", low=0.001, high=0.2)


@dataclass(frozen=True)
class DftRunSettings:
    """How a calculation runs; none of it changes the result, so none is part of what is approved."""

    cores: int = setting(1, "cores of one calculation", low=1, high=4096)
    walltime: float = setting(120.0, "time limit of one attempt", unit="min", low=0.1, high=20_160.0)
    memory: float = setting(8.0, "memory asked of a scheduler", unit="GiB", low=0.5, high=4096.0)
    max_iterations: int = setting(200, "electronic steps after which an attempt is not converged", low=5, high=10_000)
    mixing: float = setting(0.05, "share of the new density in each electronic step", low=1e-4, high=1.0)
