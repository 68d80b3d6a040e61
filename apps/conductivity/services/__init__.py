"""What happens to plans, phonons and conductivities."""

from apps.conductivity.services.force_sets import ForceSetsRefused, accepted, force_sets_submit
from apps.conductivity.services.neighbours import neighbours_search_again
from apps.conductivity.services.plans import plan_retry, plan_start
from apps.conductivity.services.studies import studies_reconcile, study_cancel, study_retry, study_start
from apps.conductivity.services.validations import (
    validation_request,
    validation_resume,
    validations_advance,
    validations_after,
    validations_reconcile,
)

__all__ = [
    "ForceSetsRefused",
    "accepted",
    "force_sets_submit",
    "neighbours_search_again",
    "plan_retry",
    "plan_start",
    "studies_reconcile",
    "study_cancel",
    "study_retry",
    "study_start",
    "validation_request",
    "validation_resume",
    "validations_advance",
    "validations_after",
    "validations_reconcile",
]
