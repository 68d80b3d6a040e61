"""What every page does: ask who it is, and say a refusal plainly with its status."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.core.errors import ApplicationError

View = Callable[..., HttpResponse]

HEADINGS = {
    HTTPStatus.BAD_REQUEST: "This address or form cannot be used",
    HTTPStatus.FORBIDDEN: "Your roles do not include this",
    HTTPStatus.NOT_FOUND: "Nothing here that you may see",
    HTTPStatus.CONFLICT: "Not possible in this state",
    HTTPStatus.INSUFFICIENT_STORAGE: "The disk is full",
}


def page(view: View) -> View:
    """A view for people who are signed in; an ApplicationError becomes a page with its message and status."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except ApplicationError as error:
            return refused(request, error)

    return login_required(answered)


def refused(request: HttpRequest, error: ApplicationError) -> HttpResponse:
    """The refusal as a page."""
    heading = HEADINGS.get(HTTPStatus(error.status), "This is not possible")
    context = {"heading": heading, "message": error.message, "detail": error.detail, "back": _back(request)}
    return render(request, "web/refused.html", context, status=error.status)


def _back(request: HttpRequest) -> str:
    """Where the person came from, when that was a page of ours."""
    referer = request.headers.get("Referer", "")
    own = f"{request.scheme}://{request.get_host()}/"
    return referer.removeprefix(own[:-1]) if referer.startswith(own) else ""
