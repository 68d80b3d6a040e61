"""The life of a token: made in a session, hashed, shown once, ends by time or by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient

from tests.api import rows

TOKENS = "/api/v1/tokens/"


def bearer(token: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def test_a_session_makes_a_token_that_is_stored_only_as_a_digest(ada_session):
    answer = ada_session.post(TOKENS, {"days": 7}, format="json")
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "no-store"
    (row,) = AuthToken.objects.all()
    token = answer.json()["token"]
    assert token not in (row.digest, row.token_key)
    assert abs(row.expiry - timezone.now() - timedelta(days=7)) < timedelta(minutes=1)
    assert bearer(token).get("/api/v1/tokens/").json()["code"] == "permission_denied"


def test_a_token_makes_no_token(api):
    assert api.post(TOKENS, {}, format="json").status_code == 403


def test_the_list_shows_no_secret_and_only_ones_own(ada_session, token):
    AuthToken.objects.create(rows.user("eve"))
    (shown,) = ada_session.get(TOKENS).json()["results"]
    assert set(shown) == {"key", "created_at", "expires_at"}
    assert token.startswith(shown["key"])
    assert len(shown["key"]) < 20 < len(token)


def test_a_revoked_token_is_refused_at_once(ada_session, api, token):
    key = token[:15]
    assert ada_session.delete(f"{TOKENS}{key}/").status_code == 204
    answer = api.get(TOKENS)
    assert (answer.status_code, answer.json()["code"]) == (401, "authentication_failed")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_token_revokes_itself_and_no_other(ada, api, token):
    other, _ = AuthToken.objects.create(ada)
    assert api.delete(f"{TOKENS}{other.token_key}/").status_code == 404
    assert api.delete(f"{TOKENS}{token[:15]}/").status_code == 204
    assert [row.pk for row in AuthToken.objects.all()] == [other.pk]


def test_nobody_revokes_anothers_token(token):
    eve = APIClient()
    eve.force_login(rows.user("eve"))
    assert eve.delete(f"{TOKENS}{token[:15]}/").status_code == 404
    assert AuthToken.objects.count() == 1


def test_an_expired_token_is_refused(ada):
    _, token = AuthToken.objects.create(ada, expiry=timedelta(seconds=-1))
    assert bearer(token).get(TOKENS).status_code == 401


@pytest.mark.parametrize("wrong", ["x" * 64, "é", "a b", ""])
def test_a_wrong_token_is_a_401_problem(db, wrong):
    answer = bearer(wrong).get(TOKENS)
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"


def test_a_session_without_its_csrf_token_writes_nothing(ada):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(ada)
    assert client.post(TOKENS, {}, format="json").status_code == 403
    assert not AuthToken.objects.exists()


def test_making_tokens_is_throttled(ada_session):
    answers = [ada_session.post(TOKENS, {}, format="json") for _ in range(31)]
    assert [a.status_code for a in answers[:30]] == [201] * 30
    assert ada_session.get(TOKENS).status_code == 200
    last = answers[-1]
    assert (last.status_code, last.json()["code"]) == (429, "throttled")
    assert int(last["Retry-After"]) > 0
