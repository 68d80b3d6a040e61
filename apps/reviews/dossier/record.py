"""Place on the map, what people decided, where everything came from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from apps.reviews.dossier.structure import CandidateRef


@dataclass(frozen=True)
class MapNeighbour:
    """A crystal nearby; distance in the place's space, without unit. kappa: largest principal κ_L (RTA), W/(m·K);
    label: the trust label of its κ_L, words joined."""

    candidate: CandidateRef
    distance: float
    kappa: float | None
    label: str = ""


@dataclass(frozen=True)
class SelectionFacts:
    """A recorded choice of this candidate: kind 'sample' | 'neighbours'; how 'fps' | 'reference' | 'knn';
    distance in the selection's own space; `centre` whose neighbour it is."""

    selection_id: int
    kind: str
    sweep: int
    order: int
    distance: float | None
    how: str
    space: str
    centre: CandidateRef | None


@dataclass(frozen=True)
class MapPlace:
    """Place on the newest map version that holds the candidate (no unit), with its nearest there.

    `space` of their distances: 'soap' or 'plane', as the protocol searches; `note` says why there are none.
    """

    map_id: int
    version: int
    x: float
    y: float
    space: str
    neighbours: tuple[MapNeighbour, ...]
    note: str = ""


@dataclass(frozen=True)
class ReviewFacts:
    """kind: 'shortlist' | 'reject' | 'reset' | 'comment'."""

    id: int
    author: str
    kind: str
    text: str
    created_at: datetime


@dataclass(frozen=True)
class ListFacts:
    """A candidate list that it is on now."""

    id: int
    name: str
    note: str
    added_by: str
    added_at: datetime


@dataclass(frozen=True)
class ExclusionFacts:
    """A curator's exclusion; `live` until undone."""

    id: int
    reason: str
    excluded_by: str
    created_at: datetime
    live: bool
    undone_at: datetime | None
    undone_by: str
    undo_reason: str


@dataclass(frozen=True)
class ProvenanceLink:
    """One link of the chain from κ_L back to its beginning: `facts` are (what, value) words for people; `digest` is
    the sha256 that fixes it (structure, weights, settings, file), empty where the link has none."""

    kind: str
    title: str
    facts: tuple[tuple[str, str], ...]
    digest: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Download:
    """`kind`: 'cif' | 'poscar' | 'extxyz' | 'json' (written on request) or 'phono3py_yaml' | 'fc2' | 'fc3' | 'forces' |
    'modes' (`artifact_id`, stored); size in bytes and sha256 of stored ones."""

    kind: str
    title: str
    file_name: str
    artifact_id: int | None = None
    size: int | None = None
    sha256: str = ""
