"""Who asks: a hashed, expiring token in `Authorization: Bearer …`, or the session of a signed-in browser."""

from __future__ import annotations

from typing import Any

from knox.auth import TokenAuthentication
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request


class BearerAuthentication(TokenAuthentication):
    """Knox's tokens; a header that is not text is refused like any other wrong token."""

    def authenticate_credentials(self, token: bytes) -> tuple[Any, Any]:
        """(user, token row); raises AuthenticationFailed."""
        if not token.isalnum() or not token.isascii():
            raise AuthenticationFailed("Invalid token.")
        return super().authenticate_credentials(token)


class ByPerson(BasePermission):
    """Only a person in a browser session may: a stolen token cannot make itself a successor."""

    message = "Tokens are made and listed in a signed-in session, not with a token."

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the session, not a token, says who it is."""
        return isinstance(request.successful_authenticator, SessionAuthentication)
