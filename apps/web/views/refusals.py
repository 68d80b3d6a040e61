"""What a campaign refused, and why."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from apps.campaigns.selectors import campaign_get
from apps.structures.selectors.refusals import refusals_of
from apps.web.page import page
from apps.web.paging import paged
from apps.web.views.campaigns import campaign_context


@require_GET
@page
def refusals(request: HttpRequest, pk: int) -> HttpResponse:
    """Files and crystals that were not taken."""
    found = campaign_get(request.user, pk)
    rows = refusals_of(found)
    reason = request.GET.get("reason", "")
    shown = paged(rows.filter(reason=reason) if reason else rows, request.GET.get("page"))
    context = {**campaign_context(request, found, "refusals"), "refusals": shown.rows, "page": shown, "reason": reason}
    return render(request, "web/campaign/refusals.html", context)
