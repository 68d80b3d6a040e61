"""What reviewers say of a candidate. Nothing is taken back by deleting: a verdict is withdrawn by another word."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from apps.campaigns.permissions import permit
from apps.core.errors import ApplicationError
from apps.reviews.models import Review, ReviewKind
from apps.reviews.services.summaries import candidate_summaries_refresh
from apps.structures.models import Candidate

LONGEST = 10_000
"""Characters of a review."""


class TextRefused(ApplicationError):
    """A reason or a comment is missing, or far too long."""

    code = "text_refused"
    status = 400


def candidate_shortlist(*, candidate: Candidate, user: Any, text: str = "") -> Review:
    """Shortlist. Needs 'review'."""
    return _say(ReviewKind.SHORTLIST, candidate, user, text)


def candidate_reject(*, candidate: Candidate, user: Any, text: str) -> Review:
    """Reject, with the reason. Needs 'review'; raises TextRefused without a reason."""
    return _say(ReviewKind.REJECT, candidate, user, worded(text, "a reason"))


def verdict_withdraw(*, candidate: Candidate, user: Any, text: str = "") -> Review:
    """Neither shortlisted nor rejected any more. Needs 'review'."""
    return _say(ReviewKind.RESET, candidate, user, text)


def candidate_comment(*, candidate: Candidate, user: Any, text: str) -> Review:
    """Say something; the verdict stays. Needs 'review'; raises TextRefused for an empty comment."""
    return _say(ReviewKind.COMMENT, candidate, user, worded(text, "a comment"))


def worded(text: str, what: str) -> str:
    """`text` without blanks around it; raises TextRefused when nothing is left."""
    if not text.strip():
        raise TextRefused(f"Please give {what}.", detail={"text": f"{what} is missing"})
    return text.strip()


@transaction.atomic
def _say(kind: ReviewKind, candidate: Candidate, user: Any, text: str) -> Review:
    permit(user, "review", candidate.campaign)
    if len(text) > LONGEST:
        raise TextRefused(f"That is longer than {LONGEST} characters.", detail={"text": "too long"})
    review = Review.objects.create(candidate=candidate, author=user, kind=kind, text=text)
    candidate_summaries_refresh([candidate.pk])
    return review
