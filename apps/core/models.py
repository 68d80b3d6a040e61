"""Bases of the domain's models."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class Timestamped(models.Model):
    """When the row was made, by the database's clock."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        abstract = True
