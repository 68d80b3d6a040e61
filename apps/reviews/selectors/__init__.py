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
from apps.reviews.selectors.exports import EXPORT_COLUMNS
from apps.reviews.selectors.filters import SORTS, CandidateFilter, order_by
from apps.reviews.selectors.ranking import ranked_table

__all__ = [
    "EXPORT_COLUMNS",
    "SORTS",
    "CandidateFilter",
    "InvalidQuery",
    "candidate_dossier",
    "candidate_lists",
    "candidates_list",
    "controls",
    "exports",
    "filter_names",
    "matching",
    "order_by",
    "ranked_table",
    "summaries",
]
