"""Geometry, symmetry, relaxation and likeness of one candidate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from kappakit.crystals import Crystal

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Lattice:
    """a, b, c in Å; alpha, beta, gamma in degrees; volume in Å³; rows of `vectors` are lattice vectors in Å."""

    a: float
    b: float
    c: float
    alpha: float
    beta: float
    gamma: float
    volume: float
    vectors: tuple[Vector, Vector, Vector]


@dataclass(frozen=True)
class Site:
    """One atom: `position` Cartesian in Å, `frac` fractional; `wyckoff` like '8a', empty where it is not known."""

    number: int
    symbol: str
    frac: Vector
    position: Vector
    wyckoff: str = ""


@dataclass(frozen=True, eq=False)
class StructureFacts:
    """One immutable geometry. volume_per_atom Å³/atom, density g/cm³; `crystal` carries the arrays."""

    id: int
    digest: str
    name: str
    tags: tuple[str, ...]
    formula: str
    chemical_system: str
    n_atoms: int
    volume_per_atom: float
    density: float
    crystal: Crystal

    @cached_property
    def lattice(self) -> Lattice:
        """Lengths, angles, volume and vectors of the cell."""
        a, b, c = self.crystal.lengths.tolist()
        alpha, beta, gamma = self.crystal.angles.tolist()
        first, second, third = (tuple(row) for row in self.crystal.cell.tolist())
        return Lattice(a, b, c, alpha, beta, gamma, self.crystal.volume, (first, second, third))

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """Every atom of the cell, in the stored order."""
        c = self.crystal
        rows = zip(c.numbers.tolist(), c.symbols, c.frac.tolist(), c.positions.tolist(), strict=True)
        return tuple(Site(z, s, tuple(f), tuple(p)) for z, s, f, p in rows)


@dataclass(frozen=True, eq=False)
class SymmetryFacts:
    """Space group and what follows. `operations`: order of the primitive cell's point group; `n_primitive` atoms;
    `dimensionality` 0–3 of the bonded network; `wyckoff` one word a site of the conventional cell."""

    number: int
    symbol: str
    point_group: str
    crystal_system: str
    operations: int
    n_primitive: int
    wyckoff: tuple[str, ...]
    dimensionality: int
    primitive: StructureFacts
    conventional: StructureFacts


@dataclass(frozen=True)
class ModelFacts:
    """A potential as a value depends on it. `warning` is non-empty where its shipping rule fails."""

    id: int
    name: str
    engine: str
    version: str
    sha256: str
    warning: str
    data_set_sha256: str
    seed: int


@dataclass(frozen=True)
class RelaxationFacts:
    """Start → end. energy eV/atom (the potential's own zero), max_force eV/Å, max_stress and pressure GPa.

    Deviations are relative: lengths (3), angles (3), volume (signed); `deviation_positions` root mean square in units
    of (V/N)^(1/3). `soap_distance` to the nearest training configuration.
    """

    id: int
    potential: ModelFacts
    settings_digest: str
    pressure: float
    energy_per_atom: float | None
    max_force: float | None
    max_stress: float | None
    steps: int | None
    converged: bool
    deviation_lengths: Vector | None
    deviation_angles: Vector | None
    deviation_volume: float | None
    deviation_positions: float | None
    soap_distance: float | None
    rejected_reason: str
    rejected_detail: str
    engine_version: str
    precision: str
    compiled: bool
    created_at: datetime


@dataclass(frozen=True)
class CandidateRef:
    """Another candidate of the same campaign, named: enough for a link."""

    id: int
    index: int
    name: str
    formula: str
    space_group: str = ""


@dataclass(frozen=True)
class DuplicateFacts:
    """Evidence that `duplicate` equals `representative`; `role` is this candidate's own: which of the two it is.

    rms in units of (V/N)^(1/3), None in a direction without a match or when marked by hand; energy_difference meV/atom
    (duplicate − representative); `conflict`: '' | 'one-way' | 'energy' | 'one-way, energy'. `live` until undone.
    """

    id: int
    role: str
    other: CandidateRef
    rms_forward: float | None
    rms_backward: float | None
    energy_difference: float | None
    conflict: str
    marked_by: str
    reason: str
    created_at: datetime
    live: bool
    undone_at: datetime | None
    undone_by: str
    undo_reason: str


@dataclass(frozen=True)
class LiteratureFacts:
    """A published κ_L of a known crystal, W/(m·K); low = high unless a range is reported; temperature K."""

    kappa_low: float
    kappa_high: float
    temperature: float
    method: str
    citation: str


@dataclass(frozen=True)
class GenerationFacts:
    """How a trained generator came to the crystal. `latent`: its vector, no unit; `consistency`: distance to the vector
    that it encodes to, in widths of the posterior; `symmetrised`: space group that it was made to have, ''.

    `training_source`: the training crystal that it matches after relaxation with `training_rms`, in units of
    (V/N)^(1/3); '' is novel where `compared`.
    """

    model_id: int
    model_name: str
    model_sha256: str
    latent: tuple[float, ...]
    consistency: float | None
    symmetrised: str
    compared: bool
    training_source: str
    training_rms: float | None


@dataclass(frozen=True)
class NoveltyFacts:
    """level: '' (not compared) | 'kappa-known' | 'structure-known' | 'new'; rms of the best matching reference."""

    level: str
    known_as: str
    rms: float | None
    citation: str
    literature: tuple[LiteratureFacts, ...]
