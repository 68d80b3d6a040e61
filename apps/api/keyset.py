"""Keyset pagination on (sort value, id). Rows without a value come last, in both directions, and are never lost.

A page is read in two phases, each an index range: rows with a value after the last (value, id), then rows with NULL
after the last id. The cursor carries which phase it is in; it is signed and bound to the query that it belongs to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core import signing
from django.db.models import F, Model, Q, QuerySet
from django.db.models.expressions import OrderBy

SALT = "kappaweb.api.cursor"


class BadCursor(ValueError):
    """A cursor that we did not make, or that belongs to another query."""


@dataclass(frozen=True)
class Sort:
    """An order that a list offers: a field (or annotation) of its rows, and whether it may be NULL."""

    field: str
    nullable: bool = False


@dataclass(frozen=True)
class Order:
    """A Sort in one direction; ties go by ascending id, as on the pages."""

    sort: Sort
    descending: bool

    @property
    def columns(self) -> tuple[OrderBy, ...]:
        """Arguments of order_by, spelled as the indexes are."""
        field = F(self.sort.field)
        first = field.desc(nulls_last=True) if self.descending else field.asc(nulls_last=True)
        return (first,) if self.sort.field == "pk" else (first, F("pk").asc())


@dataclass(frozen=True)
class Cursor:
    """The last row of a page: its sort value (None: it had none) and its id."""

    value: Any
    pk: Any


@dataclass(frozen=True)
class Page:
    """Rows of one page; `next` is the cursor of the following one, None at the end."""

    rows: list[Any]
    next: Cursor | None


def parse_order(text: str, sorts: Mapping[str, Sort]) -> Order:
    """'kappa_rta' or '-kappa_rta' as an Order; raises KeyError for a name that is not offered."""
    return Order(sorts[text.removeprefix("-")], text.startswith("-"))


def read_page(rows: QuerySet[Any], order: Order, size: int, after: Cursor | None) -> Page:
    """The page of at most `size` rows after a cursor; at most two queries."""
    found = _with_value(rows, order, size + 1, after)
    if order.sort.nullable and len(found) <= size:
        found += _without_value(rows, order, size + 1 - len(found), after)
    shown = found[:size]
    return Page(shown, _cursor_of(shown[-1], order) if len(found) > size else None)


def _with_value(rows: QuerySet[Any], order: Order, limit: int, after: Cursor | None) -> list[Any]:
    if after is not None and after.value is None:
        return []
    if order.sort.nullable:
        rows = rows.filter(**{f"{order.sort.field}__isnull": False})
    if after is not None:
        rows = rows.filter(_beyond(order, after))
    return list(rows.order_by(*order.columns)[:limit])


def _without_value(rows: QuerySet[Any], order: Order, limit: int, after: Cursor | None) -> list[Any]:
    rows = rows.filter(**{f"{order.sort.field}__isnull": True})
    if after is not None and after.value is None:
        rows = rows.filter(pk__gt=after.pk)
    return list(rows.order_by("pk")[:limit])


def _beyond(order: Order, after: Cursor) -> Q:
    field, side = order.sort.field, "lt" if order.descending else "gt"
    if field == "pk":
        return Q(**{f"pk__{side}": after.pk})
    further = Q(**{f"{field}__{side}": after.value}) | Q(**{field: after.value, "pk__gt": after.pk})
    return Q(**{f"{field}__{side}e": after.value}) & further


def _cursor_of(row: Model | Mapping[str, Any], order: Order) -> Cursor:
    if isinstance(row, Mapping):
        return Cursor(row[order.sort.field], row["pk"])
    return Cursor(_attribute(row, order.sort.field), row.pk)


def _attribute(row: Any, path: str) -> Any:
    for name in path.split("__"):
        row = getattr(row, name)
    return row


def query_digest(parameters: Mapping[str, Any]) -> str:
    """What binds a cursor to its query: the parameters except page size and cursor."""
    kept = sorted((name, str(value)) for name, value in parameters.items() if name not in {"cursor", "page_size"})
    return hashlib.sha256(repr(kept).encode()).hexdigest()[:16]


def write_cursor(cursor: Cursor, digest: str) -> str:
    """The cursor as opaque, signed text."""
    value = cursor.value
    kind = "t" if isinstance(value, datetime) else "v"
    return signing.dumps([digest, kind, value.isoformat() if kind == "t" else value, cursor.pk], salt=SALT)


def read_cursor(text: str, digest: str) -> Cursor:
    """The cursor of a text that write_cursor made for the same query; raises BadCursor."""
    try:
        made_for, kind, value, pk = signing.loads(text, salt=SALT)
    except (signing.BadSignature, ValueError) as error:
        raise BadCursor("This is not a cursor of ours.") from error
    if made_for != digest:
        raise BadCursor("This cursor belongs to another query: sort and filters must stay as they were.")
    return Cursor(datetime.fromisoformat(value) if kind == "t" else value, pk)
