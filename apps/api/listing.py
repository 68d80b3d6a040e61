"""The common ground of the views: strict parameters, keyset pages, filters, downloads that never change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import django_filters
from django import forms
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from apps.api.errors import FieldError, FieldsRefused
from apps.api.facts import units_of
from apps.api.keyset import BadCursor, Cursor, Order, Page, Sort, parse_order, query_digest, read_cursor, read_page
from apps.api.keyset import write_cursor as write
from apps.api.strictness import only_parameters

PAGE_SIZE, LARGEST_PAGE = 100, 500
PAGING = frozenset({"cursor", "page_size", "sort"})
BY_ID = {"id": Sort("pk")}


class ApiView(APIView):
    """A view that refuses query parameters it does not know."""

    known_parameters: ClassVar[frozenset[str]] = frozenset()
    """Of GET; the other methods take none."""
    post_scope: ClassVar[str] = ""
    """Throttle of POST, beside the general one."""

    @property
    def throttle_scope(self) -> str | None:
        """What ScopedRateThrottle asks for."""
        return (self.post_scope or None) if self.request.method == "POST" else None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After authentication, permissions and throttles: strictness."""
        super().initial(request, *args, **kwargs)
        only_parameters(request.query_params, self.parameters() if request.method in {"GET", "HEAD"} else ())

    def parameters(self) -> frozenset[str]:
        """Names of the query parameters that GET takes."""
        return self.known_parameters

    def body(self, serializer: type[BaseSerializer[Any]]) -> dict[str, Any]:
        """The validated body; raises ValidationError."""
        checked = serializer(data=self.request.data)
        checked.is_valid(raise_exception=True)
        return checked.validated_data


class ListView(ApiView):
    """GET: a keyset page of rows, `{"next": address or null, "units": {path: unit}, "results": […]}`."""

    item: ClassVar[type[BaseSerializer[Any]]]
    sorts: ClassVar[Mapping[str, Sort]] = BY_ID
    default_sort: ClassVar[str] = "id"
    filterset: ClassVar[type[django_filters.FilterSet] | None] = None

    def rows(self, **where: Any) -> QuerySet[Any]:
        """What the asking person may see, unordered."""
        raise NotImplementedError

    def get(self, request: Request, **where: Any) -> Response:
        """One page."""
        order, size = self._order(), self._size()
        rows = filtered(self.filterset, request, self.rows(**where)) if self.filterset else self.rows(**where)
        page = read_page(rows, order, size, self._after())
        shown = self.item(page.rows, many=True, context={"request": request})
        return Response({"next": self._next(page), "units": units_of(shown), "results": shown.data})

    def parameters(self) -> frozenset[str]:
        """Paging and the filters."""
        return PAGING | (frozenset(parameter_names(self.filterset)) if self.filterset else frozenset())

    def _order(self) -> Order:
        text = self.request.query_params.get("sort", self.default_sort)
        try:
            return parse_order(text, self.sorts)
        except KeyError as error:
            offered = ", ".join(self.sorts)
            raise _refused("sort", "invalid_choice", f"offered: {offered}; with a minus: descending") from error

    def _size(self) -> int:
        text = self.request.query_params.get("page_size", str(PAGE_SIZE))
        if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= LARGEST_PAGE):
            raise _refused("page_size", "invalid", f"must be a whole number from 1 to {LARGEST_PAGE}")
        return int(text)

    def _after(self) -> Cursor | None:
        text = self.request.query_params.get("cursor")
        if text is None:
            return None
        try:
            return read_cursor(text, self._digest())
        except BadCursor as error:
            raise _refused("cursor", "bad_cursor", str(error)) from error

    def _next(self, page: Page) -> str | None:
        if page.next is None:
            return None
        query = self.request.query_params.copy()
        query["cursor"] = write(page.next, self._digest())
        return self.request.build_absolute_uri(f"{self.request.path}?{query.urlencode()}")

    def _digest(self) -> str:
        query = self.request.query_params
        return query_digest({"path": self.request.path, **{name: query.getlist(name) for name in query}})


def filtered(filterset: type[django_filters.FilterSet], request: Request, rows: QuerySet[Any]) -> QuerySet[Any]:
    """The rows that the request's filters leave; raises FieldsRefused."""
    bound = filterset(request.query_params, queryset=rows, request=request)
    errors = [*_form_errors(bound.form), *unclear_booleans(filterset, request.query_params)]
    if errors:
        raise FieldsRefused("validation_failed", "A filter cannot be used.", errors)
    return bound.qs


def parameter_names(filterset: type[django_filters.FilterSet]) -> Iterator[str]:
    """The query parameters of a FilterSet, those of ranges (…_min, …_max) too."""
    for name, found in filterset.base_filters.items():
        widget = found.field.widget
        suffixes = getattr(widget, "widgets_names", [""])
        yield from (f"{name}{suffix}" for suffix in suffixes)


def _form_errors(form: forms.Form) -> Iterator[FieldError]:
    for field, errors in form.errors.as_data().items():
        for error in errors:
            yield FieldError(field, error.code or "invalid", " ".join(error.messages))


def unclear_booleans(filterset: type[django_filters.FilterSet], query: Mapping[str, Any]) -> list[FieldError]:
    """django-filter reads an unclear boolean as 'not filtered'."""
    booleans = [n for n, found in filterset.base_filters.items() if isinstance(found.field, forms.NullBooleanField)]
    unclear = [name for name in booleans if query.get(name, "true") not in {"true", "false"}]
    return [FieldError(name, "invalid", "must be true or false") for name in unclear]


def _refused(field: str, code: str, message: str) -> FieldsRefused:
    return FieldsRefused("validation_failed", f"{field}: {message}", [FieldError(field, code, message)])
