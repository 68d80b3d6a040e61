"""Campaigns: the list, one campaign, and what people do with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.selectors import user_named
from apps.campaigns import permissions, selectors, services
from apps.campaigns.permissions import actions_of
from apps.structures.services import import_file_add
from apps.training.selectors import generators_ready, potentials_ready
from apps.web.campaign_page import progress_context, results_context
from apps.web.forms.campaign import CloneForm, FilesForm
from apps.web.forms.protocol import protocol_groups
from apps.web.live import embedded, fragment
from apps.web.page import page
from apps.web.paging import paged
from apps.web.uploads import on_disk
from apps.web.views.campaign_new import model_asked

ROLE_WORDS = {
    "viewer": "sees everything",
    "reviewer": "shortlists, rejects, comments, keeps lists",
    "curator": "renames, tags, marks duplicates, excludes",
    "operator": "starts and cancels",
    "approver": "approves DFT calculations",
    "admin": "all but approving; gives roles",
}
PROGRESS, RESULTS = "web/campaign/progress.html", "web/campaign/results.html"


@require_GET
@page
def campaigns(request: HttpRequest) -> HttpResponse:
    """The campaigns that the person may see."""
    archived = "archived" in request.GET
    rows = selectors.campaigns_visible(request.user)
    rows = rows.filter(state="ARCHIVED") if archived else rows.exclude(state="ARCHIVED")
    shown = paged(rows, request.GET.get("page"))
    context = {
        "section": "campaigns",
        "campaigns": shown.rows,
        "page": shown,
        "archived": archived,
        "may_create": permissions.can_create(request.user),
    }
    return render(request, "web/campaigns.html", context)


@require_GET
@page
def campaign(request: HttpRequest, pk: int) -> HttpResponse:
    """One campaign: state, funnel, steps, ranked table."""
    found = selectors.campaign_get(request.user, pk)
    shown = campaign_context(request, found, "overview")
    progress, live = progress_context(found)
    results, results_live = results_context(found, request.GET.get("method", ""))
    draft = found.state == "DRAFT"
    context = {
        **shown,
        "potentials": potentials_ready() if draft else [],
        "generators": generators_ready() if draft else [],
        "learned": selectors.protocol_of(found).learned,
        "progress": embedded(request, PROGRESS, {**shown, **progress}, live=live),
        "results": embedded(request, RESULTS, {**shown, **results}, live=results_live),
    }
    return render(request, "web/campaign/overview.html", context)


@require_GET
@page
def campaign_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """State, funnel and steps, asked for every two seconds while the campaign runs."""
    found = selectors.campaign_get(request.user, pk)
    context, live = progress_context(found)
    response = fragment(request, PROGRESS, {**campaign_context(request, found, "overview"), **context}, live=live)
    if not live:
        response["HX-Refresh"] = "true"
    return response


@require_GET
@page
def campaign_results(request: HttpRequest, pk: int) -> HttpResponse:
    """Ranked table and waiting κ_L plans, asked for while something is computed."""
    found = selectors.campaign_get(request.user, pk)
    context, live = results_context(found, request.GET.get("method", ""))
    return fragment(request, RESULTS, {**campaign_context(request, found, "overview"), **context}, live=live)


@require_GET
@page
def campaign_protocol(request: HttpRequest, pk: int) -> HttpResponse:
    """The protocol's snapshot, field by field."""
    found = selectors.campaign_get(request.user, pk)
    groups = protocol_groups(selectors.protocol_of(found))
    context = {**campaign_context(request, found, "protocol"), "groups": groups}
    return render(request, "web/campaign/protocol.html", context)


@page
def campaign_members(request: HttpRequest, pk: int) -> HttpResponse:
    """Who has which roles; an admin of the campaign changes them."""
    found = selectors.campaign_get(request.user, pk)
    if request.method == "POST":
        person = user_named(request.POST.get("username", "").strip())
        services.membership_set(campaign=found, user=person, roles=request.POST.getlist("roles"), by=request.user)
        messages.success(request, f"{person} has these roles now.")
        return redirect("members", pk)
    context = {
        **campaign_context(request, found, "members"),
        "memberships": selectors.memberships_of(found),
        "roles": ROLE_WORDS,
    }
    return render(request, "web/campaign/members.html", context)


def _moving(service: Callable[..., Any], said: str) -> Callable[..., HttpResponse]:
    """A view that makes one move of a campaign and goes back to its page."""

    @require_POST
    @page
    def move(request: HttpRequest, pk: int) -> HttpResponse:
        service(campaign=selectors.campaign_get(request.user, pk), user=request.user)
        messages.success(request, said)
        return redirect("campaign", pk)

    return move


campaign_start = _moving(services.campaign_start, "The campaign runs.")
campaign_cancel = _moving(services.campaign_cancel, "Cancelled. Results stay; “Resume” goes on where it stopped.")
campaign_resume = _moving(services.campaign_resume, "The campaign goes on.")
campaign_archive = _moving(services.campaign_archive, "Archived. Nothing is lost.")
campaign_unarchive = _moving(services.campaign_unarchive, "Back from the archive.")


@require_POST
@page
def campaign_clone(request: HttpRequest, pk: int) -> HttpResponse:
    """A draft with the same protocol, models, seed and files."""
    form = CloneForm(request.POST)
    found = selectors.campaign_get(request.user, pk)
    name = form.cleaned_data["name"] if form.is_valid() else ""
    clone = services.campaign_clone(campaign=found, user=request.user, name=name)
    messages.success(request, "A draft with the same protocol, models, seed and files.")
    return redirect("campaign", clone.pk)


@require_POST
@page
def campaign_files(request: HttpRequest, pk: int) -> HttpResponse:
    """More crystals for a draft."""
    found = selectors.campaign_get(request.user, pk)
    form = FilesForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, "Choose at least one file.")
        return redirect("campaign", pk)
    for file in form.cleaned_data["files"]:
        with on_disk(file) as content:
            import_file_add(campaign=found, file_name=file.name, content=content, user=request.user)
    messages.success(
        request, f"{len(form.cleaned_data['files'])} file(s) stored; they are read when the campaign runs."
    )
    return redirect("campaign", pk)


def _choosing(kind: str) -> Callable[..., HttpResponse]:
    """A view that gives a draft its potential or its generator."""

    @require_POST
    @page
    def choose(request: HttpRequest, pk: int) -> HttpResponse:
        found = selectors.campaign_get(request.user, pk)
        services.model_set(campaign=found, user=request.user, kind=kind, model=model_asked(request.POST.get(kind, "")))
        return redirect("campaign", pk)

    return choose


campaign_potential, campaign_generator = _choosing("potential"), _choosing("generator")


def campaign_context(request: HttpRequest, found: Any, tab: str) -> dict[str, Any]:
    """What every page of a campaign shows; `may`: the person's actions here."""
    return {"section": "campaigns", "campaign": found, "tab": tab, "may": actions_of(request.user, found)}
