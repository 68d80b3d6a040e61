"""Every answer names its request."""

import pytest

pytestmark = pytest.mark.django_db


def test_an_answer_carries_a_request_id(client):
    first, second = (client.get("/login/")["X-Request-ID"] for _ in range(2))
    assert len(first) == 32
    assert first != second


def test_a_well_formed_id_of_a_proxy_is_kept_and_any_other_is_not(client):
    assert client.get("/login/", headers={"X-Request-ID": "abc-123_DEF"})["X-Request-ID"] == "abc-123_DEF"
    assert client.get("/login/", headers={"X-Request-ID": "a b\n<c>"})["X-Request-ID"] != "a b\n<c>"
