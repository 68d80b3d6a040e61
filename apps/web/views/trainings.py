"""New trainings, of potentials and of generators: what is wrong stands beside its field."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from apps.core.errors import ApplicationError
from apps.training import selectors, services
from apps.web.forms.training import GeneratorTrainingForm, ModelForm, TrainingForm
from apps.web.page import page
from apps.web.uploads import on_disk
from kappakit.ports import PARTS

TITLES = {TrainingForm: "Train a potential", GeneratorTrainingForm: "Train a generator"}


@page
def model_new(request: HttpRequest) -> HttpResponse:
    """The form of a potential's training."""
    teachers = [(row.pk, row.name) for row in selectors.potentials_ready()]
    if request.method != "POST":
        return _shown(request, TrainingForm(teachers=teachers))
    return _answered(request, TrainingForm(request.POST, request.FILES, teachers=teachers), _potential)


@page
def generator_new(request: HttpRequest) -> HttpResponse:
    """The form of a generator's training."""
    if request.method != "POST":
        return _shown(request, GeneratorTrainingForm())
    return _answered(request, GeneratorTrainingForm(request.POST, request.FILES), _generator)


def _answered(request: HttpRequest, form: ModelForm, start: Callable[..., Any]) -> HttpResponse:
    """On to the model in training, or the form again with the refusal in it."""
    if not form.is_valid():
        return _shown(request, form, status=400)
    try:
        made = start(form.cleaned_data, request.user)
    except ApplicationError as error:
        form.add_problems(error.detail or {"": error.message})
        return _shown(request, form, status=400)
    return redirect("model", made.pk)


def _potential(values: dict[str, Any], user: Any) -> Any:
    with on_disk(values["data_set"]) if values["data_set"] else nullcontext() as data_set:
        return services.training_start(
            name=values["name"],
            configuration=values["configuration"],
            data_set=data_set,
            teacher=selectors.model_get(int(values["teacher"])) if values["teacher"] else None,
            seed=values["seed"],
            overrides=values["overrides"],
            user=user,
        )


def _generator(values: dict[str, Any], user: Any) -> Any:
    given = {part: values[part] for part in PARTS if values[part]}
    with ExitStack() as stack:
        return services.generator_training_start(
            name=values["name"],
            configuration=values["configuration"],
            files={part: (upload.name, stack.enter_context(on_disk(upload))) for part, upload in given.items()},
            split=values["split"],
            seed=values["seed"],
            minutes=values["minutes"],
            overrides=values["overrides"],
            user=user,
        )


def _shown(request: HttpRequest, form: ModelForm, status: int = 200) -> HttpResponse:
    context = {
        "section": "models",
        "form": form,
        "heading": TITLES[type(form)],
        "may_train": request.user.has_perm(services.MAY_TRAIN),
    }
    return render(request, "web/model/new.html", context, status=status)
