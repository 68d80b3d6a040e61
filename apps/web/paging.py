"""Pages of a long list: offset with a capped depth and a capped count, so that 100,000 rows stay quick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

PER_PAGE = 50
DEEPEST = 200
"""The last page that can be asked for: further down, filter."""
COUNT_CAP = PER_PAGE * DEEPEST


@dataclass(frozen=True)
class Page:
    """`rows` of page `number`; `count` of all, at most COUNT_CAP; `capped`: there are more."""

    rows: list[Any]
    number: int
    pages: int
    count: int
    capped: bool
    first: int
    last: int

    @property
    def previous(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        return self.number + 1 if self.number < self.pages else None


def paged(rows: QuerySet[Any], asked: str | None, per_page: int = PER_PAGE) -> Page:
    """Page `asked` (1 for what is no number, the last for what is too deep). Two queries."""
    count = rows.order_by()[: COUNT_CAP + 1].count()
    shown = min(count, COUNT_CAP)
    pages = max(1, -(-shown // per_page))
    number = min(max(int(asked), 1), pages) if asked and asked.isdecimal() else 1
    start = (number - 1) * per_page
    found = list(rows[start : start + per_page])
    return Page(found, number, pages, shown, count > COUNT_CAP, start + 1, start + len(found))
