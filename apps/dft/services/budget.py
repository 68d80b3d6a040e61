"""The ledger of core-hours, and who may spend without asking."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from apps.campaigns.models import Campaign
from apps.campaigns.permissions import permit
from apps.core.errors import ApplicationError, Conflict
from apps.dft.errors import ReasonMissing, gate
from apps.dft.models import BudgetEntry, BudgetGrant, DftCalculation, EntryKind, GatePolicy
from apps.dft.selectors import budget_of, outstanding

MOST = 1e9
"""Core-hours of one grant."""


class AmountRefused(ApplicationError):
    """Not a number of core-hours that can be granted."""

    code = "amount_refused"


@transaction.atomic
def budget_grant(
    *, campaign: Campaign, core_hours: float, user: Any, automatic: bool = False, reason: str = ""
) -> BudgetGrant:
    """Give a campaign core-hours. Needs 'approve'; raises AmountRefused.

    `automatic`: labels are approved by themselves, in the name of the grantor, until it is revoked.
    """
    permit(user, "approve", campaign)
    if not 0 < core_hours <= MOST:
        raise AmountRefused(
            f"Grant more than 0 and at most {MOST:g} core-hours.", detail={"core_hours": "out of range"}
        )
    with gate():
        grant = BudgetGrant.objects.create(
            campaign=campaign, core_hours=core_hours, automatic=automatic, granted_by=user, reason=reason.strip()
        )
        BudgetEntry.objects.create(campaign=campaign, kind=EntryKind.GRANT, core_hours=core_hours, grant=grant)
    return grant


@transaction.atomic
def grant_revoke(*, grant: BudgetGrant, user: Any) -> BudgetGrant:
    """Take back what is left of a grant; what was consumed or is reserved stays. Needs 'approve'."""
    permit(user, "approve", grant.campaign)
    Campaign.objects.select_for_update().get(pk=grant.campaign_id)
    if not BudgetGrant.objects.filter(pk=grant.pk, revoked_at=None).update(revoked_at=Now(), revoked_by=user):
        raise Conflict("This grant was revoked before.")
    back = min(grant.core_hours, max(budget_of(grant.campaign).left, 0.0))
    if back > 0:
        BudgetEntry.objects.create(
            campaign=grant.campaign, kind=EntryKind.REVOKE, core_hours=-back, grant=grant, note="the unused rest"
        )
    grant.refresh_from_db()
    return grant


@transaction.atomic
def own_approval_set(*, campaign: Campaign, allowed: bool, user: Any, reason: str) -> GatePolicy:
    """Let proposers approve their own, or no more. Needs 'administer' and a reason, and stays on record."""
    permit(user, "administer", campaign)
    if not reason.strip():
        raise ReasonMissing("Say why: it stays on record.", detail={"reason": "is missing"})
    with gate():
        policy, _ = GatePolicy.objects.update_or_create(
            campaign=campaign, defaults={"own_approval": allowed, "changed_by": user, "reason": reason.strip()}
        )
    return policy


# --- for decisions and attempts ---------------------------------------------------------------------------------------


def reserve(calculation: DftCalculation) -> None:
    """What its approval takes from the balance."""
    _enter(calculation, EntryKind.RESERVE, -calculation.estimate, "its estimate")


def consume(calculation: DftCalculation, core_hours: float, note: str) -> None:
    """What an attempt took, out of what is reserved as far as that reaches."""
    if core_hours <= 0:
        return
    back = min(core_hours, outstanding(calculation))
    _enter(calculation, EntryKind.CONSUME, -core_hours, note)
    if back > 0:
        _enter(calculation, EntryKind.RELEASE, back, "used by the attempt")


def release(calculation: DftCalculation, note: str) -> None:
    """The unused rest of its reservation."""
    rest = outstanding(calculation)
    if rest > 0:
        _enter(calculation, EntryKind.RELEASE, rest, note)


def _enter(calculation: DftCalculation, kind: EntryKind, core_hours: float, note: str) -> None:
    BudgetEntry.objects.create(
        campaign_id=calculation.campaign_id, kind=kind, core_hours=core_hours, calculation=calculation, note=note[:200]
    )
