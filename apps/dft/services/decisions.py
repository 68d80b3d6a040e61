"""Deciding: each a compare-and-set on the version that was shown, entered in the ledger, queued by the one door."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction

from apps.campaigns.models import Campaign
from apps.campaigns.permissions import permit
from apps.core.errors import Conflict
from apps.dft.errors import AlreadyDecided, BudgetSpent, GateRefused, ReasonMissing, gate
from apps.dft.estimates import covers
from apps.dft.models import Answer, Approval, BudgetGrant, Decision, DftCalculation, DftRequest, Purpose
from apps.dft.selectors import budget_of, decided_words, jobs_of, own_approval_allowed
from apps.dft.services import budget
from apps.dft.services.running import calculation_enqueue

Shown = tuple[int, int]
"""A calculation's id and the version that the person saw."""


@transaction.atomic
def calculations_decide(
    *, shown: Sequence[Shown], answer: str, user: Any, reason: str = ""
) -> tuple[DftCalculation, ...]:
    """Approve or deny all of these or none, as one batch.

    Raises NotAllowed without the role, AlreadyDecided where somebody was quicker or the inputs changed, GateRefused for
    who may not decide on his own proposal, BudgetSpent, ReasonMissing for a denial without one.
    """
    if answer == Answer.DENY and not reason.strip():
        raise ReasonMissing("Say why it is denied: that is final.", detail={"reason": "is missing"})
    batch = uuid.uuid4()
    return tuple(_decided(pk, version, Answer(answer), user, reason.strip(), batch) for pk, version in sorted(shown))


def calculation_decide(
    *, calculation: DftCalculation, version: int, answer: str, user: Any, reason: str = ""
) -> DftCalculation:
    """calculations_decide for one."""
    (decided,) = calculations_decide(shown=[(calculation.pk, version)], answer=answer, user=user, reason=reason)
    return decided


@transaction.atomic
def request_approve_by_grant(*, request: DftRequest) -> int:
    """Approve what waits in a request for labels as far as a living automatic grant reaches; how many that were.

    The approval names the grant, and its grantor as who decided.
    """
    grants = BudgetGrant.objects.filter(campaign=request.campaign, automatic=True, revoked_at=None)
    grant = grants.select_related("granted_by").order_by("-id").first()
    if grant is None or request.purpose != Purpose.LABEL:
        return 0
    waiting = request.calculations.filter(state=Decision.PROPOSED).order_by("order")
    return sum(_approved_by(grant, calculation) for calculation in waiting)


@transaction.atomic
def calculation_retry(*, calculation: DftCalculation, user: Any) -> DftCalculation:
    """Try a failed one again under its living approval: the same inputs. Needs 'operate'."""
    permit(user, "operate", calculation.campaign)
    Campaign.objects.select_for_update().get(pk=calculation.campaign_id)
    if not covers(budget_of(calculation.campaign).left, calculation.estimate):
        raise BudgetSpent("The campaign's core-hours do not cover another attempt: ask an approver for more.")
    with gate():
        again = DftCalculation.objects.filter(pk=calculation.pk, state=Decision.FAILED)
        if not again.update(state=Decision.APPROVED, failure="", message=""):
            raise Conflict("Only a failed calculation can be tried again.")
        calculation.refresh_from_db()
        budget.reserve(calculation)
    calculation_enqueue(calculation, number=jobs_of(calculation).count())
    return calculation


def _approved_by(grant: BudgetGrant, calculation: DftCalculation) -> bool:
    """Whether the grant let it in; what it does not cover waits for a person."""
    if not covers(budget_of(calculation.campaign).left, calculation.estimate):
        return False
    if grant.granted_by_id == calculation.proposed_by_id and not own_approval_allowed(calculation.campaign):
        return False
    reason = f"By the grant of {grant.core_hours:g} core-hours from {grant.created_at:%Y-%m-%d}."
    _answer(calculation, Answer.APPROVE, grant.granted_by, reason, uuid.uuid4(), grant)
    return True


def _decided(pk: int, version: int, answer: Answer, user: Any, reason: str, batch: uuid.UUID) -> DftCalculation:
    rows = DftCalculation.objects.select_related("campaign", "request")
    calculation = rows.select_for_update(of=("self",)).filter(pk=pk).first()
    if calculation is None:
        raise Conflict("There is no such calculation.")
    permit(user, "approve", calculation.campaign)
    if calculation.state != Decision.PROPOSED:
        raise AlreadyDecided(decided_words(calculation))
    if calculation.version != version:
        raise AlreadyDecided("Its inputs changed since they were shown: look at them again.")
    _answer(calculation, answer, user, reason, batch, None)
    return calculation


def _answer(
    calculation: DftCalculation,
    answer: Answer,
    user: Any,
    reason: str,
    batch: uuid.UUID,
    grant: BudgetGrant | None,
) -> None:
    approved = answer == Answer.APPROVE
    if approved:
        _covered(calculation)
    try:
        with gate():
            Approval.objects.create(
                calculation=calculation,
                inputs_sha256=calculation.inputs_sha256,
                answer=answer,
                decided_by=user,
                grant=grant,
                batch=batch,
                reason=reason,
            )
            if approved:
                budget.reserve(calculation)
            state = Decision.APPROVED if approved else Decision.DENIED
            moved = DftCalculation.objects.filter(pk=calculation.pk, state=Decision.PROPOSED).update(state=state)
    except IntegrityError as error:
        raise AlreadyDecided(decided_words(calculation)) from error
    if not moved:
        raise GateRefused("It does not wait for a decision any more.")
    calculation.refresh_from_db()
    if approved:
        calculation_enqueue(calculation, number=0)


def _covered(calculation: DftCalculation) -> None:
    Campaign.objects.select_for_update().get(pk=calculation.campaign_id)
    left = budget_of(calculation.campaign).left
    if not covers(left, calculation.estimate):
        raise BudgetSpent(
            f"“{calculation.campaign.name}” has {left:.3g} core-hours left, this takes about "
            f"{calculation.estimate:.3g}: grant more, or approve fewer."
        )
