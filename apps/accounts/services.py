"""Sign-in by a one-time link."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.models import Permission

from apps.accounts.models import LoginLink, User
from apps.core.errors import ApplicationError

LINK_MINUTES = 15


class LinkRefused(ApplicationError):
    """A login link that is unknown, too old or used."""

    code = "login_link_refused"
    status = 403


def owner_ensure(*, username: str) -> User:
    """The person who runs this installation: may administer everything; has no password."""
    user, made = User.objects.get_or_create(username=username, defaults={"is_staff": True, "is_superuser": True})
    if made:
        user.set_unusable_password()
        user.save()
    return user


def user_ensure(*, username: str) -> User:
    """A person without a password and without any right of his own."""
    user, made = User.objects.get_or_create(username=username)
    if made:
        user.set_unusable_password()
        user.save()
    return user


def campaigns_allow(*, user: User) -> None:
    """Let a person create campaigns."""
    user.user_permissions.add(Permission.objects.get(codename="create_campaigns", content_type__app_label="accounts"))


def login_link_create(*, user: User, now: datetime) -> str:
    """A new token of a link that ends after LINK_MINUTES; only its digest is stored."""
    token = secrets.token_urlsafe(32)
    expires_at = now + timedelta(minutes=LINK_MINUTES)
    LoginLink.objects.create(user=user, digest=_digest(token), expires_at=expires_at)
    return token


def login_link_use(*, token: str, now: datetime) -> User:
    """Whose link it is; the second use, or one too late, raises LinkRefused."""
    link = LoginLink.objects.filter(digest=_digest(token), user__is_active=True)
    if not link.filter(used_at=None, expires_at__gt=now).update(used_at=now):
        raise LinkRefused("This login link is used or too old. Make another: kappaweb login-link USER")
    return link.get().user


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
