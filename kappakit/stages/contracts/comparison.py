"""Contracts of the stages that compare and judge crystals: deduplicate, novelty, screen, stability."""

from __future__ import annotations

from dataclasses import dataclass

from kappakit.crystals import Crystal
from kappakit.ports import GeneratorRef
from kappakit.stages.contracts.items import Item, Refusal


@dataclass(frozen=True, eq=False)
class DeduplicateInputs:
    """Items need their energies: the canonical order is (energy, digest)."""

    items: tuple[Item, ...]


@dataclass(frozen=True)
class Match:
    """`duplicate` was merged into `representative`. rms in units of (V/N)^(1/3); None: no match in that direction."""

    representative: str
    duplicate: str
    rms_forward: float | None
    rms_backward: float | None
    energy_difference: float | None
    """meV/atom, duplicate − representative; None before relaxation."""
    conflict: str = ""
    """'' | 'one-way' | 'energy' | 'one-way, energy'"""


@dataclass(frozen=True)
class DeduplicateOutputs:
    """`representatives` in canonical order; every other item is the duplicate of exactly one Match."""

    representatives: tuple[str, ...]
    matches: tuple[Match, ...]


@dataclass(frozen=True, eq=False)
class ReferenceItem:
    """A known crystal relaxed by the same potential; `kappa_known`: a literature κ_L hangs on it."""

    name: str
    crystal: Crystal
    energy_per_atom: float
    kappa_known: bool


@dataclass(frozen=True, eq=False)
class ThinInputs:
    """Generated crystals before relaxation, in order of their numbers: the first of its kind stays."""

    items: tuple[Item, ...]


@dataclass(frozen=True, eq=False)
class TrainingNoveltyInputs:
    """Relaxed generated crystals against the training crystals of `generator`."""

    items: tuple[Item, ...]
    generator: GeneratorRef


@dataclass(frozen=True)
class TrainingVerdict:
    """`source`: the training crystal that matches best, with its rms in units of (V/N)^(1/3); '' and None: novel."""

    id: str
    source: str = ""
    rms: float | None = None


@dataclass(frozen=True)
class TrainingNoveltyOutputs:
    verdicts: tuple[TrainingVerdict, ...]


@dataclass(frozen=True, eq=False)
class NoveltyInputs:
    items: tuple[Item, ...]
    references: tuple[ReferenceItem, ...]


@dataclass(frozen=True)
class NoveltyVerdict:
    """level: 'kappa-known' | 'structure-known' | 'new'; `name` and `rms` of the best matching reference."""

    id: str
    level: str
    name: str = ""
    rms: float | None = None


@dataclass(frozen=True)
class NoveltyOutputs:
    verdicts: tuple[NoveltyVerdict, ...]


@dataclass(frozen=True, eq=False)
class ScreenInputs:
    items: tuple[Item, ...]


@dataclass(frozen=True, eq=False)
class SymmetryFacts:
    """Symmetry of one crystal. `operations`: order of the primitive cell's point group. `dimensionality` 0–3 (bonded
    network: 3 = three-dimensional, 2 = layered, 0 = molecular). `passes`, else `reason` says which limit it missed."""

    id: str
    number: int
    symbol: str
    point_group: str
    operations: int
    n_primitive: int
    crystal_system: str
    wyckoff: tuple[str, ...]
    primitive: Crystal
    conventional: Crystal
    dimensionality: int
    passes: bool
    reason: str = ""


@dataclass(frozen=True, eq=False)
class ScreenOutputs:
    facts: tuple[SymmetryFacts, ...]
    refusals: tuple[Refusal, ...]
    """Crystals whose symmetry could not be found; source = id."""


@dataclass(frozen=True, eq=False)
class StabilityInputs:
    """Hull of the items and the references together, one chemical system at a time; energies of one potential only."""

    items: tuple[Item, ...]
    references: tuple[ReferenceItem, ...]


@dataclass(frozen=True)
class HullEnergy:
    """eV/atom above the convex hull; None with a note where the hull lacks an element's reference."""

    id: str
    above_hull: float | None
    note: str = ""


@dataclass(frozen=True)
class StabilityOutputs:
    energies: tuple[HullEnergy, ...]
    hull_members: tuple[str, ...]
