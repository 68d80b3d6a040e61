"""Every refusal as application/problem+json (RFC 9457) with a stable `code`; the unexpected tells nothing inside."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from apps.core.errors import ApplicationError
from apps.core.middleware import current
from kappakit.errors import InputError
from kappakit.protocol import ProtocolError

log = logging.getLogger(__name__)
PROBLEM = "application/problem+json"
INSIDE = {"protocol_refused": "protocol."}
"""Where in the body the paths of a refusal begin."""


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field: its path ('protocol.relax.max_steps'), a stable code, a sentence."""

    field: str
    code: str
    message: str


class FieldsRefused(exceptions.APIException):
    """A request whose parameters or body cannot be used; `errors` says why, field by field."""

    status_code = 400

    def __init__(self, code: str, message: str, errors: list[FieldError]) -> None:
        super().__init__(message, code)
        self.code = code
        self.errors = errors


def problem(exc: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's exception handler: any exception → a problem; an unexpected one is logged with its traceback."""
    set_rollback()
    body = _described(exc)
    response = Response({**_frame(body["status"]), **body}, status=body["status"], content_type=PROBLEM)
    for header, value in _headers(exc).items():
        response[header] = value
    return response


def _frame(status: int) -> dict[str, Any]:
    return {"type": "about:blank", "title": HTTPStatus(status).phrase, "request_id": current.get(), "errors": []}


def _described(exc: Exception) -> dict[str, Any]:
    match exc:
        case ApplicationError():
            return {"status": exc.status, "code": exc.code, "detail": exc.message, **_extra(exc)}
        case ProtocolError():
            errors = [FieldError(f"protocol.{path}", "invalid", text) for path, text in exc.problems.items()]
            return _refused("validation_failed", str(exc), errors)
        case InputError():
            return _refused("invalid_input", str(exc), [])
        case FieldsRefused():
            return _refused(exc.code, str(exc.detail), exc.errors)
        case exceptions.ValidationError():
            return _refused("validation_failed", "The request has fields that cannot be used.", [*flat(exc.detail)])
        case Http404():
            return {"status": 404, "code": "not_found", "detail": "There is nothing here that you may see."}
        case PermissionDenied():
            return {"status": 403, "code": "not_allowed", "detail": "You may not do this."}
        case exceptions.APIException():
            return {"status": exc.status_code, "code": _code(exc), "detail": str(exc.detail)}
        case _:
            log.error("unexpected error in the API", exc_info=exc)
            return {"status": 500, "code": "internal_error", "detail": "An error of ours; its log has the request id."}


def _refused(code: str, message: str, errors: list[FieldError]) -> dict[str, Any]:
    return {"status": 400, "code": code, "detail": message, "errors": [vars(error) for error in errors]}


def _extra(exc: ApplicationError) -> dict[str, Any]:
    if exc.status != HTTPStatus.BAD_REQUEST:
        return {}
    inside = INSIDE.get(exc.code, "")
    return {"errors": [vars(FieldError(inside + path, exc.code, str(text))) for path, text in exc.detail.items()]}


def _code(exc: exceptions.APIException) -> str:
    code = exc.get_codes()
    return code if isinstance(code, str) else exc.default_code


def _headers(exc: Exception) -> dict[str, str]:
    headers = {}
    if isinstance(exc, exceptions.APIException):
        if getattr(exc, "auth_header", None):
            headers["WWW-Authenticate"] = exc.auth_header
        if getattr(exc, "wait", None):
            headers["Retry-After"] = f"{exc.wait:.0f}"
    return headers


def flat(detail: Any, path: str = "") -> Iterator[FieldError]:
    """DRF's nested error details as one list of FieldErrors."""
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            name = "" if key == "non_field_errors" else str(key)
            yield from flat(value, ".".join(part for part in (path, name) if part))
    elif isinstance(detail, list):
        for index, item in enumerate(detail):
            nested = isinstance(item, Mapping | list)
            yield from flat(item, f"{path}.{index}" if nested else path)
    else:
        yield FieldError(path, getattr(detail, "code", "invalid"), str(detail))
