"""Generators for programs: campaigns that use one, its figures with units, measuring it."""

from __future__ import annotations

import pytest

from apps.campaigns.models import Campaign
from apps.jobs.models import Job
from apps.training.models import ModelState
from tests.api import world
from tests.apps.rows import may_create
from tests.web.world import QUALITY, a_generator


@pytest.fixture
def there(ada):
    return world.build(ada)


@pytest.fixture
def allowed(ada):
    may_create(ada)


def test_models_tell_their_kind_and_are_listed_by_it(there, api):
    generator = a_generator()
    kinds = {row["id"]: row["kind"] for row in api.get("/api/v1/models/").json()["results"]}
    assert kinds == {there.model.pk: "potential", generator.pk: "generator"}
    (row,) = api.get("/api/v1/models/?kind=generator").json()["results"]
    assert row["name"] == generator.name
    assert api.get("/api/v1/models/?kind=oracle").status_code == 400


def test_a_generator_has_its_curve_and_its_figures_with_units(there, api):
    model = api.get(f"/api/v1/models/{a_generator(quality=QUALITY).pk}/").json()
    assert model["curve"]["step"][:2] == [250.0, 500.0]
    assert model["quality"]["settings"] == QUALITY["settings"]
    assert model["quality"]["reconstruction"] == QUALITY["reconstruction"]
    assert model["quality"]["generation"] == {**QUALITY["generation"], "energy_wasserstein": None}
    assert model["units"]["quality.reconstruction.rmse"] == "(V/N)^(1/3)"
    assert model["units"]["quality.generation.density_wasserstein"] == "g/cm³"
    assert model["units"]["quality.generation.energy_wasserstein"] == "eV/atom"
    assert model["units"]["quality.generation.seconds_each"] == "s"


def test_what_was_never_measured_is_null(there, api):
    assert api.get(f"/api/v1/models/{a_generator().pk}/").json()["quality"] is None
    assert api.get(f"/api/v1/models/{there.model.pk}/").json()["quality"] is None


def test_a_campaign_is_made_with_a_generator_and_tells_it(there, api, allowed):
    generator = a_generator()
    asked = {"name": "mine", "preset": "demo", "potential": there.model.pk, "generator": generator.pk}
    made = api.post("/api/v1/campaigns/", asked, format="json")
    assert made.status_code == 201
    assert (made.json()["generator"]["id"], made.json()["generator"]["name"]) == (generator.pk, generator.name)
    assert Campaign.objects.get(name="mine").generator == generator
    rows = {row["name"]: row["generator"] for row in api.get("/api/v1/campaigns/").json()["results"]}
    assert rows["mine"]["name"] == generator.name
    assert rows[there.campaign.name] is None


def test_a_potential_is_no_generator(there, api, allowed):
    answer = api.post("/api/v1/campaigns/", {"name": "mine", "generator": there.model.pk}, format="json")
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["generator"]
    assert api.post("/api/v1/campaigns/", {"name": "mine", "generator": 10**6}, format="json").status_code == 404


def test_measuring_a_generator_is_a_job(there, api, allowed):
    model = a_generator()
    address = f"/api/v1/models/{model.pk}/assessments/"
    answer = api.post(address, {"count": 50}, format="json")
    assert answer.status_code == 202
    job = Job.objects.get(pk=answer.json()["id"])
    assert answer.json()["group"] == job.group == f"assessment:{model.pk}"
    assert (job.params["count"], job.params["reconstructed"]) == (50, 500)
    again = api.post(address, {"count": 50}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize("asked", [{"count": 0}, {"reconstructed": 100_001}, {"crystals": 5}])
def test_what_cannot_be_measured_is_a_400_that_names_the_field(there, api, allowed, asked):
    answer = api.post(f"/api/v1/models/{a_generator().pk}/assessments/", asked, format="json")
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == list(asked)
    assert not Job.objects.filter(kind="assess_generator").exists()


def test_only_a_ready_generator_is_measured_and_by_who_may_train(there, api, ada):
    address = f"/api/v1/models/{a_generator().pk}/assessments/"
    assert api.post(address, {}, format="json").status_code == 403
    may_create(ada)
    young = a_generator("young", state=ModelState.TRAINING)
    for model in (young, there.model):
        assert api.post(f"/api/v1/models/{model.pk}/assessments/", {}, format="json").status_code == 409
    assert api.post("/api/v1/models/1000000/assessments/", {}, format="json").status_code == 404
