"""What a generator made, as a page; more like a candidate."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.campaigns.models import Campaign
from apps.structures.models import Candidate
from tests.apps.generation import a_generator, generated_by
from tests.apps.rows import may_create
from tests.web.test_pages import MOST_QUERIES


@pytest.fixture
def generated(world) -> list[Candidate]:
    chosen = list(Candidate.objects.filter(campaign=world.campaign, origin="generated").order_by("index"))
    generated_by(world.campaign, a_generator("carbon-generator"), chosen)
    return chosen


def test_the_page_shows_figures_curves_violins_and_the_latent_space(ours, world, generated) -> None:
    with CaptureQueriesContext(connection) as asked:
        page = ours.get(reverse("generation", args=[world.campaign.pk])).content.decode()
    assert len(asked) <= MOST_QUERIES
    for part in ("Valid", "g/cm³", "violin-lengths", "curves-data", "plane-data", "A note.", "Novel to the generator"):
        assert part in page
    assert reverse("candidate", args=[generated[0].pk]) in page


def test_candidates_are_found_by_what_their_generator_knew(ours, world, generated) -> None:
    address = reverse("candidates", args=[world.campaign.pk])

    def found(value: str) -> set[int]:
        return {row.candidate_id for row in ours.get(f"{address}?new_to_generator={value}").context["page"].rows}

    assert found("false") == {generated[0].pk}
    assert found("true") == {row.pk for row in generated[1:]}


def test_before_anything_is_generated_the_page_says_so(ours, world) -> None:
    Candidate.objects.filter(campaign=world.campaign, origin="generated").update(origin="imported")
    Campaign.objects.filter(pk=world.campaign.pk).update(generator=a_generator("carbon-generator"))
    page = ours.get(reverse("generation", args=[world.campaign.pk])).content.decode()
    assert "Nothing generated yet" in page


def test_a_campaign_without_a_generator_has_no_such_tab(ours, world) -> None:
    page = ours.get(reverse("campaign", args=[world.campaign.pk])).content.decode()
    assert reverse("generation", args=[world.campaign.pk]) not in page


def test_a_candidate_says_which_model_made_it(ours, generated) -> None:
    page = ours.get(reverse("candidate", args=[generated[0].pk])).content.decode()
    for part in ("carbon-generator", "encodes 1.04 widths", "matches crystal 7, rms 0.020"):
        assert part in page


def test_more_like_this_makes_a_draft(ours, world, generated) -> None:
    may_create(world.owner)
    row = generated[0]
    assert "More like this" in ours.get(reverse("candidate-place", args=[row.pk])).content.decode()
    asked = {"name": "like it", "count": "12", "temperature": "0.5", "other": f"#{generated[1].index}"}
    response = ours.post(reverse("candidate-like", args=[row.pk]), asked)
    made = Campaign.objects.get(name="like it")
    assert response["Location"] == reverse("campaign", args=[made.pk])
    assert [centre.candidate for centre in made.centres.order_by("order")] == [row, generated[1]]


def test_a_wrong_number_is_told_and_makes_nothing(ours, world, generated) -> None:
    may_create(world.owner)
    asked = {"name": "like it", "count": "many", "temperature": "1"}
    response = ours.post(reverse("candidate-like", args=[generated[0].pk]), asked, follow=True)
    assert "“many” is not a number" in response.content.decode()
    assert not Campaign.objects.filter(name="like it").exists()
