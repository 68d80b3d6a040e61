"""The controls: known crystals, ours beside theirs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from apps.reviews.selectors import controls
from apps.web.page import page


@require_GET
@page
def controls_page(request: HttpRequest) -> HttpResponse:
    """The paper's Table 1 with our values beside it, then the other known crystals."""
    rows = controls(request.user)
    context = {
        "section": "controls",
        "published": [row for row in rows if row.literature or row.paper],
        "others": [row for row in rows if not (row.literature or row.paper)],
    }
    return render(request, "web/controls.html", context)
