"""Every page answers its member, refuses strangers, and asks the database little."""

from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from tests.web import world as w

MOST_QUERIES = 15


def campaign_pages(world) -> dict[str, str]:
    pk = world.campaign.pk
    names = ("campaign", "campaign-progress", "campaign-results", "protocol", "members")
    names += ("candidates", "map", "lists", "refusals", "committee", "committee-progress")
    names += ("campaign-dft", "campaign-ledger")
    return {
        **{name: reverse(name, args=[pk]) for name in names},
        "list": reverse("list", args=[world.list.pk]),
        "candidate": reverse("candidate", args=[world.candidates["diamond"].pk]),
        "candidate without κ": reverse("candidate", args=[world.waiting.candidate_id]),
        "job": reverse("job", args=[world.job.pk]),
    }


def common_pages(world) -> dict[str, str]:
    plain = ("campaigns", "models", "jobs", "controls", "approvals", "my-requests")
    return {**{name: reverse(name) for name in plain}, "model": reverse("model", args=[world.model.pk])}


def test_every_page_answers_a_member_in_few_queries(ours, world) -> None:
    told = {}
    for name, address in {**campaign_pages(world), **common_pages(world)}.items():
        with CaptureQueriesContext(connection) as asked:
            response = ours.get(address)
        assert response.status_code in (200, 286), (name, response.status_code)
        told[name] = len(asked)
    assert {name: count for name, count in told.items() if count > MOST_QUERIES} == {}


def test_a_stranger_learns_nothing_of_a_campaign(client, world) -> None:
    client.force_login(User.objects.create_user("stranger"))
    statuses = {name: client.get(address).status_code for name, address in campaign_pages(world).items()}
    assert set(statuses.values()) == {404}, statuses


def test_who_is_not_signed_in_is_asked_to(client, world) -> None:
    for address in {**campaign_pages(world), **common_pages(world)}.values():
        response = client.get(address)
        assert response.status_code == 302
        assert response["Location"].startswith("/login/")


def test_every_role_sees_every_page(client, world) -> None:
    for role in ("viewer", "reviewer", "curator", "operator", "approver", "admin"):
        client.force_login(w.a_member(world.campaign, f"a-{role}", role))
        statuses = {name: client.get(address).status_code for name, address in campaign_pages(world).items()}
        assert set(statuses.values()) <= {200, 286}, (role, statuses)
