"""A world of rows, and who looks at it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission

from apps.accounts.models import User
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
    person.user_permissions.add(Permission.objects.get(codename="create_campaigns"))
    client.force_login(person)
    client.person = person
    return client
