"""What a program gets: pages, dossiers with units, files by digest, lists, exports, moves of a campaign."""

from __future__ import annotations

import hashlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.campaigns.models import Campaign
from apps.reviews.models import CandidateListItem, CandidateSummary, Export
from tests.api import rows, world
from tests.apps.rows import may_create


@pytest.fixture
def there(ada):
    return world.build(ada)


def pages(api, address: str) -> list[dict]:
    """The rows of all pages."""
    found: list[dict] = []
    while address:
        answer = api.get(address)
        assert answer.status_code == 200, answer.content
        found += answer.json()["results"]
        address = answer.json()["next"]
    return found


def test_a_candidate_list_is_paged_to_its_end_with_nulls(there, api):
    more = rows.candidates(there.campaign, 30, there.candidate.start)
    rows.summaries(more, [{"kappa_rta": 10.0 * n if n % 10 == 0 else None} for n in range(30)])
    base = f"/api/v1/campaigns/{there.campaign.pk}/candidates/?page_size=7"
    for sort in ("kappa_rta", "-kappa_rta", "above_hull", "-n_atoms", "name", "index", "-index"):
        found = pages(api, f"{base}&sort={sort}")
        assert {row["id"] for row in found} == {there.candidate.pk, *(c.pk for c in more)}
        assert len(found) == 31
    values = [row["kappa_rta"] for row in pages(api, f"{base}&sort=-kappa_rta")]
    assert values[:4] == [1500.0, 200.0, 100.0, 0.0]
    assert set(values[4:]) == {None}


def test_a_filter_narrows_and_its_numbers_have_units(there, api):
    base = f"/api/v1/campaigns/{there.campaign.pk}/candidates/"
    page = api.get(f"{base}?kappa_min=1000&outcome=kept&outcome=pending&rankable=true").json()
    assert [row["id"] for row in page["results"]] == [there.candidate.pk]
    assert page["units"]["kappa_rta"] == "W/(m·K)"
    assert page["units"]["above_hull"] == "eV/atom"
    assert api.get(f"{base}?kappa_min=2000").json()["results"] == []
    (row,) = api.get(f"{base}?converged=true&sort=-promise&outcome=kept").json()["results"]
    assert (row["promise"], row["kappa_change"], row["kappa_error"], row["converged"]) == (1300.0, 0.018, 0.054, True)
    assert (page["units"]["promise"], page["units"]["kappa_error"]) == ("W/(m·K)", "1")
    assert api.get(f"{base}?converged=untested").json()["results"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("kappa_min=much", "kappa_min"),
        ("outcome=gone", "outcome"),
        ("rankable=perhaps", "rankable"),
        ("converged=perhaps", "converged"),
        ("space_group_number=999", "space_group_number"),
        ("colour=red", "colour"),
        ("formula=", "formula"),
    ],
)
def test_a_wrong_filter_is_a_400_that_names_it(there, api, query, field):
    answer = api.get(f"/api/v1/campaigns/{there.campaign.pk}/candidates/?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field


def test_a_cursor_does_not_fit_another_campaign(there, api, ada):
    rows.summaries(rows.candidates(there.campaign, 3, there.candidate.start))
    after = api.get(f"/api/v1/campaigns/{there.campaign.pk}/candidates/?page_size=1").json()["next"]
    other = world.build(ada, "silicon")
    moved = after.replace(f"/{there.campaign.pk}/candidates", f"/{other.campaign.pk}/candidates")
    answer = api.get(moved)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "bad_cursor")


def test_a_dossier_says_everything_with_its_unit(there, api):
    dossier = api.get(f"/api/v1/candidates/{there.candidate.pk}/").json()
    (tensor,) = dossier["tensors"]
    assert (tensor["method"], tensor["largest"]) == ("RTA", 1500.0)
    assert tensor["label"][-1].startswith("converged: 1.8 %")
    assert (tensor["converged"], tensor["convergence"], tensor["isotopes"]) == (True, "1.8 % (±5.4 %)", "none")
    assert [step["numbers"] for step in tensor["mesh_steps"]] == [[6, 6, 6], [8, 8, 8]]
    assert (dossier["plan"]["promise"], dossier["plan"]["supercell"][0]) == (1300.0, [3, 0, 0])
    assert dossier["phonons"]["parts"] == [
        {"name": "forces", "seconds": 2.0}, {"name": "Boltzmann equation", "seconds": 9.0},
    ]  # fmt: skip
    assert dossier["phonons"]["fit"]["error"] == 0.012
    assert dossier["relaxed"]["lattice"]["a"] == pytest.approx(2.5215, abs=1e-3)
    assert [site["symbol"] for site in dossier["relaxed"]["sites"]] == ["C", "C"]
    assert "crystal" not in dossier["relaxed"]
    units = dossier["units"]
    assert units["tensors.kappa"] == units["tensors.principal"] == "W/(m·K)"
    assert units["tensors.mesh_steps.length"] == units["tensors.mesh_length"] == units["plan.mesh_length"] == "Å"
    assert units["plan.promise"] == "W/(m·K)"
    assert (units["tensors.error"], units["tensors.boundary"], units["phonons.parts.seconds"]) == ("1", "µm", "s")
    assert units["phonons.bands.frequencies"] == "THz"
    assert units["relaxed.lattice.a"] == units["relaxed.sites.position"] == "Å"
    assert units["relaxation.pressure"] == "GPa"


def test_a_dossier_of_a_fresh_candidate_has_nulls(there, api):
    (fresh,) = rows.candidates(there.campaign, 1, there.candidate.start)
    dossier = api.get(f"/api/v1/candidates/{fresh.pk}/").json()
    assert (dossier["relaxed"], dossier["plan"], dossier["tensors"]) == (None, None, [])


def test_the_ranked_table_names_its_method(there, api):
    table = api.get(f"/api/v1/campaigns/{there.campaign.pk}/ranking/").json()
    assert (table["method"], table["rows"][0]["largest"]) == ("RTA", 1500.0)
    assert table["rows"][0]["potential"] == there.model.name
    assert table["units"]["rows.largest"] == "W/(m·K)"
    first = table["rows"][0]
    assert (first["converged"], first["convergence"], first["changes"]) == (True, "1.8 % (±5.4 %)", [0.018] * 3)
    assert (first["mesh_words"], first["mesh_length"]) == ("mesh of 28.5 Å (8×8×8)", 28.5)
    assert (table["mesh_note"], table["alarms"], table["scattering"]) == ("", [], "")
    assert [(point["promise"], point["kappa"]) for point in table["estimates"]["points"]] == [(1300.0, 1500.0)]
    assert (table["estimates"]["n"], table["estimates"]["rho"]) == (1, None)
    assert table["units"]["estimates.points.promise"] == "W/(m·K)"
    lbte = api.get(f"/api/v1/campaigns/{there.campaign.pk}/ranking/?method=lbte").json()
    assert (lbte["rows"], lbte["left_out"]["other_method"]) == ([], 1)
    assert api.get(f"/api/v1/campaigns/{there.campaign.pk}/ranking/?method=best").status_code == 400


def test_controls_show_published_values(there, api):
    world.reference()
    (diamond,) = api.get("/api/v1/controls/").json()["results"]
    assert diamond["literature"][0]["kappa_high"] == 2200.0


def test_a_tensor_is_never_without_what_it_depends_on(there, api):
    (row,) = api.get(f"/api/v1/tensors/?campaign={there.campaign.pk}&method=RTA&largest_min=1000").json()["results"]
    assert (row["mesh"], row["mesh_rule"], row["mesh_length"]) == ([8, 8, 8], "spacing", 28.5)
    assert (row["converged"], row["error"], row["isotopes"], row["boundary"]) == (True, 0.054, "none", 0.0)
    assert (row["temperature"], row["potential"], row["dynamical"]) == (300.0, there.model.name, "stable")
    whole = api.get(f"/api/v1/tensors/{row['id']}/").json()
    assert whole["kappa"][0][2][2] == 1200.0
    assert [step["length"] for step in whole["mesh_steps"]] == [21.4, 28.5]
    assert whole["fit"]["route"] == "random"
    assert whole["units"]["kappa"] == "W/(m·K)"


def test_a_structure_comes_as_a_file(there, api):
    base = f"/api/v1/structures/{there.candidate.relaxed_id}/files/"
    assert "_cell_length_a" in api.get(f"{base}cif/").content.decode()
    assert api.get(f"{base}poscar/").content.decode().splitlines()[5].split() == ["C"]
    extxyz = api.get(f"{base}extxyz/")
    assert extxyz.content.decode().startswith("2\nLattice=")
    assert extxyz["Content-Disposition"].endswith('.extxyz"')


def test_a_download_is_immutable_and_is_its_digest(there, api):
    answer = api.get(f"/api/v1/artifacts/{there.files['fc3'].sha256}/file/")
    content = b"".join(answer.streaming_content)
    assert hashlib.sha256(content).hexdigest() == there.files["fc3"].sha256
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer["Content-Disposition"] == 'attachment; filename="fc3.bin"'
    assert answer["Content-Type"] == "application/octet-stream"
    for tag in (answer["ETag"], f'"other", W/{answer["ETag"]}'):
        again = api.get(f"/api/v1/artifacts/{there.files['fc3'].sha256}/file/", HTTP_IF_NONE_MATCH=tag)
        assert (again.status_code, again.content) == (304, b"")


def test_a_list_is_made_filled_read_and_emptied(there, api):
    made = api.post(f"/api/v1/campaigns/{there.campaign.pk}/lists/", {"name": "best"}, format="json")
    assert made.status_code == 201
    base = f"/api/v1/lists/{made.json()['id']}/"
    ids = {"candidates": [there.candidate.pk]}
    assert api.post(f"{base}items/", ids | {"note": "first"}, format="json").json() == {"changed": 1}
    assert api.post(f"{base}items/", ids, format="json").json() == {"changed": 0}
    (item,) = api.get(f"{base}items/").json()["results"]
    assert (item["note"], item["candidate"]["id"], item["added_by"]) == ("first", there.candidate.pk, "ada")
    assert api.post(f"{base}items/remove/", ids, format="json").json() == {"changed": 1}
    assert api.get(f"{base}items/").json()["results"] == []
    assert CandidateListItem.objects.filter(list_id=made.json()["id"]).count() == 1
    again = api.post(f"/api/v1/campaigns/{there.campaign.pk}/lists/", {"name": "best"}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


def test_a_review_needs_its_reason_and_changes_the_verdict(there, api):
    path = f"/api/v1/candidates/{there.candidate.pk}/reviews/"
    refused = api.post(path, {"kind": "reject"}, format="json")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "text")
    assert api.post(path, {"kind": "shortlist"}, format="json").status_code == 201
    assert CandidateSummary.objects.get(pk=there.candidate.pk).verdict == "shortlist"
    (word,) = api.get(f"/api/v1/candidates/{there.candidate.pk}/").json()["reviews"]
    assert (word["author"], word["kind"]) == ("ada", "shortlist")


def test_an_export_is_asked_for_followed_and_downloaded_whole(there, api):
    asked = {"format": "csv", "columns": ["index", "kappa_rta"], "filter": {"kappa_min": 1000, "rankable": True}}
    made = api.post(f"/api/v1/campaigns/{there.campaign.pk}/exports/", asked, format="json")
    assert (made.status_code, made.json()["state"], made.json()["sha256"]) == (202, "QUEUED", "")
    waiting = api.get(f"/api/v1/exports/{made.json()['id']}/file/")
    assert (waiting.status_code, waiting.json()["code"]) == (409, "export_not_done")
    assert Export.objects.get(pk=made.json()["id"]).candidates == [there.candidate.pk]
    done = api.get(f"/api/v1/exports/{there.export.pk}/").json()
    file = api.get(f"/api/v1/exports/{there.export.pk}/file/")
    assert hashlib.sha256(b"".join(file.streaming_content)).hexdigest() == done["sha256"]
    assert (done["rows"], done["columns"], done["filter"]) == (1, ["index"], {"rankable": "true"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"format": "xlsx"},
        {"format": "csv", "columns": ["password"]},
        {"format": "csv", "filter": {"colour": "red"}},
        {"format": "csv", "filter": {"kappa_min": "much"}},
        {"format": "csv", "filter": {"name": {"deep": 1}}},
        {"format": "csv", "filter": {"rankable": "perhaps"}},
        {"format": "csv", "filter": {"kappa_min": 1}, "list": 1},
        {"format": "csv", "when": "now"},
    ],
)
def test_an_export_of_something_unknown_is_a_400(there, api, wrong):
    answer = api.post(f"/api/v1/campaigns/{there.campaign.pk}/exports/", wrong, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"]


def test_a_list_of_another_campaign_is_not_exported(there, api, ada):
    other = world.build(ada, "silicon")
    asked = {"format": "csv", "list": other.list.pk}
    assert api.post(f"/api/v1/campaigns/{there.campaign.pk}/exports/", asked, format="json").status_code == 404


def test_a_campaign_is_drafted_given_a_file_started_and_cancelled(ada, api, there):
    may_create(ada)
    asked = {
        "name": "by REST",
        "preset": "smoke",
        "protocol": {"relax": {"max_steps": 77}},
        "potential": there.model.pk,
    }
    made = api.post("/api/v1/campaigns/", asked, format="json")
    assert made.status_code == 201, made.content
    campaign = made.json()
    assert (campaign["state"], campaign["protocol"]["relax"]["max_steps"]) == ("DRAFT", 77)
    assert campaign["protocol"]["relax"]["batch"] == 32, "the rest of the preset stays"
    base = f"/api/v1/campaigns/{campaign['id']}/"
    early = api.post(f"{base}start/")
    assert (early.status_code, early.json()["code"]) == (409, "not_ready")
    given = api.post(f"{base}imports/", {"file": _file("carbon.cif", b"data_x")}, format="multipart")
    assert (given.status_code, given.json()["sha256"]) == (201, hashlib.sha256(b"data_x").hexdigest())
    assert api.post(f"{base}start/").json()["state"] == "RUNNING"
    assert api.post(f"{base}cancel/").json()["state"] == "CANCELLED"
    twice = api.post(f"{base}cancel/")
    assert (twice.status_code, twice.json()["code"]) == (409, "conflict")
    assert api.post(f"{base}resume/").json()["state"] == "RUNNING"


def test_a_protocol_of_nonsense_is_a_400_that_names_every_field(ada, api):
    may_create(ada)
    wrong = {"name": "x", "protocol": {"relax": {"max_steps": -1}, "screen": 3, "colour": "red"}}
    answer = api.post("/api/v1/campaigns/", wrong, format="json")
    assert answer.status_code == 400
    fields = {error["field"] for error in answer.json()["errors"]}
    assert fields == {"protocol.relax.max_steps", "protocol.screen", "protocol.colour"}
    assert not Campaign.objects.exists()


def test_a_campaign_tells_what_it_waits_for_and_what_you_may(there, api):
    told = api.get(f"/api/v1/campaigns/{there.campaign.pk}/").json()
    assert told["why_waiting"] == "Not started yet."
    assert "operate" in told["may"]
    (step,) = api.get(f"/api/v1/campaigns/{there.campaign.pk}/steps/").json()["results"]
    assert (step["name"], step["jobs"]["done"]) == ("conductivity", 1)


def test_the_funnel_counts(there, api):
    funnel = api.get(f"/api/v1/campaigns/{there.campaign.pk}/funnel/").json()
    assert (funnel["total"], funnel["relaxed"], funnel["kept"]) == (1, 1, 1)


def test_a_model_has_its_card_files_and_curve(there, api):
    model = api.get(f"/api/v1/models/{there.model.pk}/").json()
    assert model["card"] == {"energy_mae": 12.0}
    assert model["curve"]["val_energy_mae"] == [20.0]
    assert model["files"][0]["sha256"] == there.files["weights"].sha256


def test_a_job_has_its_attempts_and_logs(there, api):
    job = api.get(f"/api/v1/jobs/{there.job.pk}/").json()
    assert job["attempts"][0]["log_sha256"] == there.files["log"].sha256
    assert [j["id"] for j in api.get(f"/api/v1/jobs/?group={job['group']}&state=DONE").json()["results"]] == [job["id"]]


LISTS = ["candidates", "structures", "tensors", "jobs", "lists", "exports"]


@pytest.mark.parametrize("name", LISTS)
def test_a_list_asks_the_same_number_of_queries_for_one_row_and_for_forty(
    there, api, ada, django_assert_max_num_queries, name
):
    of_campaign = {"candidates", "exports"}
    path = f"/api/v1/campaigns/{there.campaign.pk}/{name}/" if name in of_campaign else f"/api/v1/{name}/"
    rows.summaries(rows.candidates(there.campaign, 39, there.candidate.start))
    with django_assert_max_num_queries(10) as few:
        assert api.get(f"{path}?page_size=1").status_code == 200
    for n in range(3):
        world.build(ada, f"campaign {n}")
    with django_assert_max_num_queries(len(few)):
        assert api.get(path).status_code == 200


def test_a_dossier_asks_at_most_twenty_queries(there, api, django_assert_max_num_queries):
    with django_assert_max_num_queries(20):
        assert api.get(f"/api/v1/candidates/{there.candidate.pk}/").status_code == 200


def _file(name: str, content: bytes):
    return SimpleUploadedFile(name, content)
