"""The read path of the house: what page, REST, admin and export show of candidates."""

from apps.reviews.selectors.candidates import (
    InvalidQuery,
    candidate_lists,
    candidates_list,
    exports,
    filter_names,
    matching,
    summaries,
)
from apps.reviews.selectors.controls import controls
from apps.reviews.selectors.dossiers import candidate_dossier
from apps.reviews.selectors.ranking import ranked_table

__all__ = [
    "InvalidQuery",
    "candidate_dossier",
    "candidate_lists",
    "candidates_list",
    "controls",
    "exports",
    "filter_names",
    "matching",
    "ranked_table",
    "summaries",
]
