"""Rows of the house's two tables of κ_L: the ranked one and the controls. Frozen values, units in each docstring."""

from __future__ import annotations

from dataclasses import dataclass

from apps.reviews.dossier import LiteratureFacts, Vector
from apps.reviews.words import convergence_words, lengths_words, mesh_words, worst_change


@dataclass(frozen=True)
class RankedRow:
    """One crystal of a ranked table. principal (3) W/(m·K), descending; uvw: their directions in words; n_primitive
    atoms; above_hull eV/atom; novelty: '' | 'kappa-known' | 'structure-known' | 'new'; known_as: name or ''.

    mesh_rule: 'spacing' | 'axes' | 'given'; mesh_length Å. change, changes, error: shares of κ_L, what the mesh's last
    step changed of the largest value and along each principal direction, and what is still missing; `converged` None:
    not tested."""

    rank: int
    candidate_id: int
    index: int
    name: str
    formula: str
    largest: float
    principal: Vector
    uvw: tuple[str, str, str]
    temperature: float
    method: str
    mesh: tuple[int, int, int]
    mesh_rule: str
    mesh_length: float | None
    change: float | None
    changes: Vector | None
    error: float | None
    converged: bool | None
    potential: str
    space_group_number: int
    space_group: str
    n_primitive: int
    dimensionality: int
    known_as: str
    novelty: str
    above_hull: float | None
    label: tuple[str, ...]
    ultrahigh: bool
    excluded: bool = False

    @property
    def convergence(self) -> str:
        """'1.8 % (±6 %)', 'no: 9.1 % (±40 %)', 'not tested'."""
        return convergence_words(worst_change(self.change, self.changes), self.error, self.converged)

    @property
    def mesh_words(self) -> str:
        """'mesh of 25.8 Å (7×7×7)'."""
        return mesh_words(self.mesh, self.mesh_rule, self.mesh_length)


@dataclass(frozen=True)
class LeftOut:
    """Candidates with a plan that the ranked table does not hold, by reason; each is counted once, first reason wins.

    `other_method`: κ_L exists, but not by this table's method. `excluded`, `duplicate`: a curator took it out.
    """

    excluded: int = 0
    duplicate: int = 0
    failed: int = 0
    waiting: int = 0
    running: int = 0
    imaginary: int = 0
    borderline: int = 0
    symmetry_broken: int = 0
    other_method: int = 0

    @property
    def total(self) -> int:
        """All that the table does not hold."""
        return sum(vars(self).values())


@dataclass(frozen=True)
class EstimatePoint:
    """A crystal whose κ_L was estimated before it was computed: `promise` and `kappa` (RTA, largest principal value)
    in W/(m·K)."""

    candidate_id: int
    index: int
    name: str
    promise: float
    kappa: float
    label: tuple[str, ...]


@dataclass(frozen=True)
class EstimateQuality:
    """How well the estimate ranks what may be ranked: Spearman's ρ of estimate and κ_L (RTA), None for fewer than two
    crystals or where all values are equal."""

    points: tuple[EstimatePoint, ...]
    rho: float | None

    @property
    def n(self) -> int:
        """How many crystals have both."""
        return len(self.points)


@dataclass(frozen=True)
class RankedTable:
    """One method, named; `rows` three-dimensional crystals, `layered` the layered and molecular ones, in a list of
    their own. Each list: those whose mesh converged by κ_L, then the others by κ_L; ranks run on.

    `temperature` K and `ultrahigh` W/(m·K) from the campaign's protocol, `scattering` what its κ_L count beside three
    phonons ('' for nothing); `potentials` names, `warnings` their shipping rule's words for the table's head, `alarms`
    what looks too good, `estimates` how well the estimate before computing orders the same crystals."""

    method: str
    method_title: str
    temperature: float
    ultrahigh: float
    scattering: str
    rows: tuple[RankedRow, ...]
    layered: tuple[RankedRow, ...]
    left_out: LeftOut
    potentials: tuple[str, ...]
    warnings: tuple[str, ...]
    alarms: tuple[str, ...] = ()
    estimates: EstimateQuality = EstimateQuality((), None)

    @property
    def mesh_note(self) -> str:
        """A sentence where the rows' meshes differ in length, '' where they do not."""
        return lengths_words([row.mesh_length for row in self.rows])

    @property
    def layered_mesh_note(self) -> str:
        """The same of the layered ones."""
        return lengths_words([row.mesh_length for row in self.layered])


@dataclass(frozen=True)
class OurValue:
    """Our κ_L of a control: principal values W/(m·K), temperature K, with everything that it may not be shown without.

    isotopes: 'none' | 'natural' | 'enriched'; boundary µm, 0: an infinite sample; `scattering` says both in words, ''
    for neither. change, changes, error: shares, as of a RankedRow. `measured`: experiments with the same isotopes. Not
    `rankable`: its label says why (imaginary modes, broken symmetry, layered); compare it with nothing.
    """

    campaign_id: int
    campaign: str
    candidate_id: int
    method: str
    potential: str
    temperature: float
    largest: float
    principal: Vector
    uvw: tuple[str, str, str]
    label: tuple[str, ...]
    rankable: bool
    mesh_rule: str
    mesh_length: float | None
    change: float | None
    changes: Vector | None
    error: float | None
    converged: bool | None
    isotopes: str
    boundary: float
    scattering: str
    measured: tuple[LiteratureFacts, ...]

    @property
    def convergence(self) -> str:
        """As of a RankedRow."""
        return convergence_words(worst_change(self.change, self.changes), self.error, self.converged)


@dataclass(frozen=True)
class ControlRow:
    """A known crystal: published κ_L, the value of the paper that the protocol follows (None where it gives none),
    and ours beside it, one a campaign and method."""

    reference: str
    formula: str
    space_group: str
    citation: str
    note: str
    literature: tuple[LiteratureFacts, ...]
    paper: LiteratureFacts | None
    ours: tuple[OurValue, ...]
