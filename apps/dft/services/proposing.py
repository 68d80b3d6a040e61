"""Asking for DFT: a request and its calculations, which then wait; changing what was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now

from apps.campaigns.models import Campaign
from apps.campaigns.permissions import actions_of, permit
from apps.core.errors import Conflict, NotAllowed
from apps.dft.errors import AlreadyDecided, ReasonMissing, gate
from apps.dft.estimates import History, estimated_core_hours
from apps.dft.models import Approval, Decision, DftCalculation, DftComment, DftRequest
from apps.dft.selectors import history_of, jobs_of
from apps.dft.services import budget
from apps.jobs import services as jobs
from apps.jobs.states import OPEN as OPEN_JOBS
from apps.structures.models import Candidate
from apps.structures.services import structures_record
from kappakit.dft import DftTask, effort
from kappakit.protocol import DftRunSettings, DftSettings, Protocol, ProtocolError


@dataclass(frozen=True)
class Asked:
    """What a request is about. `key`: once in a campaign; `decides`: what its results would decide, for people."""

    purpose: str
    key: str
    title: str
    decides: str
    candidate: Candidate | None = None
    sweep: int = 0
    iteration: int = 0
    uncertainty: float | None = None


@transaction.atomic
def request_propose(
    *,
    campaign: Campaign,
    asked: Asked,
    tasks: Sequence[tuple[str, DftTask]],
    run: DftRunSettings,
    proposed_by: Any,
) -> DftRequest:
    """A request with one PROPOSED calculation for each (label, task); the old one where `key` asked before."""
    found = DftRequest.objects.filter(campaign=campaign, key=asked.key).first()
    if found is not None:
        return found
    request = DftRequest.objects.create(
        campaign=campaign, settings=asdict(tasks[0][1].settings), proposed_by=proposed_by, **_columns(asked)
    )
    history = history_of(tasks[0][1].settings.engine)
    structures = structures_record([task.crystal for _, task in tasks])
    rows = [
        _row(request, order, label, task, run, history, structure_id=structure.pk)
        for order, ((label, task), structure) in enumerate(zip(tasks, structures, strict=True))
    ]
    with gate():
        DftCalculation.objects.bulk_create(rows)
    return request


@transaction.atomic
def calculation_change(
    *, calculation: DftCalculation, version: int, user: Any, changes: dict[str, Any], reason: str = ""
) -> DftCalculation:
    """Other DFT settings, which is another proposal: a waiting one is rewritten, an approved or failed one is voided
    and a new one proposed by `user`. Needs 'operate'; raises AlreadyDecided when it changed since it was shown.
    """
    permit(user, "operate", calculation.campaign)
    task = _changed(calculation, changes)
    if calculation.state == Decision.PROPOSED:
        return _rewritten(calculation, version, task)
    if calculation.state not in (Decision.APPROVED, Decision.FAILED):
        raise Conflict(f"It is {calculation.get_state_display()}: propose another one.")
    calculation_void(calculation=calculation, user=user, reason=reason or "Its settings were changed.")
    newest = DftCalculation.objects.filter(request=calculation.request, order=calculation.order)
    row = _row(
        calculation.request,
        calculation.order,
        calculation.label,
        task,
        DftRunSettings(**calculation.run),
        history_of(task.settings.engine),
        structure_id=calculation.structure_id,
    )
    row.version = (newest.aggregate(most=Max("version"))["most"] or 0) + 1
    row.replaces, row.proposed_by = calculation, user
    with gate():
        row.save()
    row.refresh_from_db()
    return row


@transaction.atomic
def calculation_void(*, calculation: DftCalculation, user: Any, reason: str) -> DftCalculation:
    """Withdraw it: its approval is void, the rest of its reservation is released, its job cancelled.

    Needs 'operate' or 'approve' and a reason; raises Conflict when it is done, denied or void already.
    """
    if not actions_of(user, calculation.campaign) & {"operate", "approve"}:
        raise NotAllowed("To withdraw it takes the role operator or approver.")
    if not reason.strip():
        raise ReasonMissing("Say why it is withdrawn.", detail={"reason": "is missing"})
    froms = (Decision.PROPOSED, Decision.APPROVED, Decision.FAILED)
    with gate():
        moved = DftCalculation.objects.filter(pk=calculation.pk, state__in=froms).update(
            state=Decision.VOIDED, message=f"{user}: {reason.strip()}"
        )
    if not moved:
        calculation.refresh_from_db()
        raise Conflict(f"It is {calculation.get_state_display()} and stays so.")
    living = Approval.objects.filter(calculation=calculation, answer="approve", voided_at=None)
    living.update(voided_at=Now(), void_reason=reason.strip())
    jobs.cancel(jobs=jobs_of(calculation).filter(state__in=OPEN_JOBS))
    budget.release(calculation, "voided")
    calculation.refresh_from_db()
    return calculation


def request_comment(*, request: DftRequest, user: Any, text: str) -> DftComment:
    """Say something on a request; whoever may see it may."""
    permit(user, "view", request.campaign)
    if not text.strip():
        raise ReasonMissing("Please give a comment.", detail={"text": "is missing"})
    return DftComment.objects.create(request=request, author=user, text=text.strip())


def _columns(asked: Asked) -> dict[str, Any]:
    names = ("purpose", "key", "title", "decides", "candidate", "sweep", "iteration", "uncertainty")
    return {name: getattr(asked, name) for name in names}


def _row(
    request: DftRequest,
    order: int,
    label: str,
    task: DftTask,
    run: DftRunSettings,
    history: History,
    *,
    structure_id: int,
) -> DftCalculation:
    size = effort(task)
    return DftCalculation(
        request=request,
        campaign_id=request.campaign_id,
        label=label,
        order=order,
        structure_id=structure_id,
        engine=task.settings.engine,
        task=task.task,
        inputs=task.text(),
        run=asdict(run),
        effort=size,
        estimate=estimated_core_hours(task.settings.engine, size, history),
        history=history.count,
        proposed_by=request.proposed_by,
    )


def _changed(calculation: DftCalculation, changes: dict[str, Any]) -> DftTask:
    """The task with some of its settings changed; raises InputRefused through the protocol's own checks."""
    task = DftTask.from_text(calculation.inputs)
    try:
        checked = Protocol.from_dict({"dft": asdict(task.settings) | changes}).dft
    except ProtocolError as error:
        raise ReasonMissing(str(error), code="settings_refused", detail=dict(error.problems)) from error
    if checked.engine != task.settings.engine:
        raise Conflict("Another engine is another request.")
    return replace(task, settings=DftSettings(**asdict(checked)))


def _rewritten(calculation: DftCalculation, version: int, task: DftTask) -> DftCalculation:
    size = effort(task)
    history = history_of(calculation.engine)
    changes = {
        "inputs": task.text(),
        "effort": size,
        "estimate": estimated_core_hours(calculation.engine, size, history),
        "history": history.count,
        "version": version + 1,
    }
    rows = DftCalculation.objects.filter(pk=calculation.pk, version=version, state=Decision.PROPOSED)
    with gate():
        if not rows.update(**changes):
            raise AlreadyDecided("It changed since it was shown: look at it again.")
    calculation.refresh_from_db()
    return calculation
