"""One candidate: everything known of it, its files, and what reviewers say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.campaigns.permissions import can_create
from apps.conductivity.selectors import validation_get
from apps.core.errors import NotThere
from apps.reviews import services
from apps.reviews.selectors import candidate_dossier
from apps.reviews.selectors.dossiers import candidate_page, candidate_place, candidate_validations
from apps.reviews.selectors.programs import lists_visible, plan_visible
from apps.structures.selectors import candidate_get
from apps.training.selectors import likeness_possible
from apps.web.candidate_page import dossier_json, figures_of, tensor_rows, validation_rows, written
from apps.web.files import attachment, stored_file
from apps.web.page import page

PARTS = ("harmonic", "anharmonic")
VERDICTS: dict[str, Callable[..., Any]] = {
    "shortlist": services.candidate_shortlist,
    "reject": services.candidate_reject,
    "reset": services.verdict_withdraw,
    "comment": services.candidate_comment,
}
SAID = {
    "shortlist": "Shortlisted.",
    "reject": "Rejected, with your reason.",
    "reset": "The verdict is withdrawn.",
    "comment": "Your comment is stored.",
}


@require_GET
@page
def candidate(request: HttpRequest, pk: int) -> HttpResponse:
    """The dossier as a page."""
    dossier, found, may = candidate_page(request.user, pk)
    context = {
        "section": "campaigns",
        "tab": "candidates",
        "campaign": found,
        "d": dossier,
        "may": may,
        "lists": lists_visible(request.user).filter(campaign=found).order_by("name") if "review" in may else [],
        "tensors": tensor_rows(dossier),
        **figures_of(dossier),
    }
    return render(request, "web/candidate/page.html", context)


@require_GET
@page
def candidate_place_part(request: HttpRequest, pk: int) -> HttpResponse:
    """Its place on the map, nearest neighbours and selections: a part of the page that loads by itself."""
    place, selections = candidate_place(request.user, pk)
    row = candidate_get(request.user, pk)
    may_generate = can_create(request.user) and likeness_possible(row.start.chemical_system)
    context = {
        "place": place,
        "selections": selections,
        "campaign": row.campaign,
        "row": row,
        "may_generate": may_generate,
    }
    return render(request, "web/candidate/place.html", context)


@require_GET
@page
def candidate_validation_part(request: HttpRequest, pk: int) -> HttpResponse:
    """Its validations by DFT: a part of the page that loads by itself."""
    row, validations, may = candidate_validations(request.user, pk)
    context = {"row": row, "may": may, "validations": validation_rows(validations)}
    return render(request, "web/candidate/validation.html", context)


@require_GET
@page
def candidate_file(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """A download: written on request, or stored."""
    dossier = candidate_dossier(request.user, pk)
    found = next((file for file in dossier.downloads if file.kind == kind), None)
    if found is None:
        raise NotThere("This candidate has no such file.")
    if found.artifact_id is not None:
        return stored_file(request.user, found.sha256, found.file_name)
    text = dossier_json(dossier) if kind == "json" else written(dossier, kind)
    return attachment(text, found.file_name, "application/json" if kind == "json" else "text/plain; charset=utf-8")


@require_POST
@page
def candidate_review(request: HttpRequest, pk: int) -> HttpResponse:
    """A reviewer's word."""
    kind = request.POST.get("kind", "")
    if kind not in VERDICTS:
        raise NotThere("There is no such verdict.")
    row = candidate_get(request.user, pk)
    VERDICTS[kind](candidate=row, user=request.user, text=request.POST.get("text", ""))
    messages.success(request, SAID[kind])
    return redirect("candidate", pk)


@require_POST
@page
def candidate_listed(request: HttpRequest, pk: int) -> HttpResponse:
    """Put one candidate on a list."""
    row = candidate_get(request.user, pk)
    value = request.POST.get("list", "")
    name = request.POST.get("new_list", "").strip()
    target = (
        services.list_create(campaign=row.campaign, user=request.user, name=name)
        if name
        else lists_visible(request.user).filter(pk=int(value) if value.isdecimal() else 0).first()
    )
    if target is None:
        raise NotThere("Choose a list, or name a new one.")
    services.list_add(candidate_list=target, candidate_ids=[pk], user=request.user, note=request.POST.get("note", ""))
    messages.success(request, f"On the list “{target.name}”.")
    return redirect("candidate", pk)


@require_POST
@page
def candidate_validate(request: HttpRequest, pk: int) -> HttpResponse:
    """A reviewer asks for a validation by DFT, or for one that stopped to go on."""
    row = candidate_get(request.user, pk)
    stopped = request.POST.get("resume", "")
    if stopped.isdecimal():
        services.candidate_validation_resume(validation=validation_get(request.user, int(stopped)), user=request.user)
        messages.success(request, "It goes on.")
        return redirect("candidate", pk)
    part = request.POST.get("part", "harmonic")
    if part not in PARTS:
        raise NotThere("There is no such validation.")
    services.candidate_validation_request(candidate=row, user=request.user, part=part)
    messages.success(request, "Its supercells are being counted; then an approver is asked.")
    return redirect("candidate", pk)


@require_POST
@page
def plan_start(request: HttpRequest, pk: int, plan: int) -> HttpResponse:
    """Start a κ_L that waits, or try a failed one again."""
    row = plan_visible(request.user, plan)
    act = services.plan_retry if row.state == "FAILED" else services.plan_start
    act(plan=row, user=request.user)
    messages.success(request, "Queued. Tables follow when it is done; no step is reopened.")
    return redirect(request.POST.get("back") or "campaign", *([] if request.POST.get("back") else [pk]))
