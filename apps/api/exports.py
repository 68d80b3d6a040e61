"""Exports: ask for a file of candidates, follow it, download it; and plans of κ_L that wait for a start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.artifacts import download
from apps.api.keyset import Sort
from apps.api.listing import ApiView, ListView, unclear_booleans
from apps.api.records import ExportSerializer, JobRowSerializer
from apps.api.rendering import FileRenderer
from apps.api.schema import filter_schema
from apps.api.strictness import StrictSerializer
from apps.campaigns.selectors import campaign_get
from apps.core.errors import Conflict, NotThere
from apps.reviews.selectors import EXPORT_COLUMNS, CandidateFilter
from apps.reviews.selectors.programs import exports_visible, lists_visible, plan_visible
from apps.reviews.services import export_request, plan_retry, plan_start

FORMATS = ("json", "csv", "extxyz", "cif.zip", "ase.db")


class NotDone(Conflict):
    """The file of an export is not there yet, or never will be."""

    code = "export_not_done"


@extend_schema_field(filter_schema(CandidateFilter))
class FilterField(serializers.DictField):
    """Query of candidates as JSON: name → value, or a list where the query takes several."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """As a query string would carry it."""
        given = super().to_internal_value(data)
        query = {name: self._queried(name, value) for name, value in given.items()}
        if unclear := unclear_booleans(CandidateFilter, query):
            raise serializers.ValidationError({error.field: error.message for error in unclear})
        return query

    def _queried(self, name: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self._queried(name, item) for item in value if not isinstance(item, list)]
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, str | int | float):
            return str(value)
        raise serializers.ValidationError({name: "must be a text, a number, true or false, or a list of texts"})


class NewExportSerializer(StrictSerializer):
    """A file of what `filter` finds now, or of what is on `list` now."""

    format = serializers.ChoiceField(choices=FORMATS)
    columns = serializers.ListField(
        child=serializers.ChoiceField(choices=[*EXPORT_COLUMNS]), default=list, help_text="none: all of them"
    )
    filter = FilterField(default=dict, help_text="as the query of …/candidates/")
    list = serializers.IntegerField(allow_null=True, default=None, min_value=1, help_text="id of a candidate list")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Either a filter or a list."""
        if attrs["list"] and attrs["filter"]:
            raise serializers.ValidationError({"filter": "give a filter or a list, not both"})
        return attrs


class CampaignExportsView(ListView):
    """The exports of a campaign."""

    post_scope = "exports"
    item = ExportSerializer
    sorts = {"id": Sort("pk"), "created_at": Sort("created_at"), "finished_at": Sort("finished_at", nullable=True)}
    default_sort = "-id"

    def rows(self, **where: Any) -> QuerySet[Any]:
        """Of the campaign."""
        campaign = campaign_get(self.request.user, where["campaign"])
        return exports_visible(self.request.user).filter(campaign=campaign)

    @extend_schema(request=NewExportSerializer, responses={202: ExportSerializer})
    def post(self, request: Request, campaign: int) -> Response:
        """Ask for a file. Which candidates it holds is fixed now; a job writes it and then its sha256 is told."""
        asked = self.body(NewExportSerializer)
        found = campaign_get(request.user, campaign)
        export = export_request(
            user=request.user,
            campaign=found,
            format=asked["format"],
            columns=asked["columns"],
            filter=asked["filter"],
            candidate_list=_list(request, found, asked["list"]),
        )
        return Response(ExportSerializer(export).data, status=202)


class ExportView(ApiView):
    """An export."""

    @extend_schema(responses=ExportSerializer)
    def get(self, request: Request, export: int) -> Response:
        """Its state, filter, columns, number of rows, and the sha256 of its file."""
        return Response(ExportSerializer(_export(request, export)).data)


class ExportFileView(ApiView):
    """The file of an export."""

    renderer_classes = [FileRenderer]

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY, 304: None})
    def get(self, request: Request, export: int) -> Any:
        """Never changes; 409 until the export is DONE."""
        found = _export(request, export)
        if found.artifact is None:
            raise NotDone(found.error or "The file is not written yet: ask again soon.")
        return download(request, found.artifact)


class PlanMoveView(ApiView):
    """A κ_L that was planned and waits, or that failed."""

    move = ""

    @extend_schema(request=None, responses={202: JobRowSerializer})
    def post(self, request: Request, plan: int) -> Response:
        """Queue it; needs the role operator. Any body is ignored."""
        job = PLAN_MOVES[self.move](plan=plan_visible(request.user, plan), user=request.user)
        return Response(JobRowSerializer(job).data, status=202)


PLAN_MOVES: dict[str, Callable[..., Any]] = {"start": plan_start, "retry": plan_retry}


def _export(request: Request, export: int) -> Any:
    found = exports_visible(request.user).filter(pk=export).first()
    if found is None:
        raise NotThere("There is no such export that you may see.")
    return found


def _list(request: Request, campaign: Any, row: int | None) -> Any:
    if row is None:
        return None
    found = lists_visible(request.user).filter(pk=row, campaign=campaign).first()
    if found is None:
        raise NotThere("There is no such list in this campaign.")
    return found
