"""Curation in the admin: everything by services, with a reason; nothing is ever deleted."""

from __future__ import annotations

import numpy as np
import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from apps.campaigns.models import Campaign
from apps.maps.services import map_record
from apps.reviews import services
from apps.reviews.models import CandidateSummary
from apps.structures.models import Candidate, DuplicateMatch, Exclusion, Outcome
from tests.apps.rows import a_campaign, a_candidate, a_member, a_result, a_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign() -> Campaign:
    return a_campaign(a_user("owner", is_superuser=True, is_staff=True))


@pytest.fixture
def candidates(campaign: Campaign) -> list[Candidate]:
    return [a_candidate(campaign, index) for index in range(2)]


@pytest.fixture
def desk(campaign: Campaign, client: Client) -> Client:
    client.force_login(campaign.owner)
    return client


def messages(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_a_structure_is_renamed_and_tagged_and_its_geometry_is_not_asked_for(desk, candidates) -> None:
    structure = candidates[0].relaxed
    address = reverse("admin:structures_structure_change", args=[structure.pk])
    form = desk.get(address).context["adminform"].form
    assert set(form.fields) == {"name", "tags"}
    desk.post(address, {"name": "cubic diamond", "tags": "sp3,hard"})
    row = CandidateSummary.objects.get(pk=candidates[0].pk)
    assert (row.name, row.tags) == ("cubic diamond", ["hard", "sp3"])
    structure.refresh_from_db()
    assert structure.digest == candidates[0].relaxed.digest


def test_a_duplicate_is_marked_and_undone(desk, candidates) -> None:
    one, other = candidates
    asked = {"duplicate": other.pk, "representative": one.pk, "reason": "the same by eye"}
    desk.post(reverse("admin:structures_duplicatematch_add"), asked)
    match = DuplicateMatch.objects.get()
    assert CandidateSummary.objects.get(pk=other.pk).outcome == Outcome.DUPLICATE
    address = reverse("admin:structures_duplicatematch_change", args=[match.pk])
    assert set(desk.get(address).context["adminform"].form.fields) == {"undo_reason"}
    desk.post(address, {"undo_reason": "another stacking"})
    match.refresh_from_db()
    assert (match.undo_reason, match.undone_by) == ("another stacking", one.campaign.owner)
    assert CandidateSummary.objects.get(pk=other.pk).outcome == Outcome.KEPT
    assert desk.post(address, {"undo_reason": "once more"}).status_code == 403


def test_an_exclusion_is_made_and_undone(desk, candidates) -> None:
    desk.post(reverse("admin:structures_exclusion_add"), {"candidate": candidates[0].pk, "reason": "broken file"})
    exclusion = Exclusion.objects.get()
    assert CandidateSummary.objects.get(pk=candidates[0].pk).excluded
    address = reverse("admin:structures_exclusion_change", args=[exclusion.pk])
    desk.post(address, {"undo_reason": ""})
    assert CandidateSummary.objects.get(pk=candidates[0].pk).excluded
    desk.post(address, {"undo_reason": "it was fine"})
    assert not CandidateSummary.objects.get(pk=candidates[0].pk).excluded


def test_a_refusal_of_the_service_is_a_sentence_and_changes_nothing(desk, candidates) -> None:
    services.candidate_exclude(candidate=candidates[0], user=candidates[0].campaign.owner, reason="r")
    asked = {"candidate": candidates[0].pk, "reason": "again"}
    answer = desk.post(reverse("admin:structures_exclusion_add"), asked, follow=True)
    assert messages(answer) == ["This candidate is excluded already."]
    assert Exclusion.objects.count() == 1


def test_the_admins_permission_is_not_enough_without_the_role_in_the_campaign(campaign, candidates, client) -> None:
    viewer = a_member(campaign, "viewer")
    viewer.user_permissions.add(*Permission.objects.filter(content_type__model="exclusion"))
    type(viewer).objects.filter(pk=viewer.pk).update(is_staff=True)
    client.force_login(viewer)
    asked = {"candidate": candidates[0].pk, "reason": "I want to"}
    answer = client.post(reverse("admin:structures_exclusion_add"), asked, follow=True)
    assert "takes the role" in messages(answer)[0]
    assert not Exclusion.objects.exists()


def test_every_list_opens_and_nothing_can_be_deleted(desk, campaign, candidates, rf, tmp_path, settings) -> None:
    settings.ARTIFACTS = tmp_path
    a_result(candidates[0], 2000.0)
    ids = [c.pk for c in candidates]
    places = np.array([[0.0, 0.0], [1.0, 1.0]])
    settings_of_map = {"seed": 0}
    map_record(
        campaign=campaign, ids=ids, descriptors=places, plane=places, settings=settings_of_map, perplexity=1, notes=[]
    )
    services.candidate_comment(candidate=candidates[0], user=campaign.owner, text="hm")
    request = rf.get("/")
    request.user = campaign.owner
    ours = {
        m: a
        for m, a in admin.site._registry.items()
        if m.__module__.startswith("apps.") and "accounts" not in m.__module__
    }
    assert len(ours) > 20
    for model, model_admin in ours.items():
        assert not model_admin.has_delete_permission(request), model
        assert "delete_selected" not in model_admin.get_actions(request)
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert desk.get(reverse(f"{name}_changelist")).status_code == 200, model
        first = model.objects.first()
        if first is not None:
            assert desk.get(reverse(f"{name}_change", args=[first.pk])).status_code == 200, model
            assert desk.post(reverse(f"{name}_delete", args=[first.pk]), {"post": "yes"}).status_code == 403, model


def test_numbers_in_the_lists_carry_their_units(desk, candidates) -> None:
    page = desk.get(reverse("admin:structures_structure_changelist")).content.decode()
    assert "density (g/cm³)" in page.lower()
    assert "volume (å³/atom)" in page.lower()
