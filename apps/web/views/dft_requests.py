"""A DFT request: the approver's card."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.dft import selectors
from apps.dft.selectors import pages
from apps.dft.services import request_comment
from apps.dft.states import Decision
from apps.reviews.selectors.dossiers import candidate_place
from apps.web.gate_page import inputs_context, one_method, token
from apps.web.page import page
from apps.web.views.campaigns import campaign_context


@require_GET
@page
def dft_request(request: HttpRequest, pk: int) -> HttpResponse:
    """What is asked for in full, what it costs, what it would decide, who decided."""
    found = selectors.request_get(request.user, pk)
    rows = list(selectors.calculations_visible(request.user).filter(request=found))
    chosen = _chosen(rows, request.GET.get("calculation", ""))
    waiting = [row for row in rows if row.state == Decision.PROPOSED]
    context = {
        **campaign_context(request, found.campaign, "dft"),
        "section": "approvals",
        "asked": found,
        "calculations": rows,
        "chosen": chosen,
        "comments": pages.comments_of(found),
        "budget": selectors.budget_of(found.campaign),
        "core_hours": sum(row.estimate for row in rows if row.state != Decision.VOIDED),
        "core_hours_waiting": sum(row.estimate for row in waiting),
        "waiting": waiting,
        "tokens": " ".join(token(row) for row in waiting),
        "history": min((row.history for row in rows), default=0),
        "one_method": one_method(rows),
        **(inputs_context(chosen) if chosen else {}),
    }
    context["why_not"] = _why_not(request.user, context)
    return render(request, "web/dft/request.html", context)


@require_GET
@page
def dft_request_place(request: HttpRequest, pk: int) -> HttpResponse:
    """The candidate's place on the map and its neighbours: a part of the card that loads by itself."""
    found = selectors.request_get(request.user, pk)
    place, selections = candidate_place(request.user, found.candidate_id) if found.candidate_id else (None, ())
    context = {"place": place, "selections": selections, "campaign": found.campaign, "row": found.candidate}
    return render(request, "web/candidate/place.html", context)


@require_POST
@page
def dft_request_comment(request: HttpRequest, pk: int) -> HttpResponse:
    """A word on a request."""
    found = selectors.request_get(request.user, pk)
    request_comment(request=found, user=request.user, text=request.POST.get("text", ""))
    messages.success(request, "Your comment is stored.")
    return redirect("dft-request", pk)


def _chosen(rows: list[Any], asked: str) -> Any:
    """The calculation whose crystal and inputs are shown: the one asked for, else the first."""
    wanted = int(asked) if asked.isdecimal() else 0
    return next((row for row in rows if row.pk == wanted), rows[0] if rows else None)


def _why_not(user: Any, context: dict[str, Any]) -> str:
    """Why the person may not approve what waits; '' where the buttons are shown."""
    if not context["waiting"]:
        return ""
    if "approve" not in context["may"]:
        return "To decide takes the role approver in the campaign."
    return selectors.why_not(user, context["waiting"][0])
