"""A request's id: in the answer's header, in every log line, in the history of what people decide."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar

import pghistory
from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-ID"
ACCEPTED = re.compile(r"^[A-Za-z0-9_-]{8,64}$")
current: ContextVar[str] = ContextVar("request_id", default="-")


class RequestIdMiddleware:
    """Takes a proxy's id where it is well formed, else makes one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        offered = request.headers.get(HEADER, "")
        request_id = offered if ACCEPTED.match(offered) else uuid.uuid4().hex
        token = current.set(request_id)
        try:
            with pghistory.context(request_id=request_id):
                response = self._get_response(request)
        finally:
            current.reset(token)
        response[HEADER] = request_id
        return response


class RequestIdFilter(logging.Filter):
    """Gives each log record its request's id."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current.get()
        return True
