"""What goes into each stage and what comes out: frozen dataclasses of plain values and numpy arrays.

`id` is always the caller's own key of a crystal (a Candidate's or Structure's primary key as text). Files that a
stage makes lie in the stage's folder; outputs name them by path relative to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from kappakit.crystals import Crystal
from kappakit.ports import PotentialRef


@dataclass(frozen=True)
class Refusal:
    """Something that was not taken: `source` says which file or crystal, `reason` is a code, `detail` is for people."""

    source: str
    reason: str
    detail: str


@dataclass(frozen=True, eq=False)
class Item:
    """A crystal under its caller's key; energy in eV per atom where it is known."""

    id: str
    crystal: Crystal
    energy_per_atom: float | None = None


# --- import -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ImportInputs:
    """`files`: (original file name, path) pairs; a path is absolute or relative to the stage's folder."""

    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True, eq=False)
class ImportedCrystal:
    """`label` as in the file (material_id, title …), `source` = 'file name#position'."""

    crystal: Crystal
    label: str
    source: str


@dataclass(frozen=True, eq=False)
class ImportOutputs:
    crystals: tuple[ImportedCrystal, ...]
    refusals: tuple[Refusal, ...]


# --- generate ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GenerateInputs:
    """Crystals number start … start + count of the campaign's sequence."""

    seed: int
    start: int
    count: int


@dataclass(frozen=True, eq=False)
class GeneratedItem:
    index: int
    seed: int
    crystal: Crystal
    latent: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class GenerateOutputs:
    generator: str
    version: str
    crystals: tuple[GeneratedItem, ...]
    refusals: tuple[Refusal, ...] = ()


# --- relax ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class RelaxInputs:
    items: tuple[Item, ...]
    potential: PotentialRef


@dataclass(frozen=True)
class Deviations:
    """Relative changes start → end: each length, each angle (relative to the start's), volume; shift.

    lengths (3,), angles (3,) as |end − start| / start; volume signed; `positions`: root mean square displacement of the
    fractional coordinates (centre of mass fixed) in units of (V/N)^(1/3).
    """

    lengths: tuple[float, float, float]
    angles: tuple[float, float, float]
    volume: float
    positions: float


@dataclass(frozen=True, eq=False)
class RelaxedItem:
    """energy eV/atom, max_force eV/Å, stress (3, 3) eV/Å³, soap_distance to the training set where it is checked."""

    id: str
    crystal: Crystal
    energy_per_atom: float
    max_force: float
    stress: np.ndarray
    steps: int
    converged: bool
    deviations: Deviations
    soap_distance: float | None = None


@dataclass(frozen=True, eq=False)
class RelaxOutputs:
    """`rejected`: what left the potential's trust or did not converge; source = id."""

    relaxed: tuple[RelaxedItem, ...]
    rejected: tuple[Refusal, ...]
    potential_version: str
    precision: str
    compiled: bool


# --- deduplicate, novelty ---------------------------------------------------------------------------------------------


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
    energy_difference: float
    """meV/atom, duplicate − representative."""
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


# --- screen -----------------------------------------------------------------------------------------------------------


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


# --- stability --------------------------------------------------------------------------------------------------------


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


# --- embed, sample, neighbours ----------------------------------------------------------------------------------------


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


# --- conductivity -----------------------------------------------------------------------------------------------------


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
    `evaluations` = Σ over supercells of atoms. expected_* are estimates (min, GiB). `symmetry_kept`: the relaxed cell
    still has the screened space group.
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
    mesh: tuple[int, int, int]
    q_points: int
    expected_bte_minutes: float
    expected_lbte_minutes: float
    expected_memory: float
    shells: tuple[Shell, ...]
    dimensionality: int


@dataclass(frozen=True, eq=False)
class KappaPlanOutputs:
    plans: tuple[KappaPlanItem, ...]
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, eq=False)
class ConductivityInputs:
    """`primitive` as the plan left it. `lbte`: 'auto' (RTA ≥ the limit, 3D and it fits) | 'yes' | 'no'."""

    id: str
    primitive: Crystal
    potential: PotentialRef
    mesh: tuple[int, int, int]
    symprec: float
    dimensionality: int = 3
    lbte: str = "auto"
    lbte_max_minutes: float = 10.0


@dataclass(frozen=True, eq=False)
class Tensor:
    """κ_L. temperatures (t,) K; kappa (t, 3, 3) W/(m·K) in the axes of `ConductivityOutputs.primitive`'s cell;
    principal (t, 3) descending; directions (t, 3, 3): row i is the unit vector of principal value i;
    uvw: words per principal direction at the ranked temperature ('[001]', 'any direction in the plane ⊥ [001]',
    'any direction')."""

    method: str
    mesh: tuple[int, int, int]
    temperatures: np.ndarray
    kappa: np.ndarray
    principal: np.ndarray
    directions: np.ndarray
    uvw: tuple[str, str, str]
    seconds: float


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


@dataclass(frozen=True)
class ForceSetInputs:
    """A folder of somebody else's force sets: a phono3py yaml, FORCES_FC3 or FORCE_SETS, perhaps FORCES_FC2, BORN."""

    folder: str
    mesh: tuple[int, int, int]
    temperatures: tuple[float, ...]
    lbte: bool = False


# --- train ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TrainInputs:
    """`dataset`: path of an extended XYZ file with energy, forces, stress, group, kind; `always_train`: groups.

    `teacher`: label the frames' geometries with this potential first (for trainings without a data set)."""

    configuration: str
    dataset: str
    seed: int
    always_train: tuple[str, ...] = ()
    overrides: dict[str, float] = field(default_factory=dict)
    teacher: PotentialRef | None = None


@dataclass(frozen=True, eq=False)
class TrainOutputs:
    """`folder`: relative path of the stored model, `files`: names in it; `curve` (epochs, 7): the columns of
    TrainingCurvePoint."""

    folder: str
    sha256: str
    card: str
    """The model card as JSON text."""
    curve: np.ndarray
    files: tuple[str, ...] = ("model.safetensors", "model.json", "card.json")


# --- export -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class ExportInputs:
    """A table to be written to one file. format: 'json' | 'csv' | 'extxyz' | 'cif.zip' | 'ase.db'.

    `columns`: headers with units; `rows`: one a crystal of `items`, in the same order, each value as JSON text;
    `metadata`: JSON object (filter, campaign, protocol digest …)."""

    format: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    items: tuple[Item, ...]
    metadata: str = "{}"


@dataclass(frozen=True)
class ExportOutputs:
    """`file`: path relative to the stage's folder, with its number of rows and its digest."""

    file: str
    rows: int
    sha256: str
