"""How the views become OpenAPI: pages, filters and problems are described once, here."""

from __future__ import annotations

from functools import cache
from typing import Any

from django import forms
from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from apps.api.errors import PROBLEM
from apps.api.listing import LARGEST_PAGE, PAGE_SIZE, ApiView, ListView

PROBLEMS = {
    "400": "What was sent cannot be used; `errors` names the fields.",
    "401": "No token, or one that is wrong or too old.",
    "403": "You may see this, but not do it.",
    "404": "There is nothing here that you may see.",
    "405": "The address does not take this method.",
    "406": "Nothing can be sent in a format that you accept.",
    "409": "The state does not permit it, or somebody was quicker.",
    "415": "The body must be application/json.",
    "429": "Too many requests: wait as long as Retry-After says.",
}
READ_ONLY = {"400", "401", "403", "404", "405", "406", "429"}


class ProblemErrorSerializer(serializers.Serializer):
    """What is wrong with one field."""

    field = serializers.CharField(allow_blank=True, help_text="Path of the field, e.g. protocol.relax.max_steps.")
    code = serializers.CharField()
    message = serializers.CharField()


class ProblemSerializer(serializers.Serializer):
    """A refusal (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="Stable, for programs.")
    detail = serializers.CharField(help_text="A sentence, for people.")
    request_id = serializers.CharField(help_text="Stands in our log.")
    errors = ProblemErrorSerializer(many=True)


class BearerScheme(KnoxTokenScheme):
    """`Authorization: Bearer …`."""

    target_class = "apps.api.authentication.BearerAuthentication"
    name = "token"


class ApiSchema(AutoSchema):
    """Knows ListView, its paging and filters, and the problems that every operation may answer with."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """The operation with its problems."""
        operation = super().get_operation(*args, **kwargs)
        if operation is not None:
            self._add_problems(operation["responses"])
        return operation

    def get_operation_id(self) -> str:
        """'campaigns_list', 'campaigns_retrieve', 'campaigns_start_create' …"""
        words = [token.replace("-", "_") for token in self._tokenize_path()]
        action = "list" if self._is_page() else self.method_mapping[self.method.lower()]
        return "_".join([*words, action])

    def get_response_serializers(self) -> Any:
        """A page of the list's items; other views say it themselves."""
        return page_serializer(self.view.item) if self._is_page() else super().get_response_serializers()

    def get_description(self) -> str:
        """A list is described by its view."""
        return (self.view.__doc__ or "") if self._is_page() else super().get_description()

    def get_override_parameters(self) -> list[Any]:
        """Paging and filters of a list."""
        if not self._is_page():
            return []
        filters = {} if self.view.filterset is None else _filters(self.view.filterset)
        return [*_paging(self.view), *(found for name, found in filters.items() if name != "sort")]

    def _is_page(self) -> bool:
        return isinstance(self.view, ListView) and self.method == "GET"

    def _is_list_view(self, serializer: Any = None) -> bool:
        if isinstance(self.view, ApiView):
            return isinstance(serializer, serializers.ListSerializer)
        return super()._is_list_view(serializer)

    def _add_problems(self, responses: dict[str, Any]) -> None:
        reference = self.resolve_serializer(ProblemSerializer, "response").ref
        for status, meaning in PROBLEMS.items():
            if self.method != "GET" or status in READ_ONLY:
                responses[status] = {"description": meaning, "content": {PROBLEM: {"schema": reference}}}


@cache
def page_serializer(item: type[serializers.Serializer]) -> type[serializers.Serializer]:
    """The envelope of a page of `item`."""
    fields = {
        "__doc__": "A page: its rows, and the address of the next one.",
        "next": serializers.URLField(allow_null=True, help_text="Address of the next page; null at the end."),
        "units": serializers.DictField(child=serializers.CharField(), help_text="Path in a row → its unit."),
        "results": item(many=True),
    }
    return type(f"{item.__name__.removesuffix('Serializer')}PageSerializer", (serializers.Serializer,), fields)


def filter_schema(filterset: Any) -> dict[str, Any]:
    """A FilterSet's query as a JSON object."""
    found = {name: _value_schema(kept.field) for name, kept in filterset.base_filters.items()}
    return {"type": "object", "properties": found, "additionalProperties": False}


def _paging(view: ListView) -> list[OpenApiParameter]:
    orders = [sign + name for name in view.sorts for sign in ("", "-")]
    return [
        OpenApiParameter(
            "sort",
            str,
            enum=orders,
            default=view.default_sort,
            description="A minus: descending. Rows without a value come last.",
        ),
        OpenApiParameter("page_size", {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE_SIZE}),
        OpenApiParameter("cursor", str, description="From `next`; belongs to the same sort and filters."),
    ]


def _filters(filterset: Any) -> dict[str, OpenApiParameter]:
    return {name: _parameter(name, found.field, found.label) for name, found in filterset.base_filters.items()}


def _parameter(name: str, field: forms.Field, label: str) -> OpenApiParameter:
    many = isinstance(field, forms.MultipleChoiceField)
    return OpenApiParameter(name, _value_schema(field), description=str(label or ""), explode=many or None)


def _value_schema(field: forms.Field) -> dict[str, Any]:
    schema = _schema_of(field)
    return {"type": "array", "items": schema} if isinstance(field, forms.MultipleChoiceField) else schema


def _schema_of(field: forms.Field) -> dict[str, Any]:
    if isinstance(field, forms.ChoiceField):
        return {"type": "string", "enum": [value for value, _ in field.choices if value != ""]}
    if isinstance(field, forms.NullBooleanField):
        return {"type": "boolean"}
    if isinstance(field, forms.DecimalField):
        return _within({"type": "number"}, field)
    return {"type": "string"}


def _within(schema: dict[str, Any], field: forms.DecimalField) -> dict[str, Any]:
    limits = {"minimum": field.min_value, "maximum": field.max_value}
    return schema | {name: float(limit) for name, limit in limits.items() if limit is not None}
