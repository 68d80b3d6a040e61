"""What waits for a person's decision, the decision itself after a preview, and what a person proposed."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.core.errors import NotThere
from apps.dft import selectors
from apps.dft.errors import ReasonMissing
from apps.dft.selectors import pages
from apps.dft.services import calculation_void, calculations_decide
from apps.dft.states import Answer
from apps.web.gate_page import parsed, preview_context, waiting_requests
from apps.web.page import page
from apps.web.paging import paged

LAST_BATCH = "dft_batch"
"""Where the session keeps the batch that the person approved last."""
SAID = {Answer.APPROVE: "approved", Answer.DENY: "denied"}


@require_GET
@page
def approvals(request: HttpRequest) -> HttpResponse:
    """Requests with calculations that the person may decide on, oldest first."""
    waiting, shown = waiting_requests(request.user, request.GET.get("page"))
    context = {"section": "approvals", "waiting": waiting, "page": shown, "undoable": _undoable(request)}
    return render(request, "web/dft/approvals.html", context)


@require_GET
@page
def my_requests(request: HttpRequest) -> HttpResponse:
    """What the person proposed, newest first, with who decided."""
    rows = selectors.requests_visible(request.user).filter(proposed_by_id=request.user.pk)
    shown = paged(rows, request.GET.get("page"))
    decisions = pages.newest_decisions(shown.rows)
    for row in shown.rows:
        row.decision = decisions.get(row.pk)
    return render(request, "web/dft/mine.html", {"section": "approvals", "page": shown, "requests": shown.rows})


@require_POST
@page
def approvals_preview(request: HttpRequest) -> HttpResponse:
    """What the decision would do: how many, core-hours, what cannot go along; nothing is decided yet."""
    answer = _answer(request)
    context = preview_context(request.user, parsed(request.POST.getlist("shown")), answer)
    return render(request, "web/dft/preview.html", {**context, "back": request.POST.get("back", "")})


@require_POST
@page
def approvals_decide(request: HttpRequest) -> HttpResponse:
    """Approve or deny exactly what the preview showed, all or none."""
    answer, shown = _answer(request), parsed(request.POST.getlist("shown"))
    reason, back = request.POST.get("reason", ""), request.POST.get("back", "")
    try:
        decided = calculations_decide(shown=[*shown.items()], answer=answer, user=request.user, reason=reason)
    except ReasonMissing as missing:
        context = {**preview_context(request.user, shown, answer), "back": back, "problem": missing.message}
        return render(request, "web/dft/preview.html", context, status=missing.status)
    request.session[LAST_BATCH] = pages.batch_of(decided[0]) if answer == Answer.APPROVE else ""
    word = "calculation" if len(decided) == 1 else "calculations"
    messages.success(request, f"{len(decided)} {word} {SAID[answer]}.")
    return redirect("dft-request", int(back)) if back.isdecimal() else redirect("approvals")


@require_POST
@page
def approvals_undo(request: HttpRequest) -> HttpResponse:
    """Withdraw what the person approved last, as far as nothing of it has begun."""
    rows = _undoable(request)
    if not rows:
        raise NotThere("There is nothing to undo: it has begun, or somebody withdrew it.")
    for row in rows:
        calculation_void(calculation=row, user=request.user, reason="The approval was undone before it began.")
    request.session[LAST_BATCH] = ""
    messages.success(request, f"{len(rows)} withdrawn before anything of it began.")
    return redirect("approvals")


def _undoable(request: HttpRequest) -> list[Any]:
    batch = request.session.get(LAST_BATCH, "")
    return pages.undoable(request.user, batch) if batch else []


def _answer(request: HttpRequest) -> Answer:
    try:
        return Answer(request.POST.get("answer", ""))
    except ValueError as error:
        raise NotThere("There is no such answer: approve or deny.") from error
