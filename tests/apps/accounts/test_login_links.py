"""A login link works once, for fifteen minutes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import LoginLink
from apps.accounts.services import LinkRefused, campaigns_allow, login_link_create, login_link_use, user_ensure
from apps.core import clock

pytestmark = pytest.mark.django_db


def test_a_link_works_once():
    token = login_link_create(user=user_ensure(username="ada"), now=clock.now())
    assert login_link_use(token=token, now=clock.now()).username == "ada"
    with pytest.raises(LinkRefused):
        login_link_use(token=token, now=clock.now())


def test_a_link_ends_after_fifteen_minutes():
    token = login_link_create(user=user_ensure(username="ada"), now=clock.now() - timedelta(minutes=15, seconds=1))
    with pytest.raises(LinkRefused):
        login_link_use(token=token, now=clock.now())


def test_the_token_itself_is_not_stored():
    token = login_link_create(user=user_ensure(username="ada"), now=clock.now())
    assert token not in str(list(LoginLink.objects.values()))


def test_a_link_signs_its_person_in(client):
    path = "/enter/" + login_link_create(user=user_ensure(username="ada"), now=clock.now()) + "/"
    assert client.get(path).status_code == 302
    assert "_auth_user_id" in client.session
    assert client.get(path).status_code == 403


def test_a_link_for_nobody_is_refused():
    with pytest.raises(CommandError, match="nobody named 'ghost'"):
        call_command("login_link", "ghost")


def test_creating_campaigns_is_a_permission_that_is_given():
    ada = user_ensure(username="ada")
    assert not ada.has_perm("accounts.create_campaigns")
    campaigns_allow(user=ada)
    assert user_ensure(username="ada").has_perm("accounts.create_campaigns")
