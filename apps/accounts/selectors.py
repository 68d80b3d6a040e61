"""Questions about people."""

from __future__ import annotations

from apps.accounts.models import User
from apps.core.errors import NotThere


def user_named(username: str) -> User:
    """The person of that name; raises NotThere."""
    found = User.objects.filter(username=username).first()
    if found is None:
        raise NotThere(f"There is nobody named {username!r}.")
    return found
