"""A new campaign from a form."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from apps.campaigns import permissions, services
from apps.core.errors import ApplicationError, NotAllowed
from apps.structures.services import import_file_add
from apps.training.selectors import generators_ready, model_get, potentials_ready
from apps.web.forms.campaign import CampaignForm, Models, initial_of
from apps.web.forms.protocol import generations, nested, presets
from apps.web.page import page
from apps.web.uploads import on_disk
from kappakit.protocol import PROTOCOLS

FIRST_PRESET = "demo"
OWN_FIELDS = frozenset({"name", "description", "potential", "generator", "seed", "files"})


@page
def campaign_new(request: HttpRequest) -> HttpResponse:
    """The form; what is wrong stands beside its field and nothing typed is lost."""
    if not permissions.can_create(request.user):
        raise NotAllowed("You may not create campaigns. Ask an administrator for the permission.")
    potentials, generators = ([(row.pk, row.name) for row in rows] for rows in (potentials_ready(), generators_ready()))
    if request.method != "POST":
        return _shown(request, _empty(potentials, generators))
    form = CampaignForm(request.POST, request.FILES, potentials=potentials, generators=generators)
    made = _made(request, form) if form.is_valid() else None
    if made is None:
        return _shown(request, form, status=422 if request.htmx else 400)
    return _gone_to(request, reverse("campaign", args=[made.pk]))


def model_asked(value: str) -> Any:
    """The model of a form's choice, None for none; raises NotThere."""
    return model_get(int(value)) if value.isdecimal() else None


def _made(request: HttpRequest, form: CampaignForm) -> Any:
    """The campaign with its files, started when asked for; None with the refusal in the form, nothing stored."""
    try:
        with transaction.atomic():
            made = _created(request, form)
    except ApplicationError as error:
        form.add_problems(error.detail or {"": error.message})
        return None
    if request.POST.get("then") == "start":
        _start(request, made)
    return made


def _created(request: HttpRequest, form: CampaignForm) -> Any:
    values = form.cleaned_data
    made = services.campaign_create(
        name=values["name"],
        owner=request.user,
        protocol=nested({path: value for path, value in values.items() if path not in OWN_FIELDS}),
        description=values["description"],
        potential=model_asked(values["potential"]),
        generator=model_asked(values["generator"]),
        seed=values["seed"],
    )
    for upload in values["files"]:
        with on_disk(upload) as content:
            import_file_add(campaign=made, file_name=upload.name, content=content, user=request.user)
    return made


def _start(request: HttpRequest, made: Any) -> None:
    """What is missing keeps it a draft, and is said."""
    try:
        services.campaign_start(campaign=made, user=request.user)
    except ApplicationError as error:
        messages.warning(request, f"Kept as a draft. {error.message}")


def _empty(potentials: Models, generators: Models) -> CampaignForm:
    first = {"potential": _only(potentials), "generator": _only(generators), "seed": 0}
    return CampaignForm(initial=initial_of(FIRST_PRESET) | first, potentials=potentials, generators=generators)


def _only(models: Models) -> str:
    """The choice where there is no other."""
    return str(models[0][0]) if len(models) == 1 else ""


def _shown(request: HttpRequest, form: CampaignForm, status: int = 200) -> HttpResponse:
    template = "web/campaign/form.html" if request.htmx else "web/campaign/new.html"
    context = {
        "section": "campaigns",
        "form": form,
        "presets": presets(),
        "generations": generations(),
        "preset_names": list(PROTOCOLS),
        "preset": request.POST.get("preset", FIRST_PRESET),
    }
    return render(request, template, context, status=status)


def _gone_to(request: HttpRequest, address: str) -> HttpResponse:
    if request.htmx:
        return HttpResponseClientRedirect(address)
    return redirect(address)
