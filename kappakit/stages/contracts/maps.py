"""Contracts of the map's stages: embed, sample, neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kappakit.stages.contracts.items import Item


@dataclass(frozen=True, eq=False)
class EmbedInputs:
    items: tuple[Item, ...]


@dataclass(frozen=True, eq=False)
class EmbedOutputs:
    """descriptors (n, d) float32; plane (n, 2) float64 (no unit); `perplexity` as used; `notes` for people."""

    ids: tuple[str, ...]
    descriptors: np.ndarray
    plane: np.ndarray
    perplexity: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class SampleInputs:
    """`vectors` (n, d): SOAP vectors or the plane, as the settings' space says; `mandatory` ids join the sample."""

    ids: tuple[str, ...]
    vectors: np.ndarray
    energies: tuple[float, ...]
    mandatory: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pick:
    """`distance` to the picks before it (infinite for the first: None); how: 'fps' | 'reference'."""

    id: str
    order: int
    distance: float | None
    how: str


@dataclass(frozen=True)
class SampleOutputs:
    picks: tuple[Pick, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class NeighboursInputs:
    """`centres` and `exclude` are ids; excluded ones are never returned (they have a κ_L already)."""

    ids: tuple[str, ...]
    vectors: np.ndarray
    centres: tuple[str, ...]
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class Neighbour:
    centre: str
    id: str
    rank: int
    distance: float


@dataclass(frozen=True)
class NeighboursOutputs:
    """`neighbours`: every (centre, neighbour) pair; `found`: the merged ids to calculate, excluded ones left out."""

    neighbours: tuple[Neighbour, ...]
    found: tuple[str, ...]
    notes: tuple[str, ...] = ()
