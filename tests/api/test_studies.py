"""Convergence studies by REST: started, read, cancelled, tried again; every refusal with its status and code."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from apps.conductivity.models import KappaStudy, PhononResult
from tests.api import rows, world
from tests.apps.rows import a_candidate
from tests.apps.studying import Bench, a_bench, ends, fails


@pytest.fixture
def bench(ada) -> Bench:
    return a_bench(ada)


def client(user) -> APIClient:
    made = APIClient()
    made.force_login(user)
    return made


def address(bench: Bench) -> str:
    return f"/api/v1/candidates/{bench.candidate.pk}/studies/"


def started(bench: Bench, api, parameter: str = "mesh", values=(10, 12, 15)):
    answer = api.post(address(bench), {"parameter": parameter, "values": list(values)}, format="json")
    assert answer.status_code == 202, answer.content
    return answer.json()


def points():
    return KappaStudy.objects.latest("pk").points.order_by("order")


def test_a_program_starts_follows_and_reads_a_series(bench: Bench, api) -> None:
    made = started(bench, api)
    assert (made["state"], made["fields"], made["present"], made["unit"]) == ("RUNNING", ["mesh_length"], 12.0, "Å")
    assert made["minutes_left"] == pytest.approx(sum(point["expected_minutes"] for point in made["points"]))
    for at, point in enumerate(points()):
        ends(point, 900.0 + 50 * at)
    told = api.get(f"/api/v1/studies/{made['id']}/").json()
    assert (told["state"], told["done"], told["minutes_left"]) == ("DONE", 3, None)
    assert [point["principal"][0] for point in told["points"]] == [900.0, 950.0, 1000.0]
    assert told["points"][1]["change"] == pytest.approx(50 / 950)
    units = told["units"]
    assert (units["points.principal"], units["points.seconds"], units["minutes_left"]) == ("W/(m·K)", "s", "min")
    assert units["points.value"].startswith("Å")


def test_the_list_has_its_units_and_pages(bench: Bench, api) -> None:
    started(bench, api)
    started(bench, api, "displacement", (0.01, 0.03))
    told = api.get(address(bench)).json()
    assert [row["parameter"] for row in told["results"]] == ["displacement", "mesh"]
    assert told["results"][1]["values"] == [10.0, 12.0, 15.0]
    assert told["units"]["values"].startswith("Å")
    assert api.get(address(bench) + "?page_size=1").json()["next"]
    assert api.get(address(bench) + "?wanted=1").json()["code"] == "unknown_parameter"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"parameter": "weather", "values": [10, 12]}, "parameter"),
        ({"parameter": "mesh", "values": [10]}, "values"),
        ({"parameter": "mesh", "values": [0, 12]}, "values"),
        ({"parameter": "mesh", "values": [12, 1e4]}, "values"),
        ({"parameter": "mesh", "values": [12, 12]}, "values"),
        ({"parameter": "mesh", "values": ["wide", 12]}, "values.0"),
        ({"parameter": "mesh", "values": [10, 12], "method": "lbte"}, "method"),
        ({"values": [10, 12]}, "parameter"),
    ],
)
def test_what_is_no_series_is_a_400_that_names_the_field(bench: Bench, api, body, field) -> None:
    answer = api.post(address(bench), body, format="json")
    assert answer.status_code == 400
    assert field in {error["field"] for error in answer.json()["errors"]}
    assert not KappaStudy.objects.exists()


def test_what_the_state_does_not_permit_is_a_409_with_a_sentence(bench: Bench, api) -> None:
    unplanned = a_candidate(bench.campaign, 7)
    answer = api.post(f"/api/v1/candidates/{unplanned.pk}/studies/", {"parameter": "mesh", "values": [1, 2]}, "json")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert "no plan" in answer.json()["detail"]
    made = started(bench, api)
    answer = api.post(address(bench), {"parameter": "mesh", "values": [20, 30]}, format="json")
    assert (answer.status_code, "runs already" in answer.json()["detail"]) == (409, True)
    answer = api.post(f"/api/v1/studies/{made['id']}/retry/")
    assert answer.status_code == 409
    PhononResult.objects.update(dynamical="imaginary")
    answer = api.post(address(bench), {"parameter": "cutoff", "values": [2, 3]}, format="json")
    assert (answer.status_code, "imaginary modes" in answer.json()["detail"]) == (409, True)


def test_it_is_cancelled_and_tried_again(bench: Bench, api) -> None:
    made = started(bench, api)
    first, second, _ = points()
    ends(first)
    fails(second, "out of memory")
    own = f"/api/v1/studies/{made['id']}/"
    told = api.post(own + "cancel/").json()
    assert (told["state"], told["cancelled_by"]) == ("CANCELLED", "ada")
    assert [point["state"] for point in told["points"]] == ["DONE", "FAILED", "CANCELLED"]
    assert told["points"][1]["error"] == "out of memory"
    assert api.post(own + "cancel/").status_code == 409
    told = api.post(own + "retry/").json()
    assert (told["state"], told["cancelled_by"], told["cancelled_at"]) == ("RUNNING", "", None)
    assert [point["state"] for point in told["points"]] == ["DONE", "OPEN", "OPEN"]


def test_who_may_what(bench: Bench, api) -> None:
    made = started(bench, api)
    own = f"/api/v1/studies/{made['id']}/"
    eve, viewer = client(rows.user("eve")), client(world.member(bench.campaign, "vera", "viewer"))
    operator = client(world.member(bench.campaign, "otto", "operator"))
    body = {"parameter": "cutoff", "values": [2, 3]}
    assert [who.get(own).status_code for who in (eve, viewer, operator)] == [404, 200, 200]
    assert [who.get(address(bench)).status_code for who in (eve, viewer)] == [404, 200]
    assert [who.post(address(bench), body, format="json").status_code for who in (eve, viewer, operator)] == [
        404,
        403,
        202,
    ]
    assert [who.post(own + "cancel/").status_code for who in (eve, viewer, operator)] == [404, 403, 202]
    assert APIClient().get(own).status_code == 401
