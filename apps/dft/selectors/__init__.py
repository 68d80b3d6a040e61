"""Questions about DFT calculations, who may decide on them, and what is left of a budget."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings as project
from django.db.models import Count, Prefetch, Q, QuerySet, Sum

from apps.campaigns.models import Campaign, Membership
from apps.campaigns.permissions import actions_of
from apps.campaigns.selectors import campaigns_visible
from apps.core.errors import NotThere
from apps.dft.estimates import History, covers
from apps.dft.models import (
    OPEN,
    Answer,
    Approval,
    BudgetEntry,
    BudgetGrant,
    Decision,
    DftCalculation,
    DftOutcome,
    DftRequest,
    EntryKind,
    GatePolicy,
    Purpose,
)
from apps.jobs.models import Job
from apps.jobs.selectors import nodes_present, why_waiting

CALCULATE, CHECK_UPLOAD = "calculate", "check_upload"
RECENT = 200
"""Finished calculations that an estimate looks back on."""


@dataclass(frozen=True)
class Budget:
    """Core-hours of a campaign: granted, consumed, reserved by approvals that are not used up, and what is left."""

    granted: float
    consumed: float
    reserved: float

    @property
    def left(self) -> float:
        return self.granted - self.consumed - self.reserved


@dataclass(frozen=True)
class Preview:
    """What a bulk decision would do: how many, core-hours together, what is left after it, and what cannot go along.

    `refused`: (calculation, why).
    """

    calculations: tuple[DftCalculation, ...]
    core_hours: float
    left_after: dict[int, float]
    refused: tuple[tuple[DftCalculation, str], ...]


def group_of(calculation: DftCalculation) -> str:
    """The group of a calculation's jobs: those of its campaign are cancelled with it."""
    return f"campaign:{calculation.campaign_id}:dft:{calculation.request_id}"


def jobs_of(calculation: DftCalculation) -> QuerySet[Job]:
    """Every job that computed it or read an upload for it, oldest first."""
    rows = Job.objects.filter(group=group_of(calculation), kind__in=(CALCULATE, CHECK_UPLOAD))
    return rows.filter(units=[str(calculation.pk)]).order_by("id")


def computes_here(engine: str) -> bool:
    """Whether this installation runs the engine itself; if not, results are uploaded."""
    return engine != "vasp" or bool(project.KAPPAWEB_VASP)


def history_of(engine: str) -> History:
    """Of the engine, on the machines whose workers take DFT now; of none where none of those finished any."""
    hosts = list(nodes_present(project.DFT_QUEUE).values_list("host", flat=True))
    rows = DftOutcome.objects.filter(calculation__engine=engine, source="computed", host__in=hosts).order_by("-id")
    found = list(rows.values_list("core_hours", "calculation__effort")[:RECENT])
    return History(len(found), sum(hours for hours, _ in found), sum(effort for _, effort in found))


def budget_of(campaign: Campaign) -> Budget:
    """The ledger summed up."""
    return budgets_of([campaign.pk])[campaign.pk]


def budgets_of(campaign_ids: Iterable[int]) -> dict[int, Budget]:
    """The ledgers of several campaigns summed up, by one query."""
    sums: dict[int, dict[str, float]] = {pk: {} for pk in campaign_ids}
    rows = BudgetEntry.objects.filter(campaign__in=sums).order_by().values_list("campaign_id", "kind")
    for pk, kind, total in rows.annotate(Sum("core_hours")):
        sums[pk][kind] = total
    return {pk: _budget(found) for pk, found in sums.items()}


def _budget(sums: dict[str, float]) -> Budget:
    granted = sums.get(EntryKind.GRANT, 0.0) + sums.get(EntryKind.REVOKE, 0.0)
    reserved = 0.0 - (sums.get(EntryKind.RESERVE, 0.0) + sums.get(EntryKind.RELEASE, 0.0))
    return Budget(granted, 0.0 - sums.get(EntryKind.CONSUME, 0.0), reserved)


def outstanding(calculation: DftCalculation) -> float:
    """Core-hours that are still reserved for it."""
    kinds = (EntryKind.RESERVE, EntryKind.RELEASE)
    rows = BudgetEntry.objects.filter(calculation=calculation, kind__in=kinds)
    return -(rows.aggregate(total=Sum("core_hours"))["total"] or 0.0)


def consumed(calculation: DftCalculation) -> float:
    """Core-hours that its attempts took."""
    rows = BudgetEntry.objects.filter(calculation=calculation, kind=EntryKind.CONSUME)
    return -(rows.aggregate(total=Sum("core_hours"))["total"] or 0.0)


def grants_of(campaign: Campaign) -> QuerySet[BudgetGrant]:
    """Newest first."""
    return BudgetGrant.objects.filter(campaign=campaign).select_related("granted_by", "revoked_by").order_by("-id")


def ledger_of(campaign: Campaign) -> QuerySet[BudgetEntry]:
    """Newest first."""
    rows = BudgetEntry.objects.filter(campaign=campaign).select_related("calculation__request", "grant__granted_by")
    return rows.order_by("-id")


def own_approval_allowed(campaign: Campaign) -> bool:
    """Whether proposers may approve their own here."""
    return GatePolicy.objects.filter(campaign=campaign, own_approval=True).exists()


def policy_of(campaign: Campaign) -> GatePolicy | None:
    """The campaign's exception, if somebody made one."""
    return GatePolicy.objects.filter(campaign=campaign).select_related("changed_by").first()


def requests_visible(user: Any) -> QuerySet[DftRequest]:
    """Requests of campaigns that `user` may see, newest first, with counts by decision."""
    counts = {
        f"n_{state.lower()}": Count("calculations", filter=Q(calculations__state=state)) for state in Decision.values
    }
    rows = DftRequest.objects.filter(campaign__in=campaigns_visible(user)).select_related(
        "campaign", "candidate", "proposed_by"
    )
    return rows.annotate(**counts).order_by("-id")


def request_get(user: Any, request_id: int) -> DftRequest:
    """A request that `user` may see; raises NotThere."""
    found = requests_visible(user).filter(pk=request_id).first()
    if found is None:
        raise NotThere("There is no such DFT request.")
    return found


def calculations_visible(user: Any) -> QuerySet[DftCalculation]:
    """Calculations of campaigns that `user` may see, in their order, with decisions and outcome."""
    decisions = Approval.objects.select_related("decided_by", "grant").order_by("-id")
    rows = DftCalculation.objects.filter(campaign__in=campaigns_visible(user))
    joined = ("request__candidate", "campaign", "structure", "proposed_by", "outcome")
    return (
        rows.select_related(*joined).prefetch_related(Prefetch("decisions", decisions)).order_by("request_id", "order")
    )


def calculation_get(user: Any, calculation_id: int) -> DftCalculation:
    """A calculation that `user` may see; raises NotThere."""
    found = calculations_visible(user).filter(pk=calculation_id).first()
    if found is None:
        raise NotThere("There is no such DFT calculation.")
    return found


def calculations_for(user: Any) -> QuerySet[DftCalculation]:
    """What waits for a decision that `user` may make, oldest request first."""
    rows = calculations_visible(user).filter(state=Decision.PROPOSED)
    if not user.is_superuser:
        mine = Membership.objects.filter(user_id=user.pk, roles__contains=["approver"])
        rows = rows.filter(campaign_id__in=mine.values("campaign_id"))
    own = GatePolicy.objects.filter(own_approval=True).values("campaign_id")
    return rows.filter(~Q(proposed_by_id=user.pk) | Q(campaign_id__in=own))


def why_not(user: Any, calculation: DftCalculation) -> str:
    """Why `user` may not approve it now, in one sentence; '' when nothing stands against it (the budget aside)."""
    place = _place(user, calculation.campaign)
    return _against(user, calculation, place, denied_before(calculation), Answer.APPROVE)


def denied_before(calculation: DftCalculation) -> bool:
    """Whether exactly these inputs were denied in this campaign, or in one that shares its descent."""
    rows = Approval.objects.filter(answer="deny", inputs_sha256=calculation.inputs_sha256)
    return rows.filter(calculation__lineage_id=calculation.lineage_id).exists()


def decided_words(calculation: DftCalculation) -> str:
    """Who decided on it, when and why."""
    last = calculation.decisions.select_related("decided_by").order_by("-id").first()
    if last is None:
        return f"It is {calculation.get_state_display()}."
    why = f": {last.reason}" if last.reason else ""
    return f"{last.get_answer_display().capitalize()} by {last.decided_by} at {last.created_at:%Y-%m-%d %H:%M} UTC{why}"


def preview(user: Any, calculations: Iterable[DftCalculation], answer: str = Answer.APPROVE) -> Preview:
    """What giving all of these this answer would do; nothing is changed."""
    rows = list(calculations)
    campaigns = {row.campaign_id: row.campaign for row in rows}
    places = {pk: _place(user, campaign) for pk, campaign in campaigns.items()}
    left = {pk: budget.left for pk, budget in budgets_of(places).items()}
    denied = _denied(rows)
    taken: list[DftCalculation] = []
    refused: list[tuple[DftCalculation, str]] = []
    for row in rows:
        why = _against(user, row, places[row.campaign_id], row.inputs_sha256 in denied.get(row.lineage_id, ()), answer)
        if not why and answer == Answer.APPROVE and not covers(left[row.campaign_id], row.estimate):
            why = f"The budget of “{row.campaign.name}” does not cover it."
        if why:
            refused.append((row, why))
            continue
        if answer == Answer.APPROVE:
            left[row.campaign_id] -= row.estimate
        taken.append(row)
    return Preview(tuple(taken), sum(c.estimate for c in taken), left, tuple(refused))


def _place(user: Any, campaign: Campaign) -> tuple[bool, bool]:
    """Whether `user` decides in the campaign, and whether proposers may approve their own there."""
    return "approve" in actions_of(user, campaign), own_approval_allowed(campaign)


def _denied(rows: Iterable[DftCalculation]) -> dict[int | None, set[str]]:
    """lineage → those of the inputs that were denied in it."""
    found: dict[int | None, set[str]] = {}
    denials = Approval.objects.filter(answer=Answer.DENY, inputs_sha256__in={row.inputs_sha256 for row in rows})
    for lineage, digest in denials.values_list("calculation__lineage_id", "inputs_sha256"):
        found.setdefault(lineage, set()).add(digest)
    return found


def _against(user: Any, row: DftCalculation, place: tuple[bool, bool], denied: bool, answer: str) -> str:
    decides, own = place
    if row.state != Decision.PROPOSED:
        return decided_words(row)
    if not decides:
        return "To decide takes the role approver in the campaign."
    if answer == Answer.APPROVE and row.proposed_by_id == user.pk and not own:
        return "Who proposed it may not approve it."
    if answer == Answer.APPROVE and denied:
        return "These inputs were denied before, and that is final."
    return ""


def open_calculations(campaign: Campaign, key: str) -> QuerySet[DftCalculation]:
    """Those of a request that are neither decided for good nor over."""
    return DftCalculation.objects.filter(campaign=campaign, request__key=key, state__in=OPEN)


def why_open(campaign: Campaign, key: str) -> str:
    """Why a request is not over, in one sentence; '' when it is."""
    rows = list(open_calculations(campaign, key))
    asked = [row for row in rows if row.state == Decision.PROPOSED]
    if asked:
        hours = sum(row.estimate for row in asked)
        word = "calculation waits" if len(asked) == 1 else "calculations wait"
        return (
            f"{len(asked)} DFT {word} for approval (about {hours:.3g} core-hours, {budget_of(campaign).left:.3g} left)."
        )
    if not rows:
        return ""
    if not computes_here(rows[0].engine):
        return f"{len(rows)} approved: download the inputs, compute them, and upload each vasprun.xml."
    newest = jobs_of(rows[0]).last()
    waits = why_waiting(newest) if newest else ""
    word = "calculation is" if len(rows) == 1 else "calculations are"
    return f"{len(rows)} DFT {word} approved and not finished. {waits}".strip()


def outcomes_of_purpose(campaign: Campaign, purpose: str = Purpose.LABEL) -> QuerySet[DftOutcome]:
    """Results of done calculations, in order."""
    rows = DftOutcome.objects.filter(
        calculation__campaign=campaign, calculation__request__purpose=purpose, calculation__state=Decision.DONE
    )
    return rows.select_related("calculation__request", "calculation__structure").order_by("calculation_id")
