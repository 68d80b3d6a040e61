"""What is known of one candidate, as frozen values: the join over the whole house that page, REST and export share.

`None` always means "not there (yet)". Arrays are nested lists or tuples of floats unless a docstring says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from apps.committees.selectors.history import UncertaintyFacts
from apps.reviews.dossier.phonons import (
    BandsFacts,
    CumulativeFacts,
    DosFacts,
    FitFacts,
    MeshStepFacts,
    PartFacts,
    PhononFacts,
    PlanFacts,
    Shell,
    TensorFacts,
)
from apps.reviews.dossier.record import (
    Download,
    ExclusionFacts,
    ListFacts,
    MapNeighbour,
    MapPlace,
    ProvenanceLink,
    ReviewFacts,
    SelectionFacts,
)
from apps.reviews.dossier.structure import (
    CandidateRef,
    DuplicateFacts,
    GenerationFacts,
    Lattice,
    LiteratureFacts,
    ModelFacts,
    NoveltyFacts,
    RelaxationFacts,
    Site,
    StructureFacts,
    SymmetryFacts,
    Vector,
)
from apps.reviews.dossier.validation import ValidationCost, ValidationFacts, ValidationRequest

__all__ = [
    "BandsFacts",
    "CandidateDossier",
    "CandidateRef",
    "CumulativeFacts",
    "DosFacts",
    "Download",
    "DuplicateFacts",
    "ExclusionFacts",
    "FitFacts",
    "GenerationFacts",
    "Lattice",
    "ListFacts",
    "LiteratureFacts",
    "MapNeighbour",
    "MapPlace",
    "MeshStepFacts",
    "ModelFacts",
    "NoveltyFacts",
    "PartFacts",
    "PhononFacts",
    "PlanFacts",
    "ProvenanceLink",
    "RelaxationFacts",
    "ReviewFacts",
    "SelectionFacts",
    "Shell",
    "Site",
    "StructureFacts",
    "SymmetryFacts",
    "TensorFacts",
    "UncertaintyFacts",
    "ValidationCost",
    "ValidationFacts",
    "ValidationRequest",
    "Vector",
]


@dataclass(frozen=True, eq=False)
class CandidateDossier:
    """Everything about one candidate. `displayed` is the structure that a page shows first: relaxed, else start.

    `plan`, `phonons`, `tensors` belong to the newest plan; `older_plans` are those before it. above_hull eV/atom.
    `uncertainty`: of the newest committee that evaluated the candidate. `validations` by DFT: newest first.
    outcome: 'pending' | 'rejected' | 'duplicate' | 'screened-out' | 'kept'. verdict: '' | 'shortlist' | 'reject'.
    """

    id: int
    index: int
    campaign_id: int
    campaign_name: str
    name: str
    label: str
    origin: str
    source: str
    seed: int | None
    generator: str
    generation: GenerationFacts | None
    outcome: str
    outcome_reason: str
    outcome_detail: str
    created_at: datetime
    start: StructureFacts
    relaxed: StructureFacts | None
    symmetry: SymmetryFacts | None
    relaxation: RelaxationFacts | None
    duplicates: tuple[DuplicateFacts, ...]
    novelty: NoveltyFacts
    above_hull: float | None
    hull_note: str
    plan: PlanFacts | None
    older_plans: tuple[PlanFacts, ...]
    phonons: PhononFacts | None
    tensors: tuple[TensorFacts, ...]
    uncertainty: UncertaintyFacts | None
    validations: tuple[ValidationFacts, ...]
    map_place: MapPlace | None
    selections: tuple[SelectionFacts, ...]
    reviews: tuple[ReviewFacts, ...]
    verdict: str
    lists: tuple[ListFacts, ...]
    exclusions: tuple[ExclusionFacts, ...]
    excluded: bool
    provenance: tuple[ProvenanceLink, ...]
    downloads: tuple[Download, ...] = field(default=())

    @property
    def displayed(self) -> StructureFacts:
        """The relaxed structure, else the start."""
        return self.relaxed or self.start
