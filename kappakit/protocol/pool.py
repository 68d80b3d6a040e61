"""Numbers of the pool: how crystals come, are relaxed, compared, screened, mapped and sampled."""

from __future__ import annotations

from dataclasses import dataclass

from kappakit.protocol.facts import PAPER, setting


@dataclass(frozen=True)
class GenerateSettings:
    """Crystals that the campaign makes itself."""

    generator: str = setting(
        "search",
        "who proposes crystals: the random symmetric search, or a trained generator (CDVAE)",
        choices=("search", "cdvae"),
    )
    count: int = setting(64, "crystals to generate; the paper: 100,000", unit="crystals", low=0, high=1_000_000)
    with_training: bool = setting(
        False, "a trained generator's training crystals go on beside the generated ones; the paper: yes", origin=PAPER
    )
    elements: str = setting(
        "C", "search: elements of a crystal, separated by spaces, repeated for its stoichiometry; CDVAE has its own"
    )
    min_atoms: int = setting(2, "fewest atoms in a generated cell", unit="atoms", low=1, high=200)
    max_atoms: int = setting(8, "most atoms in a generated cell", unit="atoms", low=1, high=200)
    min_volume: float = setting(5.0, "smallest volume of a generated crystal", unit="Å³/atom", low=0.1, high=200.0)
    max_volume: float = setting(9.0, "largest volume of a generated crystal", unit="Å³/atom", low=1.0, high=1000.0)
    min_distance: float = setting(
        1.2, "shortest distance in a generated crystal; closer ones are refused", unit="Å", low=0.0, high=5.0
    )
    sampler: str = setting(
        "annealed",
        "CDVAE: how noise becomes coordinates; published: Langevin dynamics of 5,000 network calls a crystal",
        choices=("annealed", "fine", "flow", "diffusion", "published"),
    )
    tries: int = setting(
        3,
        "CDVAE: a crystal that does not encode back to its latent vector is decoded anew, so many times in all; "
        "published: 1",
        low=1,
        high=100,
    )
    prior: str = setting(
        "posterior",
        "CDVAE: latent vectors from the normal prior (published), a mixture fitted to the training crystals, their "
        "posteriors, or from between two near ones",
        choices=("normal", "mixture", "posterior", "between"),
    )
    temperature: float = setting(
        1.0, "CDVAE: spread of the latent vectors over that of their prior", low=0.0, high=10.0
    )
    lattice_temperature: float = setting(
        1.0, "CDVAE: spread of the lattices over the predicted one; 0: the most likely lattice", low=0.0, high=10.0
    )
    distinct: bool = setting(
        False, "CDVAE: copies among the training crystals count once where latent vectors are drawn about them"
    )
    simple: bool = setting(False, "CDVAE: latent vectors of training crystals with few atoms and high symmetry only")
    simple_operations: int = setting(4, "operations that a training crystal needs for that", low=1, high=48)
    symmetrise: float = setting(
        0.0,
        "generated crystals symmetric within this are made so before they are relaxed; 0: never",
        unit="Å",
        low=0.0,
        high=1.0,
    )
    thin: float = setting(
        0.0,
        "generated crystals that match within this site tolerance, in units of (V/N)^(1/3), are one before they are "
        "relaxed; 0: all are relaxed",
        low=0.0,
        high=1.0,
    )
    report_count: int = setting(
        1000, "generated crystals of which coverage and validity are reported", unit="crystals", low=0, high=100_000
    )
    batch: int = setting(32, "crystals generated in one job", unit="crystals", low=1, high=4096)


@dataclass(frozen=True)
class RelaxSettings:
    """Relaxation to a local minimum, cell and positions free."""

    optimiser: str = setting("fire", "minimiser", choices=("fire",))
    max_force: float = setting(0.01, "largest force at the end", unit="eV/Å", low=1e-6, high=1.0)
    max_stress: float = setting(0.1, "largest stress component at the end", unit="GPa", low=1e-4, high=10.0)
    max_steps: int = setting(
        500, "steps after which a crystal counts as not converged", unit="steps", low=1, high=100_000
    )
    pressure: float = setting(0.0, "pressure of the relaxation", unit="GPa", low=-100.0, high=1000.0)
    batch: int = setting(64, "crystals relaxed in one job", unit="crystals", low=1, high=1024)


@dataclass(frozen=True)
class DeduplicateSettings:
    """pymatgen StructureMatcher, fed in a canonical order (energy, digest)."""

    ltol: float = setting(0.2, "fractional length tolerance", origin=PAPER, low=0.0, high=1.0)
    stol: float = setting(0.3, "site tolerance in units of (V/N)^(1/3)", origin=PAPER, low=0.0, high=1.0)
    angle_tol: float = setting(5.0, "angle tolerance", unit="°", origin=PAPER, low=0.0, high=45.0)
    conflict_energy: float = setting(
        20.0, "a match of crystals that differ by more is listed as a conflict", unit="meV/atom", low=0.0, high=1e4
    )


@dataclass(frozen=True)
class ScreenSettings:
    """Simple, symmetric crystals stay."""

    max_atoms: int = setting(12, "most atoms in the primitive cell", unit="atoms", origin=PAPER, low=1, high=1000)
    min_operations: int = setting(
        4, "fewest operations of the primitive cell's point group", origin=PAPER, low=1, high=48
    )
    symprec: float = setting(0.1, "symmetry tolerance on positions", unit="Å", origin=PAPER, low=1e-5, high=1.0)
    angle_tolerance: float = setting(1.0, "symmetry tolerance on angles", unit="°", origin=PAPER, low=0.01, high=10.0)


@dataclass(frozen=True)
class EmbedSettings:
    """SOAP averaged over atoms, then t-SNE."""

    r_cut: float = setting(5.0, "SOAP cutoff", unit="Å", origin=PAPER, low=1.0, high=20.0)
    sigma: float = setting(0.5, "SOAP smearing", unit="Å", origin=PAPER, low=0.05, high=2.0)
    n_max: int = setting(6, "SOAP radial functions", origin=PAPER, low=1, high=20)
    l_max: int = setting(6, "SOAP angular momentum", origin=PAPER, low=0, high=20)
    average: str = setting(
        "inner", "average before (inner) or after (outer) the power spectrum", choices=("inner", "outer")
    )
    normalise: bool = setting(True, "divide each vector by its norm before distances")
    perplexity: float = setting(10.0, "t-SNE perplexity", origin=PAPER, low=1.0, high=1000.0)
    seed: int = setting(0, "seed of t-SNE", low=0, high=2**31 - 1)


@dataclass(frozen=True)
class SampleSettings:
    """Farthest point sampling: the diverse sample."""

    count: int = setting(
        50, "crystals picked, reference crystals come on top", unit="crystals", origin=PAPER, low=1, high=10_000
    )
    space: str = setting("soap", "space of the distances: the paper's plane or SOAP", choices=("soap", "plane"))
    first: str = setting("central", "first point: nearest to the mean, or lowest energy", choices=("central", "lowest"))
    references: str = setting(
        "diamond lonsdaleite bct-C4 Z-carbon AA-T12-carbon",
        "reference crystals that join the sample, separated by spaces",
        origin=PAPER,
    )
