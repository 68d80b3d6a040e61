"""People, campaigns and clients of the REST tests; throttles start empty."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from knox.models import AuthToken
from rest_framework.test import APIClient

from tests.api import rows


@pytest.fixture(autouse=True)
def _fresh_throttles():
    cache.clear()


@pytest.fixture
def ada(db):
    return rows.user("ada")


@pytest.fixture
def ada_session(ada):
    client = APIClient()
    client.force_login(ada)
    return client


@pytest.fixture
def token(ada):
    return AuthToken.objects.create(ada)[1]


@pytest.fixture
def api(token):
    """Ada's program: a client with her token."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client
