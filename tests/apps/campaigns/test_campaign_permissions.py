"""Six roles, and what each of them includes."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser

from apps.campaigns.models import Role
from apps.campaigns.permissions import ACTIONS, actions_of, can, can_create, permit
from apps.campaigns.selectors import campaign_get, campaigns_visible
from apps.campaigns.services import FieldRefused, membership_set
from apps.core.errors import NotAllowed, NotThere
from tests.apps.rows import a_campaign, a_member, a_user

pytestmark = pytest.mark.django_db

ALLOWED = {
    "viewer": {"view"},
    "reviewer": {"view", "review"},
    "curator": {"view", "curate"},
    "operator": {"view", "operate"},
    "approver": {"view", "approve"},
    "admin": {"view", "review", "curate", "operate", "administer"},
}


@pytest.mark.parametrize("role", ALLOWED)
def test_a_role_includes_what_it_says_and_nothing_else(role: str):
    campaign = a_campaign(a_user("owner"))
    member = a_member(campaign, role)
    assert actions_of(member, campaign) == ALLOWED[role]
    assert {action for action in ACTIONS if can(member, action, campaign)} == ALLOWED[role]


def test_every_role_is_tested():
    assert set(ALLOWED) == set(Role.values)


def test_roles_add_up():
    campaign = a_campaign(a_user("owner"))
    member = a_member(campaign, "approver", "curator")
    assert actions_of(member, campaign) == {"view", "curate", "approve"}


def test_the_owner_is_an_admin_and_a_superuser_may_do_everything():
    owner = a_user("owner")
    campaign = a_campaign(owner)
    assert actions_of(owner, campaign) == ALLOWED["admin"]
    assert actions_of(a_user("root", is_superuser=True), campaign) == set(ACTIONS)


def test_a_stranger_an_anonymous_visitor_and_a_dismissed_person_see_nothing():
    campaign = a_campaign(a_user("owner"))
    gone = a_member(campaign, "admin", name="gone")
    gone.is_active = False
    for user in (a_user("stranger"), AnonymousUser(), gone):
        assert actions_of(user, campaign) == frozenset()
        assert not can_create(user)


def test_who_may_not_see_a_campaign_is_told_that_it_does_not_exist():
    campaign = a_campaign(a_user("owner"))
    stranger = a_user("stranger")
    with pytest.raises(NotThere):
        permit(stranger, "operate", campaign)
    with pytest.raises(NotThere):
        campaign_get(stranger, campaign.pk)


def test_who_lacks_a_role_is_told_which_one_it_takes():
    campaign = a_campaign(a_user("owner"))
    with pytest.raises(NotAllowed, match="admin or operator"):
        permit(a_member(campaign, "viewer"), "operate", campaign)


def test_an_action_that_does_not_exist_is_a_bug():
    owner = a_user("owner")
    with pytest.raises(KeyError):
        can(owner, "destroy", a_campaign(owner))


def test_visible_are_the_own_campaigns_and_those_with_a_role():
    owner, other = a_user("owner"), a_user("other")
    mine, theirs = a_campaign(owner, "mine"), a_campaign(other, "theirs")
    a_campaign(other, "secret")
    membership_set(campaign=theirs, user=owner, roles=["viewer"], by=other)
    assert set(campaigns_visible(owner)) == {mine, theirs}
    membership_set(campaign=theirs, user=owner, roles=[], by=other)
    assert set(campaigns_visible(owner)) == {mine}


def test_only_an_admin_gives_roles_and_only_roles_that_exist():
    owner = a_user("owner")
    campaign = a_campaign(owner)
    with pytest.raises(NotAllowed):
        membership_set(campaign=campaign, user=a_user("new"), roles=["viewer"], by=a_member(campaign, "operator"))
    with pytest.raises(FieldRefused, match="emperor"):
        membership_set(campaign=campaign, user=owner, roles=["emperor"], by=owner)


def test_membership_and_its_changes_are_history():
    owner, guest = a_user("owner"), a_user("guest")
    campaign = a_campaign(owner)
    membership_set(campaign=campaign, user=guest, roles=["curator", "viewer"], by=owner)
    membership = membership_set(campaign=campaign, user=guest, roles=["viewer"], by=owner)
    assert [event.roles for event in membership.events.order_by("pgh_id")] == [["viewer", "curator"], ["viewer"]]
