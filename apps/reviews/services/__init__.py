"""What people decide about candidates, and the summaries that follow from everything."""

from apps.reviews.services.curation import (
    candidate_exclude,
    duplicate_mark,
    duplicate_undo,
    exclusion_undo,
    structure_rename,
    structure_tag,
)
from apps.reviews.services.exports import ExportRefused, export_request, export_retry
from apps.reviews.services.lists import list_add, list_archive, list_create, list_remove
from apps.reviews.services.opinions import (
    TextRefused,
    candidate_comment,
    candidate_reject,
    candidate_shortlist,
    verdict_withdraw,
)
from apps.reviews.services.plans import plan_retry, plan_start
from apps.reviews.services.summaries import candidate_summaries_refresh, summaries_rebuild
from apps.reviews.services.validations import candidate_validation_request, candidate_validation_resume

__all__ = [
    "ExportRefused",
    "TextRefused",
    "candidate_comment",
    "candidate_exclude",
    "candidate_reject",
    "candidate_shortlist",
    "candidate_summaries_refresh",
    "candidate_validation_request",
    "candidate_validation_resume",
    "duplicate_mark",
    "duplicate_undo",
    "exclusion_undo",
    "export_request",
    "export_retry",
    "list_add",
    "list_archive",
    "list_create",
    "list_remove",
    "plan_retry",
    "plan_start",
    "structure_rename",
    "structure_tag",
    "summaries_rebuild",
    "verdict_withdraw",
]
