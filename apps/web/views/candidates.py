"""A campaign's candidates: the list as an address, what is chosen from it, and exports."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from apps.campaigns.selectors import campaign_get
from apps.committees.selectors.uncertainties import has_committee
from apps.core.errors import NotThere
from apps.reviews import selectors, services
from apps.reviews.selectors.programs import lists_visible
from apps.web.page import page
from apps.web.paging import paged
from apps.web.tables import CandidateTable
from apps.web.views.campaigns import campaign_context

OFTEN = ("name", "outcome", "novelty", "method", "kappa_min", "above_hull_max", "n_atoms_max", "dynamical", "verdict")
"""Filters that are always shown; the others open on request."""
FORMATS = {"json": "JSON", "csv": "CSV", "extxyz": "extended XYZ", "cif.zip": "CIF (zip)", "ase.db": "ase.db"}


@require_GET
@page
def candidates(request: HttpRequest, pk: int) -> HttpResponse:
    """The list that the address describes."""
    found = campaign_get(request.user, pk)
    asked = without_page(request.GET)
    rows = selectors.candidates_list(request.user, found, asked)
    shown = paged(rows, request.GET.get("page"))
    form = selectors.CandidateFilter(asked, queryset=rows).form
    context = {
        **campaign_context(request, found, "candidates"),
        "table": CandidateTable(shown.rows, exclude=() if has_committee(found) else ("uncertainty",)),
        "page": shown,
        "sort": asked.get("sort") or "index",
        "often": [form[name] for name in OFTEN],
        "seldom": [field for field in form if field.name not in (*OFTEN, "sort")],
        "filtered": sorted(set(asked) - {"sort"}),
        "asked": asked.urlencode(),
        "lists": selectors.candidate_lists(request.user, found),
        "formats": FORMATS,
        "columns": selectors.EXPORT_COLUMNS,
    }
    return render(request, "web/candidate/list.html", context)


@require_POST
@page
def candidates_chosen(request: HttpRequest, pk: int) -> HttpResponse:
    """Put what is chosen on a list, a new one where a name is given."""
    found = campaign_get(request.user, pk)
    target = _target(request, found)
    chosen = [int(value) for value in request.POST.getlist("candidates") if value.isdecimal()]
    added = services.list_add(candidate_list=target, candidate_ids=chosen, user=request.user)
    messages.success(request, f"{added} added to “{target.name}”." if chosen else "Nothing was chosen.")
    return redirect(f"{reverse('candidates', args=[pk])}?{request.POST.get('asked', '')}")


@require_POST
@page
def candidates_export(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for a file of what the address lists, or of a list."""
    found = campaign_get(request.user, pk)
    listed = request.POST.get("list", "")
    services.export_request(
        user=request.user,
        campaign=found,
        format=request.POST.get("format", ""),
        columns=request.POST.getlist("columns"),
        filter=_mapping(QueryDict(request.POST.get("asked", ""))),
        candidate_list=_list(request, found, listed) if listed else None,
    )
    messages.success(request, "The file is being made; it appears below.")
    return redirect("lists", pk)


def without_page(query: QueryDict) -> QueryDict:
    """The query of the FilterSet: paging belongs to the page, and an empty value is no wish."""
    asked = query.copy()
    asked.pop("page", None)
    for name in [name for name, values in asked.lists() if not any(values)]:
        del asked[name]
    return asked


def _mapping(query: QueryDict) -> dict[str, Any]:
    return {name: values if len(values) > 1 else values[0] for name, values in without_page(query).lists()}


def _target(request: HttpRequest, found: Any) -> Any:
    name = request.POST.get("new_list", "").strip()
    if name:
        return services.list_create(campaign=found, user=request.user, name=name)
    return _list(request, found, request.POST.get("list", ""))


def _list(request: HttpRequest, found: Any, value: str) -> Any:
    rows = lists_visible(request.user).filter(campaign=found, pk=int(value) if value.isdecimal() else 0)
    row = rows.first()
    if row is None:
        raise NotThere("Choose a list, or name a new one.")
    return row
