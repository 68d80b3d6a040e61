"""The convergence studies of a candidate as a page: forms with their expected time, progress, figure, table, files."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from html import unescape
from io import StringIO
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from apps.conductivity.models import KappaStudy, PhononResult
from apps.conductivity.selectors.study_facts import StudyFacts, study_facts
from apps.web.figures.studies import kappa_series
from tests.apps.rows import a_candidate, a_member, a_user
from tests.apps.studying import Bench, a_bench, ends, fails

pytestmark = pytest.mark.django_db
PLOTS = Path(__file__).parents[2] / "static" / "src" / "plots.js"


@pytest.fixture
def bench(db: None, client: Client) -> Bench:
    made = a_bench()
    client.force_login(made.ada)
    return made


def address(bench: Bench) -> str:
    return reverse("candidate-studies", args=[bench.candidate.pk])


def read(client: Client, where: str, status: int = 200) -> str:
    answer = client.get(where)
    assert answer.status_code == status, answer.content.decode()[:500]
    return answer.content.decode()


def started(bench: Bench, client: Client, parameter: str = "mesh", values: str = "10 12 15") -> KappaStudy:
    answer = client.post(address(bench), {"parameter": parameter, "values": values})
    assert answer.status_code == 302, re.findall(r'invalid-feedback"[^>]*>([^<]*)', answer.content.decode())
    return KappaStudy.objects.latest("pk")


def points(study: KappaStudy):
    return study.points.order_by("order")


def facts(study: KappaStudy) -> StudyFacts:
    (found,) = study_facts([study])
    return found


def test_the_candidate_s_page_leads_to_it(bench: Bench, client: Client) -> None:
    assert address(bench) in read(client, reverse("candidate", args=[bench.candidate.pk]))


def test_each_parameter_is_offered_with_values_and_its_time(bench: Bench, client: Client) -> None:
    text = read(client, address(bench))
    for words in ("Mesh length (Å)", "Pair cutoff (Å)", "Supercell (repetitions)", "Displacement (Å)"):
        assert words in text
    assert 'value="7.2 9.6 12 14.4"' in text
    assert len(re.findall(r"About [\d.]+ (?:s|min)", text)) == 4
    assert "No study yet" in text


def test_the_time_follows_what_is_typed(bench: Bench, client: Client) -> None:
    where = reverse("study-expected", args=[bench.candidate.pk, "mesh"])
    short, long = (read(client, f"{where}?values={values}") for values in ("10+12", "10+40"))
    assert "12 Å" in short
    assert "40 Å" in long
    assert "h" in long.replace("the machine that", "")
    assert "lies outside 1 to 200 Å" in read(client, f"{where}?values=10+1000")
    assert "is not a number" in read(client, f"{where}?values=10+wide")
    read(client, reverse("study-expected", args=[bench.candidate.pk, "weather"]), 404)


@pytest.mark.parametrize(
    ("parameter", "values", "says"),
    [
        ("mesh", "0 25", "0 lies outside 1 to 200 Å"),
        ("mesh", "25 1e4", "10000 lies outside 1 to 200 Å"),
        ("mesh", "25", "give 2 to 12 values, not 1"),
        ("mesh", "25 25", "25 is given twice"),
        ("mesh", "25 far", "“far” is not a number"),
        ("mesh", "", "This field is required"),
        ("supercell", "2 2.5", "2.5 is not a whole number"),
    ],
)
def test_what_is_wrong_stands_at_its_field(bench: Bench, client: Client, parameter, values, says) -> None:
    answer = client.post(address(bench), {"parameter": parameter, "values": values})
    assert answer.status_code == 400
    (said,) = re.findall(rf'id="{parameter}_values_error">([^<]*)', answer.content.decode())
    assert says in said
    assert not KappaStudy.objects.exists()


def test_commas_separate_numbers_too(bench: Bench, client: Client) -> None:
    assert started(bench, client, values="15, 10; 12").values == [10.0, 12.0, 15.0]


def test_it_is_followed_while_it_runs_and_rests_when_it_is_done(bench: Bench, client: Client) -> None:
    study = started(bench, client)
    text = read(client, address(bench))
    progress = reverse("study-progress", args=[study.pk])
    assert f'hx-get="{progress}"' in text
    (tag,) = map(unescape, re.findall(r"data-etag='([^']*)'", text))
    assert client.get(progress, headers={"If-None-Match": tag}).status_code == 304
    assert "0 of 3 points are done." in text
    assert "data-figure" not in text
    first, *others = points(study)
    ends(first, 900.0)
    answer = client.get(progress, headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert f'data-figure="study-{study.pk}-data"' in answer.content.decode()
    assert "left." in answer.content.decode()
    for point in others:
        ends(point, 1000.0)
    over = client.get(progress)
    assert over.status_code == 286
    assert "hx-get" not in over.content.decode()
    assert "3 of 3 points are done." in over.content.decode()


def test_the_permalink_shows_numbers_with_units_and_what_is_present(bench: Bench, client: Client) -> None:
    study = started(bench, client)
    for at, point in enumerate(points(study)):
        ends(point, 900.0 + 50 * at)
    text = read(client, reverse("study", args=[study.pk]))
    head = re.sub(r"<[^>]*>", "", text[text.index("<thead>") : text.index("</thead>")])
    for words in ("Mesh length Å", "κ₁ W/(m·K)", "Change of κ₁ %", "Irreducible q-points"):
        assert words in " ".join(head.split())
    assert text.count("present setting</span>") == 1
    assert "5.3 %" in text
    assert address(bench) in text


def test_two_lengths_of_one_mesh_are_no_sign_of_convergence(bench: Bench, client: Client) -> None:
    study = started(bench, client, values="10 12")
    for point in points(study):
        ends(point, 900.0)
    text = read(client, reverse("study", args=[study.pk]))
    assert "the same mesh as at 10 Å" in text
    assert "0.0 %" not in text


def test_a_failure_stands_at_its_point_and_can_be_tried_again(bench: Bench, client: Client) -> None:
    study = started(bench, client)
    first, second, third = points(study)
    ends(first)
    fails(second, "torch.OutOfMemoryError: CUDA out of memory")
    ends(third)
    text = read(client, address(bench))
    assert "CUDA out of memory" in text
    assert "Try failed points again" in text
    answer = client.post(reverse("study-retry", args=[study.pk]))
    assert answer.headers["Location"] == reverse("study", args=[study.pk])
    assert "Try failed points again" not in read(client, address(bench))


def test_cancelled_it_says_so_and_keeps_what_is_done(bench: Bench, client: Client) -> None:
    study = started(bench, client)
    ends(points(study)[0], 987.0)
    client.post(reverse("study-cancel", args=[study.pk]))
    text = read(client, reverse("study", args=[study.pk]))
    for words in ("Cancelled by ada; 1 of 3 points are done and kept.", "987", "Go on"):
        assert words in text
    answer = client.post(reverse("study-cancel", args=[study.pk]))
    assert answer.status_code == 409


def test_one_that_runs_is_named_and_a_second_is_a_conflict(bench: Bench, client: Client) -> None:
    study = started(bench, client)
    assert f"Study {study.pk} runs</a>" in read(client, address(bench))
    answer = client.post(address(bench), {"parameter": "mesh", "values": "20 30"})
    assert answer.status_code == 409
    assert "runs already" in answer.content.decode()


def test_without_a_plan_or_with_imaginary_modes_it_says_why_nothing_can_start(bench: Bench, client: Client) -> None:
    other = a_candidate(bench.campaign, 5)
    where = reverse("candidate-studies", args=[other.pk])
    assert "has no plan for its κ<sub>L</sub>" in read(client, where)
    assert client.post(where, {"parameter": "mesh", "values": "20 30"}).status_code == 409
    PhononResult.objects.update(dynamical="imaginary")
    assert "imaginary modes" in read(client, address(bench))


def test_who_only_looks_sees_studies_and_no_forms(bench: Bench, client: Client) -> None:
    study = started(bench, client)
    client.force_login(a_member(bench.campaign, "viewer"))
    text = read(client, address(bench))
    assert reverse("study-cancel", args=[study.pk]) not in text
    assert "<form" not in text[text.index('id="content"') :]
    assert client.post(address(bench), {"parameter": "cutoff", "values": "2 3"}).status_code == 403
    assert client.post(reverse("study-cancel", args=[study.pk])).status_code == 403
    client.force_login(a_user("stranger"))
    for name in ("study", "study-progress"):
        read(client, reverse(name, args=[study.pk]), 404)
    read(client, reverse("study-file", args=[study.pk, "csv"]), 404)
    read(client, address(bench), 404)


def test_the_series_is_downloaded_with_its_units(bench: Bench, client: Client) -> None:
    study = started(bench, client)
    for point in points(study)[:2]:
        ends(point, 900.0)
    rows = list(csv.reader(StringIO(read(client, reverse("study-file", args=[study.pk, "csv"])))))
    assert rows[0][:3] == ["Mesh length (Å)", "state", "kappa 1 (W/(m·K))"]
    assert [row[:3] for row in rows[1:]] == [["10", "DONE", "900.0"], ["12", "DONE", "900.0"], ["15", "OPEN", ""]]
    told = json.loads(read(client, reverse("study-file", args=[study.pk, "json"])))
    assert told["units"]["points.principal"] == "W/(m·K)"
    assert told["points"][0]["principal"] == [900.0, 900.0, 720.0]
    read(client, reverse("study-file", args=[study.pk, "xml"]), 404)


def test_many_studies_are_few_queries(bench: Bench, client: Client, django_assert_max_num_queries) -> None:
    for parameter, values in (("mesh", "10 12"), ("cutoff", "2 3"), ("displacement", "0.01 0.02 0.03")):
        started(bench, client, parameter, values)
    with django_assert_max_num_queries(22):
        client.get(address(bench))


# --- the figure


@pytest.fixture
def series(bench: Bench, client: Client) -> StudyFacts:
    study = started(bench, client)
    for at, point in enumerate(points(study)):
        kappa = 900.0 + 100 * at
        ends(point, principal=(kappa, kappa, 0.8 * kappa))
    return facts(study)


def test_the_figure_has_units_and_traces_of_the_bundle(series: StudyFacts) -> None:
    drawn = kappa_series(series)
    json.dumps(drawn, allow_nan=False)
    registered = set(re.findall(r"import (\w+) from 'plotly\.js/(?:lib|src/traces)/", PLOTS.read_text())) | {"scatter"}
    assert {trace["type"] for trace in drawn["data"]} <= registered
    layout = drawn["layout"]
    assert layout["xaxis"]["title"]["text"] == "Mesh length (Å)"
    assert layout["yaxis"]["title"]["text"] == "Principal κ<sub>L</sub> at 300 K (W/(m·K))"


def test_equal_principal_values_are_one_line_and_the_present_setting_is_marked(series: StudyFacts) -> None:
    drawn = kappa_series(series)
    assert [trace["name"] for trace in drawn["data"]] == ["κ₁", "κ₃"]
    assert drawn["data"][0]["x"] == [10.0, 12.0, 15.0]
    assert drawn["data"][1]["y"] == pytest.approx([720.0, 800.0, 880.0])
    (shape,), (words,) = drawn["layout"]["shapes"], drawn["layout"]["annotations"]
    assert (shape["x0"], words["text"]) == (12.0, "present 12 Å")


def test_no_cutoff_has_no_place_on_the_axis(series: StudyFacts) -> None:
    assert "shapes" not in kappa_series(replace(series, present=0.0))["layout"]
