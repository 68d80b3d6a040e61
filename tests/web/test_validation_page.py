"""The validation on a candidate's page and in the programs' face."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from apps.conductivity.models import Validation
from apps.conductivity.services import validations_reconcile
from apps.reviews.dossier import BandsFacts
from apps.web.figures.phonons import bands_beside
from tests.apps.rows import a_member
from tests.apps.validating import Way, a_way, compute, run_jobs

pytestmark = pytest.mark.django_db


@pytest.fixture
def way(db: None) -> Way:
    return a_way()


def page(way: Way, client: Client) -> str:
    """The part of the candidate's page that loads by itself."""
    address = reverse("candidate-validation", args=[way.candidate.pk])
    assert address in client.get(reverse("candidate", args=[way.candidate.pk])).content.decode()
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_reviewer_asks_follows_and_reads_the_verdict(
    way: Way, client: Client, tmp_path: Path, django_assert_max_num_queries
) -> None:
    client.force_login(way.scientist)
    assert "Ask for DFT validation" in page(way, client)
    answer = client.post(reverse("candidate-validate", args=[way.candidate.pk]), {"part": "harmonic"})
    assert answer.status_code == 302
    assert "Being prepared" in page(way, client)
    run_jobs(tmp_path)
    text = page(way, client)
    assert "1 wait for approval" in text
    assert "harmonic 1 supercell of 16 atoms" in text
    found = Validation.objects.get()
    way.decide(found.relax_request)
    compute(found.relax_request)
    run_jobs(tmp_path)
    found.refresh_from_db()
    way.decide(found.supercell_request)
    compute(found.supercell_request)
    run_jobs(tmp_path)
    text = page(way, client)
    for words in ("DFT confirms stable phonons", "validation-data-harmonic", "Smallest gap on the mesh", "4.20", "THz"):
        assert words in text
    dossier = client.get(reverse("api-candidate", args=[way.candidate.pk])).json()
    (told,) = dossier["validations"]
    assert (told["verdict"], told["gap"], told["state"]) == ("confirmed", 4.2, "DONE")
    assert dossier["units"]["validations.deviation"] == "THz"
    with django_assert_max_num_queries(15):
        client.get(reverse("candidate-validation", args=[way.candidate.pk]))


def test_a_validation_that_was_denied_says_so_on_the_page(way: Way, client: Client, tmp_path: Path) -> None:
    found = way.ask()
    run_jobs(tmp_path)
    found.refresh_from_db()
    way.decide(found.relax_request, "deny", "too dear")
    validations_reconcile()
    client.force_login(way.scientist)
    text = page(way, client)
    assert "It stopped." in text
    assert "Denied by approver" in text
    assert "too dear" in text
    answer = client.post(reverse("candidate-validate", args=[way.candidate.pk]), {"resume": str(found.pk)}, follow=True)
    assert "Ask for another validation instead" in answer.content.decode()


def test_who_only_looks_is_not_offered_the_button(way: Way, client: Client) -> None:
    client.force_login(a_member(way.campaign, "viewer"))
    assert "Ask for DFT validation" not in page(way, client)
    client.post(reverse("candidate-validate", args=[way.candidate.pk]), {"part": "harmonic"})
    assert Validation.objects.count() == 0


def test_a_program_asks_too(way: Way, client: Client) -> None:
    client.force_login(way.scientist)
    address = reverse("api-validations", args=[way.candidate.pk])
    answer = client.post(address, {"part": "anharmonic"}, content_type="application/json")
    assert answer.status_code == 201, answer.content
    assert (answer.json()["part"], answer.json()["state"]) == ("anharmonic", "PREPARING")
    assert client.post(address, {"part": "whole"}, content_type="application/json").status_code == 400
    assert client.post(address, {"part": "anharmonic"}, content_type="application/json").status_code == 409


def test_the_two_sets_of_bands_are_one_entry_of_the_legend_each() -> None:
    bands = BandsFacts([0.0, 0.1], [[0.0, -1.0], [3.0, 4.0]], [(0.0, "Γ"), (0.1, "X")], [])
    overlay = BandsFacts([0.0, 0.1], [[0.0, 1.0], [3.1, 4.1]], [(0.0, "Γ"), (0.1, "X")], [])
    drawn = bands_beside(bands, overlay, name="DFT: gpaw", overlay_name="carbon-laptop")
    named = [trace["name"] for trace in drawn["data"] if trace["showlegend"]]
    assert named == ["carbon-laptop", "DFT: gpaw"]
    assert len(drawn["data"]) == 4
    assert drawn["layout"]["yaxis"]["title"]["text"] == "Frequency (THz)"
    assert len(drawn["layout"]["shapes"]) == 1
