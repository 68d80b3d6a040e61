"""Contracts of the conductivity's stages: kappa_plan, conductivity, force_sets."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from kappakit.convergence import Convergence, Mesh, MeshStep
from kappakit.crystals import Crystal
from kappakit.ports import PotentialRef
from kappakit.stages.contracts.items import Item, Refusal


@dataclass(frozen=True, eq=False)
class KappaPlanInputs:
    items: tuple[Item, ...]
    potential: PotentialRef
    symprec: float
    angle_tolerance: float


@dataclass(frozen=True)
class Shell:
    """A neighbour shell: distance Å, number of neighbours, flagged when it lies within the margin of the cutoff."""

    distance: float
    count: int
    flagged: bool


@dataclass(frozen=True, eq=False)
class KappaPlanItem:
    """What a κ_L of one crystal will take, from phono3py's own list of displacements.

    `primitive`: standardised and relaxed under its symmetry; energy_change in meV/atom by that relaxation.
    `evaluations` = Σ over supercells of atoms; `supercell` (3, 3) in the primitive cell's basis. expected_* are
    estimates for this machine (min, GiB); the Boltzmann equation's count every mesh of the convergence test.
    `symmetry_kept`: the relaxed cell still has the screened space group. `promise`: a cheap estimate of κ_L,
    W/(m·K), before any force constants, by `promise_method`; None where it has no value, `promise_note` says why.
    """

    id: str
    primitive: Crystal
    number: int
    symbol: str
    energy_change: float
    max_force: float
    max_stress: float
    symmetry_kept: bool
    supercells_fc3: int
    supercells_fc2: int
    atoms_per_supercell: int
    pairs_omitted: int
    evaluations: int
    supercell: tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int, int]]
    mesh: Mesh
    q_points: int
    expected_force_minutes: float
    expected_bte_minutes: float
    expected_lbte_minutes: float
    expected_memory: float
    shells: tuple[Shell, ...]
    dimensionality: int
    promise: float | None = None
    promise_method: str = ""
    promise_note: str = ""


@dataclass(frozen=True, eq=False)
class KappaPlanOutputs:
    plans: tuple[KappaPlanItem, ...]
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, eq=False)
class ConductivityInputs:
    """`primitive` as the plan left it. `lbte`: 'auto' (RTA ≥ the limit, 3D and it fits) | 'yes' | 'no'. `minutes`: what
    all of it may take, before a finer mesh or LBTE is left out."""

    id: str
    primitive: Crystal
    potential: PotentialRef
    symprec: float
    dimensionality: int = 3
    lbte: str = "auto"
    minutes: float = 10.0


@dataclass(frozen=True, eq=False)
class Tensor:
    """κ_L. temperatures (t,) K; kappa (t, 3, 3) W/(m·K) in the axes of `ConductivityOutputs.primitive`'s cell;
    principal (t, 3) descending; directions (t, 3, 3): row i is the unit vector of principal value i;
    uvw: words per principal direction at the ranked temperature ('[001]', 'any direction in the plane ⊥ [001]',
    'any direction'). `steps`: κ_L on every mesh that was tried, shortest first, this one last; `convergence`: what the
    last step changed, None where there was one mesh only."""

    method: str
    mesh: Mesh
    temperatures: np.ndarray
    kappa: np.ndarray
    principal: np.ndarray
    directions: np.ndarray
    uvw: tuple[str, str, str]
    seconds: float
    steps: tuple[MeshStep, ...] = ()
    convergence: Convergence | None = None


@dataclass(frozen=True)
class Fit:
    """How force constants came from forces: `route` 'systematic' | 'random'; FC3 `supercells` that were evaluated.

    Of random ones: `unknowns` of FC3; `part`: supercells of a fit that had to foretell the rest; `error`: the share of
    the rest's forces of third order that it got wrong; `change`: the share of FC3 that the fit to all changed.
    """

    route: str
    supercells: int
    unknowns: int = 0
    part: int | None = None
    error: float | None = None
    change: float | None = None


@dataclass(frozen=True, eq=False)
class Bands:
    """distances (q,) along the path (2π-free, 1/Å); frequencies (q, b) THz; ticks: (position, label)."""

    distances: np.ndarray
    frequencies: np.ndarray
    ticks: tuple[tuple[float, str], ...]
    breaks: tuple[int, ...] = ()
    """Indices where a new, disconnected segment begins."""


@dataclass(frozen=True, eq=False)
class Dos:
    """frequencies (f,) THz; total (f,) states/THz per primitive cell."""

    frequencies: np.ndarray
    total: np.ndarray


@dataclass(frozen=True, eq=False)
class ModeData:
    """Per mesh q-point and band at the ranked temperature: frequencies (q, b) THz, linewidths (q, b) THz (2Γ convention
    as phono3py's gamma, half width), group_velocities (q, b) Å·THz, weights (q,); cumulative κ: mean_free_paths (m,) Å,
    cumulative (m,) W/(m·K) of the trace / 3."""

    frequencies: np.ndarray
    linewidths: np.ndarray
    group_velocities: np.ndarray
    weights: np.ndarray
    mean_free_paths: np.ndarray
    cumulative: np.ndarray


@dataclass(frozen=True)
class PhononVerdict:
    """dynamical: 'stable' | 'borderline' | 'imaginary'. Lowest frequencies in THz (negative = imaginary), away from the
    acoustic branches near Γ; `acoustic_lowest` for those."""

    dynamical: str
    lowest_commensurate: float
    lowest_mesh: float
    lowest_path: float
    acoustic_lowest: float


@dataclass(frozen=True)
class Residuals:
    """After symmetrisation: acoustic sum rule (eV/Å² and eV/Å³) and index symmetry of FC2 and FC3, largest magnitude;
    `force_noise` eV/Å: measured difference of the forces' precision to float64, 0.0 for float64."""

    asr_fc2: float
    asr_fc3: float
    permutation_fc2: float
    permutation_fc3: float
    force_noise: float


@dataclass(frozen=True, eq=False)
class ConductivityOutputs:
    """κ_L of one crystal. `tensors` holds one entry a method, none when the phonons are imaginary and nothing was
    computed. `files`: kind → path in the folder ('phono3py_yaml', 'fc2', 'fc3', 'forces')."""

    id: str
    primitive: Crystal
    verdict: PhononVerdict
    bands: Bands
    dos: Dos
    tensors: tuple[Tensor, ...]
    modes: ModeData | None
    residuals: Residuals
    notes: tuple[str, ...]
    nac: str
    """'not needed' | 'missing' | 'included'"""
    files: dict[str, str] = field(default_factory=dict)
    engine_version: str = ""
    seconds: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)
    """Seconds of each part: 'forces', 'force constants', 'phonons', 'Boltzmann equation'."""
    fit: Fit | None = None


@dataclass(frozen=True)
class ForceSetInputs:
    """A folder of somebody else's force sets: a phono3py yaml, FORCES_FC3 or FORCE_SETS, perhaps FORCES_FC2, BORN.

    `mesh`: three numbers along the primitive cell's reciprocal vectors, or one length in Å.
    """

    folder: str
    mesh: tuple[float, ...]
    temperatures: tuple[float, ...]
    lbte: bool = False
