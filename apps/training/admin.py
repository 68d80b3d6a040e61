"""Trained models, to look at; trainings are started from their page or by `kappaweb train`."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.core.admin import ReadOnlyAdmin
from apps.training.models import ModelFile, TrainedModel


@admin.register(TrainedModel)
class TrainedModelAdmin(ReadOnlyAdmin):
    """A model with its card."""

    list_display = ("name", "kind", "engine", "configuration", "state", "sha256", "warning", "created_at")
    list_filter = ("kind", "state", "engine")
    search_fields = ("name", "sha256")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TrainedModel]:
        return super().get_queryset(request).defer("curve", "card")


@admin.register(ModelFile)
class ModelFileAdmin(ReadOnlyAdmin):
    """Files of stored models."""

    list_display = ("model", "name", "artifact")
    list_select_related = ("model", "artifact")
