"""Jobs, attempts and workers, to look at: they are cancelled and tried again from their pages."""

from __future__ import annotations

from django.contrib import admin

from apps.core.admin import ReadOnlyAdmin, quantity
from apps.jobs.models import Attempt, Job, WorkerNode


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """One batch of one stage."""

    list_display = (
        "id", "label", "kind", "group", "queue", "state", "attempt", "progress_note",
        quantity("time_limit_s", "time limit (s)", "d"), "error_code", "started_at", "finished_at",
    )  # fmt: skip
    list_filter = ("state", "kind", "queue")
    search_fields = ("label", "group", "key")


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    """One try: where, and how it ended."""

    list_display = ("job", "number", "host", "outcome", "exit_code", "started_at", "ended_at", "message")
    list_filter = ("outcome", "host")
    list_select_related = ("job",)


@admin.register(WorkerNode)
class WorkerNodeAdmin(ReadOnlyAdmin):
    """Workers that were heard of."""

    list_display = ("name", "host", "queues", "slots", "devices", "seen_at")
