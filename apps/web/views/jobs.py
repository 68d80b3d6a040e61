"""Jobs, their attempts and logs."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.artifacts import services as artifacts
from apps.core.errors import NotAllowed, NotThere
from apps.jobs import services
from apps.jobs.selectors import why_waiting
from apps.reviews.selectors.programs import attempts_of, jobs_visible
from apps.web.page import page
from apps.web.paging import paged
from apps.web.tables import JobTable

STATES = ("QUEUED", "RUNNING", "WAITING", "DONE", "FAILED", "CANCELLED")
LOG_SHOWN = 200_000
"""Bytes of a log's end that the page shows; the file is whole."""


@require_GET
@page
def jobs(request: HttpRequest) -> HttpResponse:
    """Jobs that the person may see, newest first, by state and by who asked."""
    rows = jobs_visible(request.user).order_by("-id")
    wanted = {name: request.GET[name] for name in ("state", "group") if request.GET.get(name)}
    shown = paged(rows.filter(**wanted), request.GET.get("page"))
    context = {
        "section": "jobs",
        "table": JobTable(shown.rows),
        "page": shown,
        "states": STATES,
        "state": wanted.get("state", ""),
        "group": wanted.get("group", ""),
    }
    return render(request, "web/job/list.html", context)


@require_GET
@page
def job(request: HttpRequest, pk: int) -> HttpResponse:
    """One job with every attempt."""
    row = _row(request, pk)
    attempts = list(attempts_of(row))
    context = {
        "section": "jobs",
        "job": row,
        "attempts": attempts,
        "why_waiting": why_waiting(row),
        "log": _log(attempts),
    }
    return render(request, "web/job/page.html", context)


@require_GET
@page
def attempt_log(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """The whole log of one attempt as text."""
    attempt = attempts_of(_row(request, pk)).filter(number=number).first()
    if attempt is None or attempt.log is None:
        raise NotThere("This attempt left no log.")
    return HttpResponse(artifacts.read(attempt.log), content_type="text/plain; charset=utf-8")


@require_POST
@page
def job_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Try a failed job again; an administrator's word (others resume their campaign)."""
    row = _row(request, pk)
    if not request.user.is_superuser:
        raise NotAllowed("Only an administrator retries a single job; resume the campaign instead.")
    services.retry(job=row)
    messages.success(request, "Queued again.")
    return redirect("job", pk)


def _row(request: HttpRequest, pk: int) -> Any:
    row = jobs_visible(request.user).filter(pk=pk).first()
    if row is None:
        raise NotThere("There is no such job that you may see.")
    return row


def _log(attempts: list[Any]) -> str:
    """The end of the newest log there is."""
    logged = next((attempt for attempt in attempts if attempt.log is not None), None)
    if logged is None:
        return ""
    return artifacts.read(logged.log)[-LOG_SHOWN:].decode("utf-8", errors="replace")
