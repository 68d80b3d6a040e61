"""Potentials: the list, one model with its curves and card, a new training."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.core.errors import ApplicationError, NotThere
from apps.training import selectors, services
from apps.web.figures.training import training_curves
from apps.web.files import stored_file
from apps.web.forms.training import TrainingForm
from apps.web.live import embedded, fragment
from apps.web.model_card import card_errors, card_sections
from apps.web.page import page
from apps.web.paging import paged
from apps.web.uploads import on_disk

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
    """One model: state, curves, card, files."""
    detail = selectors.model_detail(pk)
    progress, live = _progress(request, detail)
    context = {
        "section": "models",
        "detail": detail,
        "model": detail.model,
        "progress": embedded(request, PROGRESS, progress, live=live),
        "curves": training_curves(detail.curve),
        "card": card_sections(detail.model.card),
        "errors": card_errors(detail.model.card),
        "may_manage": progress["may_manage"],
    }
    return render(request, "web/model/page.html", context)


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


@page
def model_new(request: HttpRequest) -> HttpResponse:
    """The form of a training; what is wrong stands beside its field."""
    teachers = [(row.pk, row.name) for row in selectors.potentials_ready()]
    if request.method != "POST":
        return _shown(request, TrainingForm(teachers=teachers))
    form = TrainingForm(request.POST, request.FILES, teachers=teachers)
    made = _started(request, form) if form.is_valid() else None
    return _shown(request, form, status=400) if made is None else redirect("model", made.pk)


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


def _started(request: HttpRequest, form: TrainingForm) -> Any:
    """The model in training; None with the refusal in the form."""
    values = form.cleaned_data
    try:
        with on_disk(values["data_set"]) if values["data_set"] else nullcontext() as data_set:
            return services.training_start(
                name=values["name"],
                configuration=values["configuration"],
                data_set=data_set,
                teacher=selectors.model_get(int(values["teacher"])) if values["teacher"] else None,
                seed=values["seed"],
                overrides=values["overrides"],
                user=request.user,
            )
    except ApplicationError as error:
        form.add_problems(error.detail or {"": error.message})
        return None


def _shown(request: HttpRequest, form: TrainingForm, status: int = 200) -> HttpResponse:
    context = {"section": "models", "form": form, "may_train": _may_train(request)}
    return render(request, "web/model/new.html", context, status=status)


def _progress(request: HttpRequest, detail: selectors.ModelDetail) -> tuple[dict[str, Any], bool]:
    mine = request.user.is_superuser or detail.model.created_by_id == request.user.pk
    context = {"model": detail.model, "job": detail.job, "why_waiting": detail.why_waiting, "may_manage": mine}
    return context, detail.model.state == "TRAINING"


def _may_train(request: HttpRequest) -> bool:
    return request.user.has_perm(services.MAY_TRAIN)
