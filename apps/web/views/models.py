"""Trained models: the list, one model with its curves, card and figures, and what people do with it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.core.errors import NotThere
from apps.jobs.states import OPEN
from apps.training import selectors, services
from apps.web.figures.training import training_curves
from apps.web.files import stored_file
from apps.web.forms.training import AssessmentForm
from apps.web.live import embedded, fragment
from apps.web.model_card import card_errors, card_sections
from apps.web.page import page
from apps.web.paging import paged
from apps.web.quality import measured_how, quality_rows

PROGRESS = "web/model/progress.html"


@require_GET
@page
def models(request: HttpRequest) -> HttpResponse:
    """All models."""
    shown = paged(selectors.models_list(), request.GET.get("page"))
    context = {"section": "models", "models": shown.rows, "page": shown, "may_train": _may_train(request)}
    return render(request, "web/model/list.html", context)


@require_GET
@page
def model(request: HttpRequest, pk: int) -> HttpResponse:
    """One model: state, curves, card, what was measured, files."""
    return _shown(request, selectors.model_detail(pk), _assessment_form())


@require_GET
@page
def model_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far a training is, asked for while it runs."""
    context, live = _progress(request, selectors.model_detail(pk))
    response = fragment(request, PROGRESS, context, live=live)
    if not live:
        response["HX-Refresh"] = "true"
    return response


@require_GET
@page
def model_file(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """A stored file of a model."""
    found = next((file for file in selectors.model_detail(pk).files if file.name == name), None)
    if found is None:
        raise NotThere("The model has no such file.")
    return stored_file(request.user, found.sha256, found.name)


@require_POST
@page
def model_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop a training; its checkpoint stays."""
    services.training_cancel(model=selectors.model_get(pk), user=request.user)
    messages.success(request, "Asked to stop; “Resume” goes on from the checkpoint.")
    return redirect("model", pk)


@require_POST
@page
def model_resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on from the checkpoint."""
    services.training_resume(model=selectors.model_get(pk), user=request.user)
    messages.success(request, "The training goes on from its checkpoint.")
    return redirect("model", pk)


@require_POST
@page
def model_assess(request: HttpRequest, pk: int) -> HttpResponse:
    """Measure a generator; what is wrong stands beside its field."""
    detail = selectors.model_detail(pk)
    form = AssessmentForm(request.POST)
    if not form.is_valid():
        return _shown(request, detail, form, status=400)
    try:
        services.assessment_start(model=detail.model, user=request.user, **form.cleaned_data)
    except services.AssessmentRefused as error:
        form.add_problems(error.detail or {"": error.message})
        return _shown(request, detail, form, status=400)
    messages.success(request, "The generator is being measured; the figures appear here when they are there.")
    return redirect("model", pk)


def _assessment_form() -> AssessmentForm:
    return AssessmentForm(initial={"count": services.ASSESSED, "reconstructed": services.RECONSTRUCTED})


def _shown(
    request: HttpRequest, detail: selectors.ModelDetail, form: AssessmentForm, status: int = 200
) -> HttpResponse:
    progress, live = _progress(request, detail)
    card, quality = detail.model.card, detail.quality
    context = {
        "section": "models",
        "detail": detail,
        "model": detail.model,
        "progress": embedded(request, PROGRESS, progress, live=live),
        "curves": training_curves(detail.curve),
        "card": card_sections(card),
        "errors": card_errors(card),
        "may_manage": progress["may_manage"],
        "may_train": _may_train(request),
        "assessment_form": form,
        "being_measured": _is_open(detail.assessment),
        "testless": selectors.is_testless(detail.model),
        "quality": quality_rows(quality) if quality else [],
        "measured_how": measured_how(quality) if quality else "",
    }
    return render(request, "web/model/page.html", context, status=status)


def _progress(request: HttpRequest, detail: selectors.ModelDetail) -> tuple[dict[str, Any], bool]:
    mine = request.user.is_superuser or detail.model.created_by_id == request.user.pk
    context = {
        "model": detail.model,
        "job": detail.job,
        "why_waiting": detail.why_waiting,
        "assessment": detail.assessment,
        "being_measured": _is_open(detail.assessment),
        "why_unmeasured": detail.why_unmeasured,
        "may_manage": mine,
    }
    return context, detail.model.state == "TRAINING" or _is_open(detail.assessment)


def _is_open(job: Any) -> bool:
    return job is not None and job.state in OPEN


def _may_train(request: HttpRequest) -> bool:
    return request.user.has_perm(services.MAY_TRAIN)
