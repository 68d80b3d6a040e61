"""A reviewer asks for a validation by DFT, or for one that stopped to go on."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from apps.conductivity import services as conductivity
from apps.conductivity.models import Validation
from apps.reviews.services.summaries import candidate_summaries_refresh
from apps.structures.models import Candidate


@transaction.atomic
def candidate_validation_request(*, candidate: Candidate, user: Any, part: str = "harmonic") -> Validation:
    """Ask for the DFT validation of a candidate. Raises as conductivity.services.validation_request."""
    made = conductivity.validation_request(candidate=candidate, user=user, part=part)
    candidate_summaries_refresh([candidate.pk])
    return made


@transaction.atomic
def candidate_validation_resume(*, validation: Validation, user: Any) -> Validation:
    """Go on with one that stopped. Raises as conductivity.services.validation_resume."""
    found = conductivity.validation_resume(validation=validation, user=user)
    candidate_summaries_refresh([found.candidate_id])
    return found
