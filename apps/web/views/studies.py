"""Convergence studies of a candidate: started, followed, cancelled, tried again, downloaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.conductivity import services
from apps.conductivity.selectors.studies import StudyOffer, minutes_of_values, plan_to_study, study_get, study_offers
from apps.conductivity.selectors.study_facts import StudyFacts, studies_of, study_facts
from apps.core.errors import ApplicationError, Conflict, NotThere
from apps.structures.selectors import candidate_get
from apps.web.figures.studies import kappa_series
from apps.web.files import attachment
from apps.web.forms.study import StudyForm
from apps.web.live import embedded, fragment
from apps.web.page import page
from apps.web.study_files import study_csv, study_json
from apps.web.views.campaigns import campaign_context

FRAGMENT = "web/candidate/study.html"
FILES: dict[str, tuple[Callable[[StudyFacts], str], str]] = {
    "csv": (study_csv, "text/csv; charset=utf-8"),
    "json": (study_json, "application/json"),
}


@require_http_methods(["GET", "HEAD", "POST"])
@page
def candidate_studies(request: HttpRequest, pk: int) -> HttpResponse:
    """What may be studied, and all studies of the candidate; a form begins one."""
    row = candidate_get(request.user, pk)
    if request.method != "POST":
        return _shown(request, row)
    name = request.POST.get("parameter", "")
    form = next((form for offer, form in _forms(row, request.POST) if offer.varied.name == name), None)
    if form is None:
        plan_to_study(row)
        raise NotThere("There is no such study.")
    if not form.is_valid():
        return _shown(request, row, form, status=400)
    try:
        services.study_start(candidate=row, user=request.user, parameter=name, values=form.cleaned_data["values"])
    except Conflict as refusal:
        form.add_error("values", refusal.message)
        return _shown(request, row, form, status=409)
    messages.success(request, "Queued, a job for each value; the figure grows as they are done.")
    return redirect("candidate-studies", pk)


@require_GET
@page
def study_expected(request: HttpRequest, pk: int, parameter: str) -> HttpResponse:
    """About how long the typed values take: a part of the form."""
    row = candidate_get(request.user, pk)
    form = next((form for offer, form in _forms(row, request.GET) if offer.varied.name == parameter), None)
    if form is None:
        raise NotThere("There is no such study.")
    values = form.cleaned_data["values"] if form.is_valid() else ()
    minutes = minutes_of_values(plan_to_study(row), form.varied, values)
    context = {
        "total": sum(minutes),
        "pairs": list(zip(values, minutes, strict=True)),
        "form": form,
    }
    return render(request, "web/candidate/study_expected.html", context)


@require_GET
@page
def study(request: HttpRequest, pk: int) -> HttpResponse:
    """One study by itself, under an address that stays."""
    found = study_get(request.user, pk)
    shown = campaign_context(request, found.candidate.campaign, "candidates")
    part = _part(request, study_facts([found])[0], shown)
    return render(request, "web/candidate/study_page.html", {**shown, **part, "row": found.candidate})


@require_GET
@page
def study_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The same, asked for while it runs."""
    found = study_get(request.user, pk)
    (facts,) = study_facts([found])
    context = {**campaign_context(request, found.candidate.campaign, "candidates"), **_context(facts)}
    return fragment(request, FRAGMENT, context, live=_live(facts))


@require_GET
@page
def study_file(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """The series as CSV or JSON."""
    if kind not in FILES:
        raise NotThere("A study is written as csv or json.")
    (facts,) = study_facts([study_get(request.user, pk)])
    write, content_type = FILES[kind]
    return attachment(write(facts), f"study-{pk}-{facts.parameter}.{kind}", content_type)


@require_POST
@page
def study_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """End what is not computed yet."""
    found = services.study_cancel(study=study_get(request.user, pk), user=request.user)
    messages.success(request, "Cancelled; the points that are done are kept.")
    return redirect("study", found.pk)


@require_POST
@page
def study_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Compute the points again that failed or were cancelled."""
    found = services.study_retry(study=study_get(request.user, pk), user=request.user)
    messages.success(request, "Queued again.")
    return redirect("study", found.pk)


def _forms(row: Any, data: Any = None) -> list[tuple[StudyOffer, StudyForm]]:
    """A form for each parameter; `data` is of whichever is looked for. Raises Conflict where nothing may be studied."""
    return [(offer, _form(row, offer, data)) for offer in study_offers(row)]


def _form(row: Any, offer: StudyOffer, data: Any = None) -> StudyForm:
    address = reverse("study-expected", args=[row.pk, offer.varied.name])
    return StudyForm(data, varied=offer.varied, values=offer.values, address=address)


def _shown(request: HttpRequest, row: Any, form: StudyForm | None = None, status: int = 200) -> HttpResponse:
    shown = campaign_context(request, row.campaign, "candidates")
    context = {
        **shown,
        "row": row,
        "studies": [_part(request, facts, shown) for facts in studies_of(row)],
        **_offered(row, form),
    }
    return render(request, "web/candidate/studies_page.html", context, status=status)


def _offered(row: Any, given: StudyForm | None) -> dict[str, Any]:
    try:
        pairs = _forms(row)
    except ApplicationError as refusal:
        return {"offers": [], "refusal": refusal.message}
    return {"offers": [(offer, given if given and given.varied == offer.varied else form) for offer, form in pairs]}


def _part(request: HttpRequest, facts: StudyFacts, shown: dict[str, Any]) -> dict[str, Any]:
    context = {**shown, **_context(facts)}
    return embedded(request, FRAGMENT, context, live=_live(facts))


def _context(facts: StudyFacts) -> dict[str, Any]:
    drawn = any(point.principal for point in facts.points)
    return {"s": facts, "figure": kappa_series(facts) if drawn else None, "figure_id": f"study-{facts.id}-data"}


def _live(facts: StudyFacts) -> bool:
    return facts.state == "RUNNING"
