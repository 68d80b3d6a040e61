"""What people and steps do about DFT calculations."""

from apps.dft.services.budget import budget_grant, grant_revoke, own_approval_set
from apps.dft.services.decisions import (
    calculation_decide,
    calculation_retry,
    calculations_decide,
    request_approve_by_grant,
)
from apps.dft.services.proposing import (
    Asked,
    calculation_change,
    calculation_void,
    request_comment,
    request_propose,
)
from apps.dft.services.results import attempt_lost, calculation_ended, result_upload, upload_checked

__all__ = [
    "Asked",
    "attempt_lost",
    "budget_grant",
    "calculation_change",
    "calculation_decide",
    "calculation_ended",
    "calculation_retry",
    "calculation_void",
    "calculations_decide",
    "grant_revoke",
    "own_approval_set",
    "request_approve_by_grant",
    "request_comment",
    "request_propose",
    "result_upload",
    "upload_checked",
]
