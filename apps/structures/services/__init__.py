"""What people and stages do with structures and candidates."""

from apps.structures.services.bulk import numbering_lock, rows_set
from apps.structures.services.candidates import Made, Newcomer, candidates_add, refusals_add
from apps.structures.services.curation import (
    candidate_exclude,
    duplicate_mark,
    duplicate_undo,
    exclusion_undo,
    structure_rename,
    structure_tag,
)
from apps.structures.services.imports import import_file_add
from apps.structures.services.likeness import LikenessRefused, campaign_like
from apps.structures.services.matches import matches_add
from apps.structures.services.references import reference_crystals_seed
from apps.structures.services.structures import structure_ids, structure_store, structures_record

__all__ = [
    "LikenessRefused",
    "Made",
    "Newcomer",
    "campaign_like",
    "candidate_exclude",
    "candidates_add",
    "duplicate_mark",
    "duplicate_undo",
    "exclusion_undo",
    "import_file_add",
    "matches_add",
    "numbering_lock",
    "reference_crystals_seed",
    "refusals_add",
    "rows_set",
    "structure_ids",
    "structure_rename",
    "structure_store",
    "structure_tag",
    "structures_record",
]
