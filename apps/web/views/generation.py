"""What a campaign's generator made, and campaigns that generate about a candidate."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from apps.campaigns.selectors import campaign_get
from apps.structures.selectors import candidate_at, candidate_get
from apps.structures.selectors.generation_curves import (
    generation_curves,
    generation_deviations,
    generation_report_of,
    latent_map,
)
from apps.structures.services import LikenessRefused, campaign_like
from apps.web.figures.generation import deviation_violins, latent_plane, rarefaction_curves
from apps.web.page import page
from apps.web.views.campaigns import campaign_context


@require_GET
@page
def generation(request: HttpRequest, pk: int) -> HttpResponse:
    """Validity, coverage, distinct and novel crystals against how many, deviations by relaxation, the latent space."""
    found = campaign_get(request.user, pk)
    curves, deviations = generation_curves(found), generation_deviations(found)
    context = {
        **campaign_context(request, found, "generation"),
        "curves": curves,
        "rarefaction": rarefaction_curves(curves) if curves.relaxed else None,
        "ends": {name: getattr(curves, name)[-1] for name in ("unique", "novel", "kept")} if curves.drawn else {},
        "deviations": deviations,
        "violins": deviation_violins(deviations) if deviations.crystals else {},
        **_reported(found),
    }
    return render(request, "web/campaign/generation.html", context)


def _reported(found: Any) -> dict[str, Any]:
    report = generation_report_of(found)
    if report is None:
        return {"report": None}
    plane = latent_map(report)
    urls = {pk: reverse("candidate", args=[pk]) for pk, _, _ in plane.candidates}
    return {"report": report, "plane": latent_plane(plane, urls) if plane.candidates else None}


@require_POST
@page
def candidate_like(request: HttpRequest, pk: int) -> HttpResponse:
    """A draft that generates about this candidate, or between it and another one of its campaign."""
    row = candidate_get(request.user, pk)
    other = request.POST.get("other", "").strip().removeprefix("#")
    chosen = [row, candidate_at(row.campaign, _number(other, int, "other"))] if other else [row]
    made = campaign_like(
        candidates=chosen,
        name=request.POST.get("name", ""),
        count=_number(request.POST.get("count", ""), int, "count"),
        temperature=_number(request.POST.get("temperature", ""), float, "temperature"),
        user=request.user,
    )
    messages.success(request, "A draft: look at its protocol, then start it.")
    return redirect("campaign", made.pk)


def _number(text: str, kind: Any, field: str) -> Any:
    try:
        return kind(text)
    except ValueError as error:
        raise LikenessRefused(f"{field}: “{text}” is not a number.", detail={field: "is not a number"}) from error
