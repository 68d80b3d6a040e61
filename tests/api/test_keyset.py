"""The union of all pages is the set, for every order, when nine rows of ten have no value."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.api.keyset import BadCursor, Cursor, Order, Sort, query_digest, read_cursor, read_page, write_cursor
from apps.reviews.models import CandidateSummary
from apps.reviews.selectors import SORTS
from tests.api import rows

COUNT = 40
NULLABLE = [name for name in SORTS if CandidateSummary._meta.get_field(name).null]
FLOATS = st.floats(min_value=-1e12, max_value=1e12, allow_nan=False)


@pytest.fixture
def forty(db):
    """Forty candidates with a summary each."""
    campaign = rows.campaign(rows.user("ada"))
    return rows.summaries(rows.candidates(campaign, COUNT, rows.structure()))


def walk(order: Order, size: int) -> list[int]:
    """Ids of all pages, one after the other, each cursor through its text."""
    found, after = [], None
    while True:
        page = read_page(CandidateSummary.objects.all(), order, size, after)
        found += [row.pk for row in page.rows]
        if page.next is None:
            return found
        after = read_cursor(write_cursor(page.next, "q"), "q")


@pytest.mark.parametrize("name", SORTS)
@pytest.mark.parametrize("descending", [False, True])
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_all_pages_together_are_all_rows_in_order(forty, name, descending, data):
    field = CandidateSummary._meta.get_field(name)
    if name != "index":
        strategy = FLOATS if field.get_internal_type() == "FloatField" else st.integers(1, 5)
        strategy = strategy if name in NULLABLE else st.sampled_from(["", "a", "b", "é", "κ"])
        few = data.draw(st.lists(strategy, min_size=COUNT // 10, max_size=COUNT // 10))
        for row in forty:
            setattr(row, name, None if name in NULLABLE else "a")
        for at, value in zip(data.draw(st.permutations(range(COUNT))), few, strict=False):
            setattr(forty[at], name, value)
        CandidateSummary.objects.bulk_update(forty, [name])
    order = Order(Sort(name, nullable=field.null), descending)
    found = walk(order, data.draw(st.integers(1, COUNT + 1)))
    assert found == [row.pk for row in CandidateSummary.objects.order_by(*order.columns)]
    assert len(found) == len(set(found)) == COUNT


def test_a_page_asks_at_most_two_queries(forty, django_assert_max_num_queries):
    with django_assert_max_num_queries(2):
        page = read_page(CandidateSummary.objects.all(), Order(Sort("kappa_rta", True), True), 7, None)
    assert len(page.rows) == 7


def test_rows_without_a_value_come_last_in_both_directions(forty):
    CandidateSummary.objects.filter(pk=forty[7].pk).update(kappa_rta=3.0)
    for descending in (False, True):
        assert walk(Order(Sort("kappa_rta", True), descending), 6)[0] == forty[7].pk


def test_a_cursor_of_another_query_or_of_nobody_is_refused():
    text = write_cursor(Cursor(None, 5), query_digest({"sort": "kappa_rta"}))
    assert read_cursor(text, query_digest({"sort": "kappa_rta", "page_size": "3"})) == Cursor(None, 5)
    with pytest.raises(BadCursor, match="another query"):
        read_cursor(text, query_digest({"sort": "-kappa_rta"}))
    with pytest.raises(BadCursor, match="not a cursor"):
        read_cursor(text[:-1] + ("a" if text[-1] != "a" else "b"), "q")
