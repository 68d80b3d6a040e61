"""People."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Now


class User(AbstractUser):
    """Who signs in. Creating campaigns is a global permission; everything else is a role in a campaign."""

    class Meta(AbstractUser.Meta):
        permissions = [("create_campaigns", "Can create campaigns")]


class LoginLink(models.Model):
    """A one-time way in: the sha256 of its token, never the token."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="login_links")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
