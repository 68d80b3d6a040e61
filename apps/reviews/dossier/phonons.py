"""Plan, phonons and κ_L of one candidate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.reviews.dossier.structure import ModelFacts, StructureFacts, Vector


@dataclass(frozen=True)
class Shell:
    """A neighbour shell: distance Å, atoms in it, flagged within the margin of the pair cutoff."""

    distance: float
    count: int
    flagged: bool


@dataclass(frozen=True, eq=False)
class PlanFacts:
    """What κ_L takes. energy_change meV/atom, max_force eV/Å, max_stress GPa after relaxation under symmetry;
    evaluations = atom evaluations; `supercell` (3, 3) in the primitive cell's basis, () in old plans;
    mesh_length Å; expected_*: minutes and GiB, expected_minutes those of the forces and of RTA on all test meshes;
    `promise` W/(m·K): an estimate of κ_L before any force constants; `settings`: the snapshot of
    ConductivitySettings; state: PLANNED | STARTED | DONE | FAILED. `note`: 'planned: 95 supercells, 3 min: start?'"""

    id: int
    state: str
    note: str
    error: str
    potential: ModelFacts
    settings: Mapping[str, Any]
    settings_digest: str
    sweep: int
    primitive: StructureFacts
    space_group_number: int
    space_group: str
    symmetry_kept: bool
    dimensionality: int
    energy_change: float
    max_force: float
    max_stress: float
    supercells_fc3: int
    supercells_fc2: int
    atoms_per_supercell: int
    pairs_omitted: int
    evaluations: int
    supercell: tuple[tuple[int, int, int], ...]
    supercell_words: str
    mesh: tuple[int, int, int]
    mesh_rule: str
    mesh_length: float | None
    mesh_words: str
    q_points: int
    expected_minutes: float
    expected_force_minutes: float | None
    expected_bte_minutes: float
    expected_lbte_minutes: float
    expected_memory: float
    shells: tuple[Shell, ...]
    promise: float | None
    promise_method: str
    promise_note: str
    started_by: str
    created_at: datetime


@dataclass(frozen=True, eq=False)
class BandsFacts:
    """distances (q,) 1/Å without 2π; frequencies (q, bands) THz; ticks (position, label); breaks: first indices of
    disconnected segments. Plain lists, ready for a figure."""

    distances: list[float]
    frequencies: list[list[float]]
    ticks: list[tuple[float, str]]
    breaks: list[int]


@dataclass(frozen=True, eq=False)
class DosFacts:
    """frequencies (f,) THz; total (f,) states/THz per primitive cell."""

    frequencies: list[float]
    total: list[float]


@dataclass(frozen=True, eq=False)
class CumulativeFacts:
    """mean_free_paths (m,) Å; cumulative (m,) W/(m·K): trace / 3 of what shorter paths carry."""

    mean_free_paths: list[float]
    cumulative: list[float]


@dataclass(frozen=True)
class PartFacts:
    """A part of a calculation ('forces', 'Boltzmann equation') and its wall time in s."""

    name: str
    seconds: float


@dataclass(frozen=True)
class FitFacts:
    """How force constants came from forces: `route` 'systematic' | 'random'; FC3 supercells evaluated. For random
    ones `unknowns` of FC3, `part`: supercells of a fit that had to foretell the others, `error`: the share of their
    forces of third order that it got wrong, `change`: the share of FC3 that the fit to all changed."""

    route: str
    supercells: int
    unknowns: int
    part: int | None
    error: float | None
    change: float | None


@dataclass(frozen=True, eq=False)
class PhononFacts:
    """dynamical: 'stable' | 'borderline' | 'imaginary'; lowest_* THz, negative = imaginary; residuals: asr_fc2 eV/Å²,
    asr_fc3 eV/Å³, permutation_fc2, permutation_fc3, force_noise eV/Å; nac: 'not needed' | 'missing' | 'included'."""

    id: int
    source: str
    primitive: StructureFacts
    dynamical: str
    lowest_commensurate: float
    lowest_mesh: float
    lowest_path: float
    acoustic_lowest: float
    bands: BandsFacts
    dos: DosFacts
    cumulative: CumulativeFacts | None
    residuals: Mapping[str, float]
    notes: tuple[str, ...]
    nac: str
    engine_version: str
    seconds: float
    parts: tuple[PartFacts, ...]
    fit: FitFacts | None
    created_at: datetime


@dataclass(frozen=True)
class MeshStepFacts:
    """κ_L on one mesh of the test: length Å, divisions, q-points (all, irreducible), principal values W/(m·K)
    descending, `change`: share by which the largest one changed from the mesh before, wall time in s."""

    length: float
    numbers: tuple[int, int, int]
    points: int
    irreducible: int
    principal: Vector
    change: float | None
    seconds: float


@dataclass(frozen=True, eq=False)
class TensorFacts:
    """κ_L by one method, W/(m·K). principal (3) descending at `temperature` (K); directions: row i belongs to
    principal i; uvw: its words; kappa (t, 3, 3) and principal_by_temperature (t, 3) over `temperatures` (t,);
    `label`: the trust label's words in order; `potential`: name, or 'force sets: …'.

    mesh_rule: 'spacing' | 'axes' | 'given'; mesh_length Å; `thin`: the label's word where a direction is sampled more
    coarsely than meant. change, changes, error, tolerance: shares of the value, what the mesh's last step changed of
    the largest principal value and along each direction, what is still missing, what is allowed. `converged` None: not
    tested; `convergence`: that in words, '1.8 % (±6 %)'. isotopes: 'none' | 'natural' | 'enriched'; boundary µm, 0: an
    infinite sample; `scattering`: what scatters beside three phonons, '' for nothing."""

    id: int
    method: str
    potential: str
    mesh: tuple[int, int, int]
    mesh_rule: str
    mesh_length: float | None
    mesh_points: int | None
    mesh_words: str
    mesh_steps: tuple[MeshStepFacts, ...]
    thin: str
    change: float | None
    changes: Vector | None
    error: float | None
    converged: bool | None
    convergence: str
    tolerance: float | None
    isotopes: str
    boundary: float
    scattering: str
    temperature: float
    largest: float
    principal: Vector
    directions: list[list[float]]
    uvw: tuple[str, str, str]
    temperatures: tuple[float, ...]
    kappa: list[list[list[float]]]
    principal_by_temperature: list[list[float]]
    rankable: bool
    label: tuple[str, ...]
    seconds: float
    created_at: datetime
