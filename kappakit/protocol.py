"""The protocol: every number of the method, once, with unit, meaning and origin.

`paper` marks a number that Guo et al., npj Comput. Mater. 11 (2025), doi 10.1038/s41524-025-01592-8, states;
`ours` marks our choice where the paper is silent. A campaign stores a snapshot (`as_dict`) and its `digest`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any, get_type_hints

from kappakit.errors import InputError

PAPER = "paper"
OURS = "ours"


@dataclass(frozen=True)
class FieldFacts:
    """What a form and a check need to know of a field."""

    unit: str
    help: str
    origin: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()


def _f(
    default: Any,
    help: str,
    *,
    unit: str = "",
    origin: str = OURS,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    return field(default=default, metadata={"facts": FieldFacts(unit, help, origin, low, high, choices)})


@dataclass(frozen=True)
class GenerateSettings:
    """Crystals that the campaign makes itself."""

    generator: str = _f(
        "search",
        "who proposes crystals: the random symmetric search, or a trained generator (CDVAE)",
        choices=("search", "cdvae"),
    )
    count: int = _f(64, "crystals to generate; the paper: 100,000", unit="crystals", low=0, high=1_000_000)
    with_training: bool = _f(
        False, "a trained generator's training crystals go on beside the generated ones; the paper: yes", origin=PAPER
    )
    elements: str = _f(
        "C", "search: elements of a crystal, separated by spaces, repeated for its stoichiometry; CDVAE has its own"
    )
    min_atoms: int = _f(2, "fewest atoms in a generated cell", unit="atoms", low=1, high=200)
    max_atoms: int = _f(8, "most atoms in a generated cell", unit="atoms", low=1, high=200)
    min_volume: float = _f(5.0, "smallest volume of a generated crystal", unit="Å³/atom", low=0.1, high=200.0)
    max_volume: float = _f(9.0, "largest volume of a generated crystal", unit="Å³/atom", low=1.0, high=1000.0)
    min_distance: float = _f(
        1.2, "shortest distance in a generated crystal; closer ones are refused", unit="Å", low=0.0, high=5.0
    )
    sampler: str = _f(
        "annealed",
        "CDVAE: how noise becomes coordinates; published: Langevin dynamics of 5,000 network calls a crystal",
        choices=("annealed", "fine", "flow", "diffusion", "published"),
    )
    tries: int = _f(
        3,
        "CDVAE: a crystal that does not encode back to its latent vector is decoded anew, so many times in all; "
        "published: 1",
        low=1,
        high=100,
    )
    prior: str = _f(
        "posterior",
        "CDVAE: latent vectors from the normal prior (published), a mixture fitted to the training crystals, their "
        "posteriors, or from between two near ones",
        choices=("normal", "mixture", "posterior", "between"),
    )
    temperature: float = _f(1.0, "CDVAE: spread of the latent vectors over that of their prior", low=0.0, high=10.0)
    lattice_temperature: float = _f(
        1.0, "CDVAE: spread of the lattices over the predicted one; 0: the most likely lattice", low=0.0, high=10.0
    )
    distinct: bool = _f(
        False, "CDVAE: copies among the training crystals count once where latent vectors are drawn about them"
    )
    simple: bool = _f(False, "CDVAE: latent vectors of training crystals with few atoms and high symmetry only")
    simple_operations: int = _f(4, "operations that a training crystal needs for that", low=1, high=48)
    symmetrise: float = _f(
        0.0,
        "generated crystals symmetric within this are made so before they are relaxed; 0: never",
        unit="Å",
        low=0.0,
        high=1.0,
    )
    thin: float = _f(
        0.0,
        "generated crystals that match within this site tolerance, in units of (V/N)^(1/3), are one before they are "
        "relaxed; 0: all are relaxed",
        low=0.0,
        high=1.0,
    )
    report_count: int = _f(
        1000, "generated crystals of which coverage and validity are reported", unit="crystals", low=0, high=100_000
    )
    batch: int = _f(32, "crystals generated in one job", unit="crystals", low=1, high=4096)


@dataclass(frozen=True)
class RelaxSettings:
    """Relaxation to a local minimum, cell and positions free."""

    optimiser: str = _f("fire", "minimiser", choices=("fire",))
    max_force: float = _f(0.01, "largest force at the end", unit="eV/Å", low=1e-6, high=1.0)
    max_stress: float = _f(0.1, "largest stress component at the end", unit="GPa", low=1e-4, high=10.0)
    max_steps: int = _f(500, "steps after which a crystal counts as not converged", unit="steps", low=1, high=100_000)
    pressure: float = _f(0.0, "pressure of the relaxation", unit="GPa", low=-100.0, high=1000.0)
    batch: int = _f(64, "crystals relaxed in one job", unit="crystals", low=1, high=1024)


@dataclass(frozen=True)
class DeduplicateSettings:
    """pymatgen StructureMatcher, fed in a canonical order (energy, digest)."""

    ltol: float = _f(0.2, "fractional length tolerance", origin=PAPER, low=0.0, high=1.0)
    stol: float = _f(0.3, "site tolerance in units of (V/N)^(1/3)", origin=PAPER, low=0.0, high=1.0)
    angle_tol: float = _f(5.0, "angle tolerance", unit="°", origin=PAPER, low=0.0, high=45.0)
    conflict_energy: float = _f(
        20.0, "a match of crystals that differ by more is listed as a conflict", unit="meV/atom", low=0.0, high=1e4
    )


@dataclass(frozen=True)
class ScreenSettings:
    """Simple, symmetric crystals stay."""

    max_atoms: int = _f(12, "most atoms in the primitive cell", unit="atoms", origin=PAPER, low=1, high=1000)
    min_operations: int = _f(4, "fewest operations of the primitive cell's point group", origin=PAPER, low=1, high=48)
    symprec: float = _f(0.1, "symmetry tolerance on positions", unit="Å", origin=PAPER, low=1e-5, high=1.0)
    angle_tolerance: float = _f(1.0, "symmetry tolerance on angles", unit="°", origin=PAPER, low=0.01, high=10.0)


@dataclass(frozen=True)
class EmbedSettings:
    """SOAP averaged over atoms, then t-SNE."""

    r_cut: float = _f(5.0, "SOAP cutoff", unit="Å", origin=PAPER, low=1.0, high=20.0)
    sigma: float = _f(0.5, "SOAP smearing", unit="Å", origin=PAPER, low=0.05, high=2.0)
    n_max: int = _f(6, "SOAP radial functions", origin=PAPER, low=1, high=20)
    l_max: int = _f(6, "SOAP angular momentum", origin=PAPER, low=0, high=20)
    average: str = _f("inner", "average before (inner) or after (outer) the power spectrum", choices=("inner", "outer"))
    normalise: bool = _f(True, "divide each vector by its norm before distances")
    perplexity: float = _f(10.0, "t-SNE perplexity", origin=PAPER, low=1.0, high=1000.0)
    seed: int = _f(0, "seed of t-SNE", low=0, high=2**31 - 1)


@dataclass(frozen=True)
class SampleSettings:
    """Farthest point sampling: the diverse sample."""

    count: int = _f(
        50, "crystals picked, reference crystals come on top", unit="crystals", origin=PAPER, low=1, high=10_000
    )
    space: str = _f("soap", "space of the distances: the paper's plane or SOAP", choices=("soap", "plane"))
    first: str = _f("central", "first point: nearest to the mean, or lowest energy", choices=("central", "lowest"))
    references: str = _f(
        "diamond lonsdaleite bct-C4 Z-carbon AA-T12-carbon",
        "reference crystals that join the sample, separated by spaces",
        origin=PAPER,
    )


@dataclass(frozen=True)
class ConductivitySettings:
    """Finite displacements and the phonon Boltzmann equation by phono3py; three-phonon scattering only."""

    fc3_supercell: int = _f(3, "repetitions of the primitive cell for FC3", origin=PAPER, low=1, high=8)
    fc2_supercell: int = _f(3, "repetitions of the primitive cell for FC2", low=1, high=8)
    pair_cutoff: float = _f(3.0, "pair cutoff of FC3 displacements", unit="Å", origin=PAPER, low=0.0, high=20.0)
    displacement: float = _f(0.03, "displacement length", unit="Å", low=0.001, high=0.2)
    mesh_length: float = _f(25.0, "mesh n_i with n_i |a_i| above this", unit="Å", origin=PAPER, low=1.0, high=500.0)
    method: str = _f("rta", "method that ranks", choices=("rta", "lbte"))
    lbte_above: float = _f(
        500.0, "largest principal κ_L (RTA) from which LBTE follows", unit="W/(m·K)", low=0.0, high=1e5
    )
    temperature: float = _f(300.0, "temperature of the ranked value", unit="K", origin=OURS, low=1.0, high=5000.0)
    ultrahigh: float = _f(
        800.0, "ultrahigh: κ_L above this in any direction", unit="W/(m·K)", origin=PAPER, low=0.0, high=1e5
    )
    imaginary_tolerance: float = _f(
        0.1, "frequencies below minus this are imaginary; between 0 and this: borderline", unit="THz", low=0.0, high=5.0
    )
    relax_force: float = _f(1e-4, "largest force after relaxation under symmetry", unit="eV/Å", low=1e-8, high=0.1)
    relax_stress: float = _f(0.01, "largest stress after relaxation under symmetry", unit="GPa", low=1e-5, high=1.0)
    shell_margin: float = _f(0.03, "flag neighbour shells within this fraction of the pair cutoff", low=0.0, high=0.5)
    max_evaluations: int = _f(
        150_000,
        "force evaluations × atoms of one crystal that start by themselves",
        unit="atom evaluations",
        low=0,
        high=10**12,
    )
    max_bte_minutes: float = _f(
        1.0, "expected BTE time of one crystal that starts by itself", unit="min", low=0.0, high=1e6
    )
    max_sweep_evaluations: int = _f(
        600_000, "atom evaluations of one sweep that start by themselves", unit="atom evaluations", low=0, high=10**12
    )
    max_sweep_minutes: float = _f(
        4.0, "expected BTE time of one sweep that starts by itself", unit="min", low=0.0, high=1e6
    )


@dataclass(frozen=True)
class NeighbourSettings:
    """The neighbours of good ones are searched too."""

    k: int = _f(10, "nearest neighbours of each ultrahigh crystal", origin=PAPER, low=0, high=1000)
    space: str = _f("soap", "space of the distances", choices=("soap", "plane"))
    sweeps: int = _f(1, "how often neighbours are searched", low=0, high=10)


@dataclass(frozen=True)
class CommitteeSettings:
    """Query by committee; `size` 0 switches it off."""

    size: int = _f(0, "members of the committee (the paper: 8); 0: none", unit="members", low=0, high=64)
    threshold: float = _f(
        15.0, "uncertainty above which labels are asked", unit="meV/atom", origin=PAPER, low=0.0, high=1e4
    )
    max_iterations: int = _f(20, "iterations after which the loop ends", low=0, high=1000)


@dataclass(frozen=True)
class Protocol:
    """One campaign's method."""

    source: str = _f(
        "import",
        "where crystals come from: files, a generator (see Generate), or both",
        choices=("import", "generate", "both"),
    )
    generate: GenerateSettings = field(default_factory=GenerateSettings)
    relax: RelaxSettings = field(default_factory=RelaxSettings)
    deduplicate: DeduplicateSettings = field(default_factory=DeduplicateSettings)
    screen: ScreenSettings = field(default_factory=ScreenSettings)
    embed: EmbedSettings = field(default_factory=EmbedSettings)
    sample: SampleSettings = field(default_factory=SampleSettings)
    conductivity: ConductivitySettings = field(default_factory=ConductivitySettings)
    neighbours: NeighbourSettings = field(default_factory=NeighbourSettings)
    committee: CommitteeSettings = field(default_factory=CommitteeSettings)

    def as_dict(self) -> dict[str, Any]:
        """The snapshot: plain JSON types."""
        return asdict(self)

    @property
    def learned(self) -> bool:
        """Whether crystals come from a trained generator."""
        return self.source != "import" and self.generate.generator != "search"

    @property
    def digest(self) -> str:
        """sha256 of the canonical snapshot."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Protocol:
        """The protocol of a snapshot; what is absent keeps its default.

        Raises ProtocolError that names every unknown field and every value outside its range at once.
        """
        problems: dict[str, str] = {}
        protocol = _build(cls(), data, "", problems)
        if problems:
            raise ProtocolError(problems)
        return protocol


class ProtocolError(InputError):
    """`problems`: field path ('relax.max_steps') → what is wrong."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("; ".join(f"{path}: {problem}" for path, problem in problems.items()))
        self.problems = problems


def field_facts(settings: Any, name: str) -> FieldFacts:
    """Unit, help, origin and range of one field of a settings class or instance."""
    (found,) = [f for f in fields(settings) if f.name == name]
    return found.metadata["facts"]


def _build(default: Any, data: Any, path: str, problems: dict[str, str]) -> Any:
    if not isinstance(data, dict):
        problems[path.rstrip(".") or "protocol"] = "is not a set of fields"
        return default
    known = {f.name: f for f in fields(default)}
    for name in data.keys() - known.keys():
        problems[f"{path}{name}"] = "is not a field of the protocol"
    changes: dict[str, Any] = {}
    for name in data.keys() & known.keys():
        current = getattr(default, name)
        if is_dataclass(current):
            changes[name] = _build(current, data[name], f"{path}{name}.", problems)
            continue
        problem, value = _checked(data[name], get_type_hints(type(default))[name], known[name].metadata["facts"])
        if problem:
            problems[f"{path}{name}"] = problem
        else:
            changes[name] = value
    return replace(default, **changes)


def _checked(value: Any, kind: type, facts: FieldFacts) -> tuple[str, Any]:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if kind is int and isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        return f"must be of type {kind.__name__}", None
    if isinstance(value, float) and value != value:
        return "is not a number", None
    if facts.choices and value not in facts.choices:
        return f"must be one of {', '.join(facts.choices)}", None
    return _range_problem(value, facts), value


def _range_problem(value: Any, facts: FieldFacts) -> str:
    unit = f" {facts.unit}" if facts.unit else ""
    if facts.low is not None and value < facts.low:
        return f"must be at least {facts.low:,.12g}{unit}"
    if facts.high is not None and value > facts.high:
        return f"must be at most {facts.high:,.12g}{unit}"
    return ""


PUBLISHED_GENERATION = GenerateSettings(
    generator="cdvae",
    count=100_000,
    with_training=True,
    min_atoms=1,
    max_atoms=24,
    min_volume=0.1,
    max_volume=1000.0,
    min_distance=0.5,
    sampler="published",
    tries=1,
    prior="normal",
    batch=64,
)
"""As the paper's generator does it; what is not a choice of settings (lattices, numbers) is sampled here too."""

GENERATIONS: dict[str, GenerateSettings] = {
    "published": PUBLISHED_GENERATION,
    "posterior": replace(PUBLISHED_GENERATION, sampler="annealed", tries=3, prior="posterior"),
    "simple": GenerateSettings(
        generator="cdvae",
        max_atoms=12,
        max_volume=15.0,
        min_distance=1.15,
        prior="between",
        distinct=True,
        simple=True,
        symmetrise=0.1,
        thin=0.1,
        batch=64,
    ),
}
"""Named ways to generate. published: the paper's; posterior: its training distribution, quickly; simple: few atoms and
high symmetry, near-duplicates dropped before they are relaxed."""


PROTOCOLS: dict[str, Protocol] = {
    "paper": Protocol(source="generate", generate=PUBLISHED_GENERATION),
    "demo": Protocol(
        source="both",
        generate=replace(GENERATIONS["simple"], count=64),
        sample=SampleSettings(count=4),
        conductivity=ConductivitySettings(method="rta"),
        neighbours=NeighbourSettings(k=2),
    ),
    "smoke": Protocol(
        source="both",
        generate=GenerateSettings(count=6, max_atoms=4, batch=3),
        relax=RelaxSettings(max_steps=200, batch=32),
        sample=SampleSettings(count=2, references="diamond"),
        conductivity=ConductivitySettings(
            fc3_supercell=2, fc2_supercell=2, mesh_length=15.0, max_evaluations=20_000, max_sweep_evaluations=40_000
        ),
        neighbours=NeighbourSettings(k=1),
    ),
}
"""Named starting points: the paper's numbers; the laptop's demo; the smallest that still does everything."""
