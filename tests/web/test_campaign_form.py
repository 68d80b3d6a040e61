"""A new campaign from the form: what is wrong stands beside its field, nothing typed is lost."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.accounts.models import User
from apps.campaigns.models import Campaign
from apps.structures.models import Import
from apps.web.forms.campaign import initial_of
from kappakit.protocol import PROTOCOLS
from tests.web import world as w

NEW = "/campaigns/new/"


@pytest.fixture
def boss(client, db):
    """Somebody who may create campaigns."""
    person = User.objects.create_superuser("boss", password="correct horse")
    client.force_login(person)
    return person


def filled(**changes) -> dict:
    plain = {path: value for path, value in initial_of("smoke").items() if value is not False}
    return {"name": "a search", "seed": 3, "description": "why", "potential": "", "then": "draft", **plain, **changes}


def test_the_form_shows_every_number_of_the_protocol_with_unit_default_and_origin(client, boss) -> None:
    page = client.get(NEW).content.decode()
    assert "Mesh length (Å)" in page
    assert "Default 25.0, <em>the paper’s</em>" in page
    assert "Default 0.03, <em>ours</em>" in page


def test_what_is_filled_in_becomes_the_campaign_s_protocol(client, boss) -> None:
    model = w.a_model()
    file = SimpleUploadedFile("carbon.extxyz", b"2\n\nC 0 0 0\nC 1 1 1\n")
    response = client.post(NEW, filled(potential=model.pk, files=[file], **{"sample.count": 5}))
    made = Campaign.objects.get()
    assert response["Location"] == reverse("campaign", args=[made.pk])
    assert (made.name, made.seed, made.potential, made.state) == ("a search", 3, model, "DRAFT")
    assert made.protocol == {**PROTOCOLS["smoke"].as_dict(), "sample": {**made.protocol["sample"], "count": 5}}
    assert Import.objects.get().file_name == "carbon.extxyz"


def test_a_number_out_of_range_is_told_beside_its_field_and_the_rest_stays(client, boss) -> None:
    response = client.post(NEW, filled(**{"relax.max_steps": -4, "screen.symprec": "wide", "name": "kept name"}))
    page = response.content.decode()
    assert response.status_code == 400
    assert "must be at least 1 steps" in page
    assert "Enter a number." in page
    assert 'value="kept name"' in page
    assert 'value="-4"' in page
    assert not Campaign.objects.exists()


def test_a_name_that_is_taken_is_told_and_nothing_is_stored(client, boss) -> None:
    client.post(NEW, filled())
    file = SimpleUploadedFile("carbon.extxyz", b"2\n\nC 0 0 0\nC 1 1 1\n")
    response = client.post(NEW, filled(files=[file]))
    assert response.status_code == 400
    assert "is taken" in response.content.decode()
    assert Campaign.objects.count() == 1
    assert not Import.objects.exists()


def test_an_empty_file_is_told_beside_the_files(client, boss) -> None:
    response = client.post(NEW, filled(files=[SimpleUploadedFile("empty.cif", b"")]))
    assert response.status_code == 400
    assert "empty" in response.content.decode()


def test_without_a_potential_it_stays_a_draft_and_says_why(client, boss) -> None:
    page = client.post(NEW, filled(then="start"), follow=True).content.decode()
    assert Campaign.objects.get().state == "DRAFT"
    assert "The campaign has no potential" in page


def test_htmx_gets_the_form_alone_and_is_sent_on_by_a_header(client, boss) -> None:
    wrong = client.post(NEW, filled(name=""), headers={"HX-Request": "true"})
    assert wrong.status_code == 422
    assert "<html" not in wrong.content.decode()
    right = client.post(NEW, filled(), headers={"HX-Request": "true"})
    assert right["HX-Redirect"] == reverse("campaign", args=[Campaign.objects.get().pk])


def test_who_may_not_create_campaigns_is_told(client, db) -> None:
    client.force_login(User.objects.create_user("guest"))
    response = client.get(NEW)
    assert response.status_code == 403
    assert "You may not create campaigns" in response.content.decode()
