"""A campaign's DFT: requests, core-hours, who may spend them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.campaigns.selectors import campaign_get
from apps.core.errors import ApplicationError, NotThere
from apps.dft import selectors
from apps.dft.services import budget_grant, grant_revoke, own_approval_set
from apps.web.forms.gate import GrantForm, PolicyForm
from apps.web.page import page
from apps.web.paging import paged
from apps.web.views.campaigns import campaign_context

LEDGER_SHOWN = 15


@require_GET
@page
def campaign_dft(request: HttpRequest, pk: int) -> HttpResponse:
    """Requests with their states, budget and ledger, grants, policy."""
    found = campaign_get(request.user, pk)
    rows = selectors.requests_visible(request.user).filter(campaign=found)
    shown = paged(rows, request.GET.get("page"))
    context = {
        **campaign_context(request, found, "dft"),
        "requests": shown.rows,
        "page": shown,
        "budget": selectors.budget_of(found),
        "ledger": selectors.ledger_of(found)[:LEDGER_SHOWN],
        "grants": list(selectors.grants_of(found)),
        "policy": selectors.policy_of(found),
        "grant_form": GrantForm(),
        "policy_form": PolicyForm(),
    }
    return render(request, "web/dft/campaign.html", context)


@require_GET
@page
def campaign_ledger(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole ledger of core-hours, newest first."""
    found = campaign_get(request.user, pk)
    shown = paged(selectors.ledger_of(found), request.GET.get("page"))
    context = {**campaign_context(request, found, "dft"), "page": shown, "ledger": shown.rows}
    return render(request, "web/dft/ledger.html", {**context, "budget": selectors.budget_of(found)})


@require_POST
@page
def campaign_grant(request: HttpRequest, pk: int) -> HttpResponse:
    """Core-hours for the campaign."""
    found = campaign_get(request.user, pk)
    form = GrantForm(request.POST)
    if not form.is_valid():
        problems = {name: " ".join(errors) for name, errors in form.errors.items()}
        raise ApplicationError("This is no grant.", code="amount_refused", detail=problems)
    grant = budget_grant(campaign=found, user=request.user, **form.cleaned_data)
    messages.success(request, f"{grant.core_hours:g} core-hours granted.")
    return redirect("campaign-dft", pk)


@require_POST
@page
def campaign_revoke(request: HttpRequest, pk: int, grant: int) -> HttpResponse:
    """Take the unused rest of a grant back."""
    found = selectors.grants_of(campaign_get(request.user, pk)).filter(pk=grant).first()
    if found is None:
        raise NotThere("There is no such grant.")
    grant_revoke(grant=found, user=request.user)
    messages.success(request, "Revoked. What was consumed or is reserved stays.")
    return redirect("campaign-dft", pk)


@require_POST
@page
def campaign_policy(request: HttpRequest, pk: int) -> HttpResponse:
    """Whether proposers may approve their own here."""
    found = campaign_get(request.user, pk)
    allowed = request.POST.get("allowed") == "on"
    own_approval_set(campaign=found, allowed=allowed, user=request.user, reason=request.POST.get("reason", ""))
    messages.success(request, f"Proposers may {'' if allowed else 'not '}approve their own here; it is on record.")
    return redirect("campaign-dft", pk)
