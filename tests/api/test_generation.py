"""What a generator made, by REST; drafts like a candidate."""

from __future__ import annotations

import pytest

from apps.campaigns.models import Campaign
from tests.api import world
from tests.apps.generation import FIGURES, a_generator, generated_by
from tests.apps.rows import may_create


@pytest.fixture
def there(ada):
    return world.build(ada)


def test_before_it_is_measured_figures_are_null(there, api):
    told = api.get(f"/api/v1/campaigns/{there.campaign.pk}/generation/").json()
    assert (told["figures"], told["latent_map"], told["curves"]["unique"]) == (None, None, [1.0])


def test_generated_crystals_come_with_figures_and_units(there, api):
    generated_by(there.campaign, a_generator(), [there.candidate])
    told = api.get(f"/api/v1/campaigns/{there.campaign.pk}/generation/").json()
    assert told["figures"] == FIGURES
    assert told["generator"]["name"] == "carbon-cdvae"
    assert (told["curves"]["unique"], told["curves"]["novel"], told["curves"]["kept"]) == ([1.0], [0.0], [1.0])
    assert told["deviations"]["volume"] == [pytest.approx(1.0)]
    assert told["units"]["figures.density_wasserstein"] == "g/cm³"


def test_a_dossier_has_latent_vector_and_model(there, api):
    generated_by(there.campaign, a_generator(), [there.candidate])
    made = api.get(f"/api/v1/candidates/{there.candidate.pk}/").json()["generation"]
    assert (made["model_name"], made["latent"], made["training_source"]) == ("carbon-cdvae", [0.0] * 4, "crystal 7")


def test_a_draft_like_a_candidate(there, api, ada):
    a_generator()
    address = f"/api/v1/candidates/{there.candidate.pk}/like/"
    assert api.post(address, {"name": "like it"}, format="json").status_code == 403
    may_create(ada)
    response = api.post(address, {"name": "like it", "count": 7}, format="json")
    assert response.status_code == 201
    made = Campaign.objects.get(pk=response.json()["id"])
    assert made.protocol["generate"]["count"] == 7
    assert made.centres.get().candidate == there.candidate


def test_a_draft_between_needs_two_candidates_of_one_campaign(there, api, ada):
    a_generator()
    may_create(ada)
    address = f"/api/v1/candidates/{there.candidate.pk}/like/"
    assert api.post(address, {"name": "x", "other": 99}, format="json").status_code == 404
