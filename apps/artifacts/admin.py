"""Files by content, to look at."""

from __future__ import annotations

from django.contrib import admin

from apps.artifacts.models import Artifact
from apps.core.admin import ReadOnlyAdmin, quantity


@admin.register(Artifact)
class ArtifactAdmin(ReadOnlyAdmin):
    """A file that never changes."""

    list_display = ("id", "kind", "name", quantity("size", "size (bytes)", ",d"), "sha256", "created_at")
    list_filter = ("kind",)
    search_fields = ("sha256", "name")
