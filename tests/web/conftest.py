"""A world of rows, and who looks at it."""

from __future__ import annotations

import pytest

from apps.accounts.models import User
from tests.apps.gate import Gate, a_gate
from tests.apps.rows import may_create
from tests.web import world as w


@pytest.fixture
def owner(db):
    return User.objects.create_user("rosa", password="correct horse")


@pytest.fixture
def world(owner):
    return w.build(owner)


@pytest.fixture
def ours(client, owner):
    """The owner's client."""
    client.force_login(owner)
    return client


@pytest.fixture
def trainer(client, db):
    """A client of somebody who may train models."""
    person = User.objects.create_user("marie", password="correct horse")
    may_create(person)
    client.force_login(person)
    client.person = person
    return client


@pytest.fixture
def gate(db: None) -> Gate:
    """A campaign whose calculations wait at the gate."""
    return a_gate()
