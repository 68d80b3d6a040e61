"""Trained models: potentials and generators; measuring a generator."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import records
from apps.api.keyset import Sort
from apps.api.listing import ApiView, ListView
from apps.api.strictness import StrictSerializer
from apps.training import services
from apps.training.selectors import model_detail, model_get, models_list


class NewAssessmentSerializer(StrictSerializer):
    """How many crystals a generator is measured on."""

    count = serializers.IntegerField(
        default=services.ASSESSED, min_value=1, max_value=services.LARGEST_ASSESSMENT, help_text="crystals to generate"
    )
    reconstructed = serializers.IntegerField(
        default=services.RECONSTRUCTED,
        min_value=1,
        max_value=services.LARGEST_ASSESSMENT,
        help_text="test crystals to encode and decode again",
    )


class ModelFilter(filters.FilterSet):
    """Query of models."""

    kind = filters.ChoiceFilter(
        choices=[(name, name) for name in ("potential", "generator")], label="potential or generator"
    )


class ModelListView(ListView):
    """Trained models: potentials and generators."""

    item = records.ModelRowSerializer
    sorts = {"id": Sort("pk"), "name": Sort("name"), "created_at": Sort("created_at")}
    default_sort = "-id"
    filterset = ModelFilter

    def rows(self, **where: Any) -> QuerySet[Any]:
        """All: values of every campaign name them."""
        return models_list()


class ModelView(ApiView):
    """A trained model."""

    @extend_schema(responses=records.ModelSerializer)
    def get(self, request: Request, model: int) -> Response:
        """With its card, files, training curve, and what a generator was measured to be worth."""
        detail = model_detail(model)
        found: Any = detail.model
        more = {name: getattr(detail, name) for name in ("files", "curve", "quality", "why_waiting")}
        fields = records.ModelSerializer().fields.keys() - more.keys() - {"units"}
        return Response(records.ModelSerializer({name: getattr(found, name) for name in fields} | more).data)


class AssessmentsView(ApiView):
    """Measuring a generator."""

    @extend_schema(request=NewAssessmentSerializer, responses={202: records.JobRowSerializer})
    def post(self, request: Request, model: int) -> Response:
        """Measure it against its test crystals; the figures go to its `quality`. Needs the permission to create
        campaigns; 409 for a potential, for a generator that is not ready or has no test crystals, and while it is
        measured."""
        asked = self.body(NewAssessmentSerializer)
        job = services.assessment_start(model=model_get(model), user=request.user, **asked)
        return Response(records.JobRowSerializer(job).data, status=202)
