"""The validation of one candidate by DFT."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from apps.reviews.dossier.phonons import BandsFacts, TensorFacts
from apps.reviews.dossier.structure import ModelFacts, StructureFacts


@dataclass(frozen=True)
class ValidationCost:
    """What a part takes after the relaxation. `basis`: what the core-hours rest on."""

    part: str
    supercells: int
    atoms: int
    core_hours: float
    basis: str


@dataclass(frozen=True)
class ValidationRequest:
    """A request at the gate: how many calculations wait for approval, are approved, done, denied, or otherwise over;
    core-hours by estimate."""

    id: int
    title: str
    waiting: int
    approved: int
    done: int
    denied: int
    over: int
    core_hours: float


@dataclass(frozen=True, eq=False)
class ValidationFacts:
    """part: 'harmonic' | 'anharmonic'; `state`: PREPARING | RELAXING | DISPLACING | COMPUTING | ASSEMBLING | DONE |
    FAILED; verdict: '' | 'confirmed' | 'borderline' | 'unstable' | 'different'.

    Energies eV/atom, each on its own zero; gap eV, the smallest on the mesh of k points; volume_change DFT / potential
    − 1; deviation THz: root mean square between `bands` (DFT) and `overlay` (the potential by the same displacements,
    at the same fractional wave vectors); lowest THz, negative = imaginary. `source`: who stands for DFT; `word`: what
    the trust label says of it; `tensors`: κ_L by DFT, of the anharmonic part.
    """

    id: int
    part: str
    state: str
    state_words: str
    error: str
    source: str
    surrogate: bool
    potential: ModelFacts
    costs: tuple[ValidationCost, ...]
    requests: tuple[ValidationRequest, ...]
    cell_potential: StructureFacts | None
    cell_dft: StructureFacts | None
    space_group_potential: str
    space_group_dft: str
    energy_potential: float | None
    energy_dft: float | None
    volume_change: float | None
    gap: float | None
    deviation: float | None
    lowest: float | None
    verdict: str
    word: str
    bands: BandsFacts | None
    overlay: BandsFacts | None
    tensors: tuple[TensorFacts, ...]
    requested_by: str
    created_at: datetime
    finished_at: datetime | None
