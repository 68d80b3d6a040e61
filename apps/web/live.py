"""Fragments that a page asks for again and again: 304 while nothing changed, 286 when nothing is waited for."""

from __future__ import annotations

import hashlib
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.template.loader import render_to_string

STOP_POLLING = 286
"""htmx's own status: swap this in and ask no more."""


def fragment(request: HttpRequest, template: str, context: dict[str, Any], *, live: bool) -> HttpResponse:
    """The fragment, or 304 when the page shows it already; a last time with 286 when it is not `live` any more."""
    tag = tag_of(request, template, context, live=live)
    if live and request.headers.get("If-None-Match") == tag:
        return HttpResponseNotModified()
    body = render_to_string(template, {**context, "live": live, "etag": tag}, request)
    return HttpResponse(body, status=200 if live else STOP_POLLING, headers={"ETag": tag, "Cache-Control": "no-store"})


def tag_of(request: HttpRequest, template: str, context: dict[str, Any], *, live: bool) -> str:
    """A digest of what the fragment would say, so that two equal answers are one."""
    body = render_to_string(template, {**context, "live": live, "etag": "", "csrf_token": ""}, request)
    return f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'


def embedded(request: HttpRequest, template: str, context: dict[str, Any], *, live: bool) -> dict[str, Any]:
    """What a page adds to its context to show the fragment from the beginning."""
    return {**context, "live": live, "etag": tag_of(request, template, context, live=live)}
