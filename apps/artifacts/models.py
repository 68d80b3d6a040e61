"""Files by content."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models.functions import Now


class Artifact(models.Model):
    """A file that never changes. `kind` says what it is ('fc3', 'weights', 'map', 'log' …); the bytes lie by sha256."""

    sha256 = models.CharField(max_length=64)
    kind = models.CharField(max_length=64)
    size = models.BigIntegerField(help_text="bytes")
    content_type = models.CharField(max_length=128, default="application/octet-stream")
    name = models.CharField(max_length=200, blank=True, help_text="File name for a download.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sha256", "kind"], name="artifact_once")]
        triggers = [
            pgtrigger.Protect(name="artifact_write_once", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.sha256[:12]}"
