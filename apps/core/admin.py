"""Bases of the admin: records are looked at; what people decide goes through services; nothing is ever deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from apps.core.errors import ApplicationError


def quantity(field: str, title: str, spec: str = ".3f") -> Callable[[Any], str]:
    """A column of numbers: `title` with the unit, a dash where there is none."""

    @admin.display(description=title, ordering=field)
    def shown(row: Any) -> str:
        value = getattr(row, field)
        return "–" if value is None else format(value, spec)

    return shown


class KeptAdmin(admin.ModelAdmin):
    """Nothing can be deleted."""

    show_full_result_count = False
    list_per_page = 50

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(KeptAdmin):
    """Rows to look at."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ServiceAdmin(KeptAdmin):
    """A form whose save_model calls a service: a refusal becomes a sentence, and nothing is written."""

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except ApplicationError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
