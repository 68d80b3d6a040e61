"""Rows of the house's two tables of κ_L: the ranked one and the controls. Frozen values, units in each docstring."""

from __future__ import annotations

from dataclasses import dataclass

from apps.reviews.dossier import LiteratureFacts, Vector


@dataclass(frozen=True)
class RankedRow:
    """One crystal of a ranked table. principal (3) W/(m·K), descending; uvw: their directions in words; n_primitive
    atoms; above_hull eV/atom; novelty: '' | 'kappa-known' | 'structure-known' | 'new'; known_as: name or ''."""

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
class RankedTable:
    """One method, named; `rows` three-dimensional crystals, `layered` the layered and molecular ones, in a list of
    their own. `temperature` K and `ultrahigh` W/(m·K) from the campaign's protocol; `potentials` names, `warnings`
    their shipping rule's words for the table's head."""

    method: str
    method_title: str
    temperature: float
    ultrahigh: float
    rows: tuple[RankedRow, ...]
    layered: tuple[RankedRow, ...]
    left_out: LeftOut
    potentials: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class OurValue:
    """Our κ_L of a control: principal values W/(m·K), temperature K, with everything that it may not be shown without.

    Not `rankable`: its label says why (imaginary modes, broken symmetry, layered); compare it with nothing.
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
