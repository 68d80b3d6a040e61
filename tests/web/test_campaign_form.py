"""A new campaign from the form: what is wrong stands beside its field, nothing typed is lost."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.accounts.models import User
from apps.campaigns.models import Campaign
from apps.structures.models import Import
from apps.web.forms.campaign import CampaignForm, initial_of
from apps.web.forms.protocol import generations, protocol_groups
from apps.web.forms.sections import CHOICES, SECTIONS, USED_WITH
from kappakit.protocol import GENERATIONS, PROTOCOLS
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
    return {"name": "a search", "seed": 3, "description": "why", "potential": "", "generator": "", "then": "draft",
            **plain, **changes}  # fmt: skip


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


# --- generators


def of_demo(**changes) -> dict:
    plain = {path: value for path, value in initial_of("demo").items() if value is not False}
    return filled() | plain | changes


def test_a_campaign_is_made_with_the_generator_that_was_chosen(client, boss) -> None:
    w.a_model()
    generator = w.a_generator()
    client.post(NEW, of_demo(generator=generator.pk))
    made = Campaign.objects.get()
    assert made.generator == generator
    assert made.protocol == PROTOCOLS["demo"].as_dict()
    page = client.get(reverse("campaign", args=[made.pk])).content.decode()
    assert f'<option value="{generator.pk}" selected>' in page


def test_the_form_offers_generators_apart_from_potentials(client, boss) -> None:
    potential, generator = w.a_model(), w.a_generator()
    w.a_generator("young", state="TRAINING")
    form: CampaignForm = client.get(NEW).context["form"]
    assert [name for _, name in form.fields["potential"].choices] == ["choose later", "carbon-laptop"]  # type: ignore[attr-defined]
    assert [name for _, name in form.fields["generator"].choices] == ["choose later", "carbon-generator"]  # type: ignore[attr-defined]
    assert (form.initial["potential"], form.initial["generator"]) == (str(potential.pk), str(generator.pk))
    answer = client.post(NEW, of_demo(generator=potential.pk))
    assert answer.status_code == 400
    assert 'id="id_generator_error"' in answer.content.decode()


def test_a_draft_that_needs_a_generator_says_so_and_takes_one(client, boss) -> None:
    generator = w.a_generator()
    file = SimpleUploadedFile("carbon.extxyz", b"2\n\nC 0 0 0\nC 1 1 1\n")
    page = client.post(NEW, of_demo(potential=w.a_model().pk, files=[file], then="start"), follow=True).content.decode()
    assert "The campaign has no generator: choose one, or train one first." in page
    assert "the campaign cannot start without one" in page
    made = Campaign.objects.get()
    client.post(reverse("campaign-generator", args=[made.pk]), {"generator": generator.pk})
    client.post(reverse("campaign-start", args=[made.pk]))
    made.refresh_from_db()
    assert (made.generator, made.state) == (generator, "RUNNING")
    late = client.post(reverse("campaign-generator", args=[made.pk]), {"generator": ""})
    assert late.status_code == 409
    assert "The generator belongs to the results" in late.content.decode()


def test_a_draft_without_any_generator_says_what_to_do(client, boss) -> None:
    page = client.post(NEW, of_demo(), follow=True).content.decode()
    assert "The protocol asks for a trained generator and none is ready." in page


def test_a_draft_of_the_random_search_asks_for_no_generator(client, boss) -> None:
    w.a_generator()
    page = client.post(NEW, filled(), follow=True).content.decode()
    assert "generator-choice" not in page


def test_a_potential_is_no_generator_of_a_draft(client, boss) -> None:
    potential = w.a_model()
    client.post(NEW, of_demo())
    address = reverse("campaign-generator", args=[Campaign.objects.get().pk])
    assert client.post(address, {"generator": potential.pk}).status_code == 400
    assert Campaign.objects.get().generator is None


def test_only_an_operator_chooses_the_generator(client, boss) -> None:
    generator = w.a_generator()
    client.post(NEW, of_demo())
    made = Campaign.objects.get()
    client.force_login(w.a_member(made, "vera", "viewer"))
    assert client.post(reverse("campaign-generator", args=[made.pk]), {"generator": generator.pk}).status_code == 403
    assert "generator-choice" not in client.get(reverse("campaign", args=[made.pk])).content.decode()


def test_named_ways_to_generate_fill_their_stage_and_leave_the_number_of_crystals(client, boss) -> None:
    page = client.get(NEW).content.decode()
    assert 'data-presets="generations"' in page
    assert 'id="generations"' in page
    offered = generations()
    assert list(offered) == list(GENERATIONS)
    assert offered["simple"]["generate.symmetrise"] == GENERATIONS["simple"].symmetrise
    assert "generate.count" not in offered["published"]
    assert {path for way in offered.values() for path in way} <= set(initial_of("paper"))


def test_the_long_stage_is_divided_and_says_what_only_another_choice_uses(client, boss) -> None:
    page = client.get(NEW).content.decode()
    for title in ("Supercells", "Mesh of q-points", "Scattering", "What starts by itself"):
        assert f">{title}</h3>" in page
    assert page.count('data-used-with="conductivity.supercell_rule=width"') == 2
    assert page.count('data-used-with="conductivity.supercell_rule=repeat"') == 2
    assert '<option value="enriched">enriched in the most abundant one</option>' in page
    assert "Others</h3>" not in page
    assert "Max sweep minutes</label>" in page
    assert "and what is chosen of isotopes and a boundary." in page


def test_sections_hold_every_field_of_their_stage_once_and_no_other() -> None:
    for group in protocol_groups():
        sorted_ones = [field.path for section in group.sections for field in section.fields]
        assert sorted(sorted_ones) == sorted(field.path for field in group.fields)
    known = {field.path: field for group in protocol_groups() for field in group.fields}
    for name, sections in SECTIONS.items():
        assert {f"{name}.{field}" for _, names in sections for field in names} <= set(known)
    for path, (other, value) in USED_WITH.items():
        assert path in known
        assert value in known[other].facts.choices
    for path, words in CHOICES.items():
        assert set(words) == set(known[path].facts.choices)


def test_the_protocol_s_page_says_its_choices_in_words(client, boss) -> None:
    client.post(NEW, filled())
    page = client.get(reverse("protocol", args=[Campaign.objects.get().pk])).content.decode()
    assert "RTA, relaxation time approximation" in page
    assert ">Mesh of q-points</th>" in page
