"""What a campaign's committees did, by REST."""

from __future__ import annotations

import pytest

from tests.api import world
from tests.apps.committee_rows import a_history, energy_std


@pytest.fixture
def there(ada):
    return world.build(ada)


def test_without_a_committee_the_history_is_empty(there, api):
    told = api.get(f"/api/v1/campaigns/{there.campaign.pk}/committee/").json()
    assert (told["size"], told["iterations"], told["reliability"]) == (0, [], None)


def test_the_history_has_members_uncertainties_labels_and_units(there, api, django_assert_max_num_queries):
    a_history(there.campaign, [there.candidate], iterations=2, left_out="It did not converge.")
    with django_assert_max_num_queries(15):
        told = api.get(f"/api/v1/campaigns/{there.campaign.pk}/committee/").json()
    first, last = told["iterations"]
    assert [member["note"] for member in first["members"]][-1] == "It did not converge."
    assert (first["trained"], first["points"][0]["candidate_id"]) == (7, there.candidate.pk)
    request = first["request"]
    assert (request["before"], request["after"]) == (energy_std(0, 0), pytest.approx(energy_std(0, 1)))
    assert request["states"] == {"PROPOSED": 2}
    assert last["stopped"].startswith("No candidate is above")
    assert told["units"]["iterations.calibration.force_rmse"] == "meV/Å"
    assert told["units"]["iterations.points.energy_std"] == "meV/atom"
    assert told["units"]["reliability.spread_force"] == "eV/Å"


def test_a_candidate_and_its_row_have_its_uncertainty(there, api):
    a_history(there.campaign, [there.candidate], iterations=2)
    facts = api.get(f"/api/v1/candidates/{there.candidate.pk}/").json()["uncertainty"]
    assert (facts["members"], facts["iteration"], facts["labelled_in"]) == (8, 1, [0, 0])
    assert facts["energy_std"] == pytest.approx(energy_std(0, 1))
    listed = api.get(f"/api/v1/campaigns/{there.campaign.pk}/candidates/?sort=-uncertainty").json()["results"]
    assert listed[0]["uncertainty"] == pytest.approx(energy_std(0, 1))


def test_a_stranger_learns_nothing(there, client):
    assert client.get(f"/api/v1/campaigns/{there.campaign.pk}/committee/").status_code in (401, 404)
