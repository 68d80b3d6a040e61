"""What the pages of the gate ask beside: counts, comments, files, what may be undone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Prefetch, QuerySet

from apps.dft.models import Approval, Decision, DftCalculation, DftComment, DftFile, DftRequest
from apps.dft.selectors import CALCULATE, calculations_for, calculations_visible, group_of, jobs_of
from apps.jobs.models import Attempt, Job

MOST_COUNTED = 1000
"""A person's approvals are counted no further."""


def waiting_count(user: Any) -> int:
    """How many calculations wait for a decision that `user` may make, at most MOST_COUNTED; one query."""
    return calculations_for(user).order_by()[:MOST_COUNTED].count()


def batch_of(calculation: DftCalculation) -> str:
    """The batch of its newest decision."""
    newest = calculation.decisions.order_by("-id").first()
    return str(newest.batch) if newest else ""


def undoable(user: Any, batch: str) -> list[DftCalculation]:
    """What `user` approved in this batch, with nothing computed of it yet."""
    given = Approval.objects.filter(batch=batch, decided_by_id=user.pk, grant=None, voided_at=None)
    rows = list(calculations_visible(user).filter(decisions__in=given, state=Decision.APPROVED))
    groups = {group_of(row) for row in rows}
    begun = Attempt.objects.filter(job__group__in=groups, job__kind=CALCULATE).values_list("job__units", flat=True)
    started = {units[0] for units in begun}
    return [row for row in rows if str(row.pk) not in started]


def comments_of(request: DftRequest) -> QuerySet[DftComment]:
    """Oldest first."""
    return DftComment.objects.filter(request=request).select_related("author").order_by("id")


def newest_decisions(requests: Iterable[DftRequest]) -> dict[int, Approval]:
    """request → the newest decision on one of its calculations."""
    rows = Approval.objects.filter(calculation__request__in=[row.pk for row in requests]).order_by("id")
    return {row.calculation.request_id: row for row in rows.select_related("decided_by", "calculation")}


def jobs_with_attempts(calculation: DftCalculation) -> QuerySet[Job]:
    """jobs_of with their attempts, newest first."""
    return (
        jobs_of(calculation).order_by("-id").prefetch_related(Prefetch("attempts", Attempt.objects.order_by("-number")))
    )


def files_of(calculation: DftCalculation) -> list[DftFile]:
    """Newest first."""
    return list(DftFile.objects.filter(calculation=calculation).select_related("artifact", "added_by").order_by("-id"))


def replacement_of(calculation: DftCalculation) -> DftCalculation | None:
    """What was proposed in its place."""
    return DftCalculation.objects.filter(replaces=calculation).order_by("-id").first()
