"""Signing in by a one-time link."""

from __future__ import annotations

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from apps.accounts.services import LinkRefused, login_link_use
from apps.core import clock


@never_cache
@require_GET
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """Use the link's token and go to the start page."""
    try:
        user = login_link_use(token=token, now=clock.now())
    except LinkRefused as refusal:
        return render(request, "registration/link_refused.html", {"message": refusal.message}, status=refusal.status)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return HttpResponseRedirect("/")
