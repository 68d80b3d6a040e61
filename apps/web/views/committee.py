"""A campaign's committees: what they disagree about, what they asked, what it changed."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from apps.campaigns.selectors import campaign_get, steps_of
from apps.committees.selectors.history import CommitteeHistory
from apps.committees.selectors.pages import committee_history
from apps.committees.services.labels import labels_add
from apps.core import clock
from apps.web.campaign_page import why_waiting
from apps.web.figures.committee import calibration, errors_by_iteration, highest_by_iteration, uncertainty_by_iteration
from apps.web.live import embedded, fragment
from apps.web.page import page
from apps.web.uploads import on_disk
from apps.web.views.campaigns import campaign_context

PROGRESS = "web/campaign/committee_progress.html"
STILL_ABOVE_SHOWN = 200


@require_GET
@page
def committee(request: HttpRequest, pk: int) -> HttpResponse:
    """Why the loop stopped or what it waits for, figures, errors, iterations, what is still above the threshold."""
    found = campaign_get(request.user, pk)
    shown = campaign_context(request, found, "committee")
    context, live = _progress(found)
    progress = embedded(request, PROGRESS, {**shown, **context}, live=live)
    return render(request, "web/campaign/committee.html", {**shown, **progress})


@require_GET
@page
def committee_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """All of it, asked for while the campaign runs."""
    found = campaign_get(request.user, pk)
    context, live = _progress(found)
    return fragment(request, PROGRESS, {**campaign_context(request, found, "committee"), **context}, live=live)


@require_POST
@page
def labels(request: HttpRequest, pk: int) -> HttpResponse:
    """Labelled configurations that a draft's committee begins with."""
    found = campaign_get(request.user, pk)
    upload = request.FILES.get("labels")
    if upload is None:
        messages.error(request, "Choose a file of labelled configurations.")
        return redirect("campaign", pk)
    with on_disk(upload) as content:
        labels_add(campaign=found, file_name=upload.name or "", content=content, user=request.user)
    messages.success(request, f"{upload.name} is stored; it is read when the campaign runs.")
    return redirect("campaign", pk)


def _progress(found: Any) -> tuple[dict[str, Any], bool]:
    history = committee_history(found)
    context = {
        "history": history,
        "newest": history.newest,
        "stopped": [row for row in history.iterations if row.stopped],
        "why_waiting": why_waiting(found, steps_of(found, now=clock.now())),
        "still_above": history.still_above[:STILL_ABOVE_SHOWN],
        "figures": _figures(history),
        "errors": _errors(history),
    }
    return context, found.state == "RUNNING"


def _figures(history: CommitteeHistory) -> dict[str, Any]:
    """Those that something is known for."""
    figures: dict[str, Any] = {}
    if any(row.points for row in history.iterations):
        urls = {pk: reverse("candidate", args=[pk]) for pk in history.names}
        figures["everyone"] = uncertainty_by_iteration(history, urls)
        figures["highest"] = highest_by_iteration(history)
    if any(row.calibration for row in history.iterations):
        figures["errors"] = errors_by_iteration(history)
    if history.reliability:
        figures["calibration"] = calibration(history.reliability, history.criterion)
    return figures


def _errors(history: CommitteeHistory) -> list[dict[str, Any]]:
    """The newest members beside their own errors on the test set; one left out has none."""
    measured = next((row for row in reversed(history.iterations) if row.calibration), None)
    members = (measured or history.newest).members if history.newest else ()
    told = measured.calibration if measured else None
    errors = iter(zip(told.member_energy_mae, told.member_force_rmse, strict=True)) if told else iter(())
    return [
        {"member": member, "energy_mae": energy, "force_rmse": force}
        for member in members
        for energy, force in [next(errors, (None, None)) if member.model_id else (None, None)]
    ]
