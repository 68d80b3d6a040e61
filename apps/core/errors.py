"""What a person is told: one subclass per situation."""

from __future__ import annotations

from typing import Any


class ApplicationError(Exception):
    """A refusal. `code` is stable for programs, `status` is HTTP's, `message` is for people."""

    code = "error"
    status = 400

    def __init__(self, message: str, *, code: str = "", status: int = 0, detail: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.status = status or type(self).status
        self.detail = detail or {}


class NotAllowed(ApplicationError):
    """The person lacks the role."""

    code = "not_allowed"
    status = 403


class Conflict(ApplicationError):
    """Somebody else was quicker, or the state does not permit it."""

    code = "conflict"
    status = 409


class StorageFull(ApplicationError):
    """The disk that holds the artifacts has no room."""

    code = "storage_full"
    status = 507


class NotThere(ApplicationError):
    """What was asked for does not exist."""

    code = "not_found"
    status = 404
