"""Candidate lists, exports and refusals of a campaign."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.campaigns.permissions import actions_of
from apps.campaigns.selectors import campaign_get
from apps.core.errors import NotThere
from apps.reviews import selectors, services
from apps.reviews.selectors.programs import exports_visible, list_items, lists_visible
from apps.web.files import stored_file
from apps.web.page import page
from apps.web.paging import paged
from apps.web.views.campaigns import campaign_context
from apps.web.views.candidates import FORMATS


@page
def lists(request: HttpRequest, pk: int) -> HttpResponse:
    """Named lists and files made of candidates; POST makes a list."""
    found = campaign_get(request.user, pk)
    if request.method == "POST":
        made = services.list_create(
            campaign=found,
            user=request.user,
            name=request.POST.get("name", ""),
            description=request.POST.get("description", ""),
        )
        return redirect("list", made.pk)
    exports = paged(exports_visible(request.user).filter(campaign=found).order_by("-id"), request.GET.get("page"))
    context = {
        **campaign_context(request, found, "lists"),
        "lists": selectors.candidate_lists(request.user, found),
        "exports": exports.rows,
        "page": exports,
        "waiting": any(export.state == "QUEUED" for export in exports.rows),
    }
    return render(request, "web/list/index.html", context)


@require_GET
@page
def candidate_list(request: HttpRequest, pk: int) -> HttpResponse:
    """What is on a list."""
    row = _row(request, pk)
    items = list(list_items(row).order_by("id"))
    context = {
        "section": "campaigns",
        "tab": "lists",
        "campaign": row.campaign,
        "list": row,
        "items": items,
        "formats": FORMATS,
        "may": actions_of(request.user, row.campaign),
    }
    return render(request, "web/list/page.html", context)


@require_POST
@page
def list_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take candidates off a list."""
    chosen = [int(value) for value in request.POST.getlist("candidates") if value.isdecimal()]
    removed = services.list_remove(candidate_list=_row(request, pk), candidate_ids=chosen, user=request.user)
    messages.success(request, f"{removed} taken off.")
    return redirect("list", pk)


@require_POST
@page
def list_archive(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a list out of sight."""
    row = _row(request, pk)
    services.list_archive(candidate_list=row, user=request.user)
    messages.success(request, f"“{row.name}” is archived; its exports stay.")
    return redirect("lists", row.campaign_id)


@require_GET
@page
def export_file(request: HttpRequest, pk: int) -> HttpResponse:
    """The file of an export."""
    row = _export(request, pk)
    if row.artifact is None:
        raise NotThere("The file is not made yet.")
    return stored_file(request.user, row.sha256, row.artifact.name or f"candidates-{row.pk}.{row.format}")


@require_POST
@page
def export_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Try a failed export again."""
    row = _export(request, pk)
    services.export_retry(export=row, user=request.user)
    return redirect("lists", row.campaign_id)


def _row(request: HttpRequest, pk: int) -> Any:
    row = lists_visible(request.user).filter(pk=pk).first()
    if row is None:
        raise NotThere("There is no such list that you may see.")
    return row


def _export(request: HttpRequest, pk: int) -> Any:
    row = exports_visible(request.user).filter(pk=pk).first()
    if row is None:
        raise NotThere("There is no such export that you may see.")
    return row
