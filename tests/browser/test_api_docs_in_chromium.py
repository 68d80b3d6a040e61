"""The API's own page works under the policy: operations are shown and a token is made by a click."""

from __future__ import annotations


def test_the_api_page_lists_operations_and_makes_a_token_without_complaint(seat):
    page = seat.go("/api/v1/docs/")
    page.locator("#operations-tokens-tokens_create .opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    answer = page.locator("#operations-tokens-tokens_create .live-responses-table .response .response-col_status").first
    answer.wait_for()
    assert answer.inner_text().startswith("201")
    assert seat.complaints == []
