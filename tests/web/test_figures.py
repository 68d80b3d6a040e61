"""Figures are pure: dossiers in, plotly's JSON out, with a unit on every axis and only traces of the bundle."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from apps.committees.selectors.history import (
    CalibrationFacts,
    CommitteeHistory,
    Iteration,
    LabelRequest,
    Named,
    Point,
    Reliability,
)
from apps.reviews.dossier import BandsFacts, CumulativeFacts, DosFacts
from apps.reviews.selectors.parts import mesh_steps
from apps.reviews.tables import EstimatePoint
from apps.training.models import ModelKind
from apps.training.selectors import curve_by_column
from apps.web.figures.cell import cell_views
from apps.web.figures.committee import calibration, errors_by_iteration, highest_by_iteration, uncertainty_by_iteration
from apps.web.figures.conductivity import estimate_ranks, kappa_cumulative, kappa_meshes, kappa_temperature
from apps.web.figures.maps import Mark, Quantity, soap_map
from apps.web.figures.phonons import bands_dos, merged_ticks, segments
from apps.web.figures.style import log_ticks
from apps.web.figures.training import training_curves
from kappakit.reference import REFERENCES
from tests.apps.rows import mesh_facts
from tests.web import world as w

PLOTS = Path(__file__).parents[2] / "static" / "src" / "plots.js"


class Tensor:
    """A TensorFacts as far as a figure reads it."""

    method = "RTA"
    temperature = 300.0
    principal = (2000.0, 2000.0, 1600.0)
    uvw = ("any direction", "any direction", "[001]")

    def __init__(self) -> None:
        told = w.temperatures(2000.0)
        self.temperatures = tuple(told["temperatures"])
        self.principal_by_temperature = told["principal_by_temperature"]


STEPS = mesh_steps(mesh_facts([2000.0, 2000.0, 1600.0])["mesh_steps"])
ESTIMATES = [EstimatePoint(i, i, f"crystal {i}", 300.0 * i, 500.0 * i, ("carbon-laptop", "RTA")) for i in range(1, 5)]
RELIABILITY = Reliability((2.0, 8.0, 0.0), (-3.0, 6.0, 1.0), (0.1, 0.2, 0.1), (0.1, 0.3, 0.1), ("a", "b", "c"))


def committee() -> CommitteeHistory:
    """One iteration in which candidate 1 is at 40 meV/atom and is labelled, and candidate 2 at 4."""
    named = {pk: Named(pk, pk, f"crystal {pk}") for pk in (1, 2)}
    request = LabelRequest(7, named[1], 8, {"DONE": 8}, (2, 2, 2), (5.0, 5.0, 5.0), 0.05, 40.0, None)
    measured = CalibrationFacts(3, 12.0, 380.0, 0.6, 0.7, 1.4, (14.0,), (400.0,))
    row = Iteration(
        committee_id=3, sweep=0, iteration=0, borrowed=None, members=(), labels=0, candidates=2, highest=40.0,
        median=22.0, above=1, threshold=15.0, request=request, calibration=measured, stopped="", seconds=1.0, notes=(),
        points=(Point(1, 40.0, 0.8), Point(2, 4.0, 0.1)), created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    return CommitteeHistory("energy", "meV/atom", 15.0, 8, (row,), (), (), (), RELIABILITY, named)


def figures() -> dict[str, dict]:
    marks = [Mark(0, 1, "a", "/a/", 5.0), Mark(1, 0, "b", "/b/", 900.0, ring=True), Mark(2, 2, "c", "/c/", None)]
    bands = w.bands()
    return {
        "bands": bands_dos(BandsFacts(**bands), DosFacts(**w.dos())),
        "temperature": kappa_temperature([Tensor()]),
        "cumulative": kappa_cumulative(CumulativeFacts(**w.cumulative(900.0)), 300.0),
        "meshes": kappa_meshes(STEPS, 0.05),
        "estimates": estimate_ranks(ESTIMATES, {i: f"/candidates/{i}/" for i in range(1, 5)}),
        "map": soap_map(marks, Quantity("kappa_rta", "κ (W/(m·K))", logarithmic=True)),
        "words": soap_map([Mark(0, 0, "a", "/a/", "new")], Quantity("novelty", "Novelty", in_words=True)),
        "uncertainty": uncertainty_by_iteration(committee(), {1: "/candidates/1/"}),
        "highest": highest_by_iteration(committee()),
        "errors": errors_by_iteration(committee()),
        "calibration": calibration(RELIABILITY, "energy"),
        **training_curves({"epoch": [1, 2], "val_energy_mae": [30.0, 20.0], "train_loss": [0.0, 0.0]}),
        **training_curves(curve_by_column(w.GENERATOR_CURVE, ModelKind.GENERATOR)),
    }


def test_every_figure_is_json_and_draws_only_what_the_bundle_holds() -> None:
    registered = set(re.findall(r"import (\w+) from 'plotly\.js/(?:lib|src/traces)/", PLOTS.read_text())) | {"scatter"}
    for name, figure in figures().items():
        json.dumps(figure, allow_nan=False)
        assert {trace["type"] for trace in figure["data"]} <= registered, name


@pytest.mark.parametrize(
    ("name", "axis", "unit"),
    [
        ("bands", "yaxis", "(THz)"),
        ("bands", "xaxis2", "(1/THz)"),
        ("temperature", "xaxis", "(K)"),
        ("temperature", "yaxis", "(W/(m·K))"),
        ("cumulative", "xaxis", "(nm)"),
        ("meshes", "xaxis", "(Å)"),
        ("meshes", "yaxis", "(W/(m·K))"),
        ("estimates", "xaxis", "(W/(m·K))"),
        ("estimates", "yaxis", "(W/(m·K))"),
        ("val_energy_mae", "yaxis", "(meV/atom)"),
        ("kl", "yaxis", "(nats a crystal)"),
        ("lattice", "xaxis", "Step"),
        ("uncertainty", "yaxis", "(meV/atom)"),
        ("highest", "yaxis", "(meV/atom)"),
        ("highest", "yaxis2", "Candidates"),
        ("errors", "yaxis", "(meV/atom)"),
        ("errors", "yaxis2", "(meV/Å)"),
        ("calibration", "xaxis", "(meV/atom)"),
    ],
)
def test_axes_name_their_units(name, axis, unit) -> None:
    assert unit in figures()[name]["layout"][axis]["title"]["text"]


def test_degenerate_principal_values_are_one_line() -> None:
    assert [trace["name"] for trace in figures()["temperature"]["data"]] == ["RTA κ₁ any direction", "RTA κ₃ [001]"]


def test_the_meshes_have_a_band_of_what_is_allowed_about_the_longest_mesh_s_value() -> None:
    figure = figures()["meshes"]
    assert [trace["name"] for trace in figure["data"]] == ["κ₁", "κ₃"]
    assert list(figure["data"][0]["x"]) == [21.4, 28.5]
    assert [(band["y0"], band["y1"]) for band in figure["layout"]["shapes"]] == [
        (pytest.approx(1900), pytest.approx(2100)), (pytest.approx(1520), pytest.approx(1680)),
    ]  # fmt: skip


def test_a_point_of_the_estimates_leads_to_its_crystal_and_brings_its_trust() -> None:
    (points,) = figures()["estimates"]["data"]
    assert points["customdata"][0] == "/candidates/1/"
    assert points["hovertext"][0] == "carbon-laptop · RTA"


def test_bands_break_where_the_path_does_and_ticks_meet_there() -> None:
    assert segments(6, [2]) == [(0, 2), (2, 6)]
    assert merged_ticks([(0.0, "Γ"), (0.5, "U"), (0.5, "K"), (1.0, "Γ")]) == [(0.0, "Γ"), (0.5, "U|K"), (1.0, "Γ")]
    branch = figures()["bands"]["data"][0]
    assert branch["x"][40] is None


def test_a_mean_free_path_is_shown_in_nanometres() -> None:
    assert figures()["cumulative"]["data"][0]["x"][0] == pytest.approx(1.0)


def test_the_map_puts_crystals_without_a_value_below_and_leads_to_their_pages() -> None:
    grey, coloured, rings = figures()["map"]["data"]
    assert grey["customdata"] == ["/c/"]
    assert coloured["marker"]["color"] == pytest.approx([0.69897, 2.95424], abs=1e-4)
    assert rings["customdata"] == ["/b/"]


def test_curves_that_were_never_measured_are_left_out() -> None:
    assert list(training_curves({"epoch": [1], "train_loss": [0.5], "val_stress_mae": [0.0]})) == ["train_loss"]


def test_a_generator_s_terms_are_shown_for_training_and_held_out_crystals() -> None:
    found = training_curves(curve_by_column(w.GENERATOR_CURVE, ModelKind.GENERATOR))
    assert list(found) == ["coordinates", "lattice", "number", "kl", "learning_rate"]
    for term in ("coordinates", "lattice", "number"):
        assert [trace["name"] for trace in found[term]["data"]] == ["training", "held out"]
    assert found["coordinates"]["layout"]["yaxis"]["type"] == "log"


def test_a_term_below_zero_is_drawn_on_a_plain_axis() -> None:
    lattice = training_curves(curve_by_column(w.GENERATOR_CURVE, ModelKind.GENERATOR))["lattice"]
    assert "type" not in lattice["layout"]["yaxis"]
    assert min(lattice["data"][0]["y"]) < 0


def test_logarithmic_ticks_read_as_numbers() -> None:
    assert log_ticks([90.0, 1100.0])["ticktext"] == ["100", "200", "500", "1000"]
    assert log_ticks([1.0, 1e6])["ticktext"][-2:] == ["1e+05", "1e+06"]
    assert log_ticks([]) == {}


def test_the_viewer_gets_the_cell_and_supercells_as_plain_json() -> None:
    views = cell_views({"conventional": REFERENCES["bct-C4"].crystal})
    assert list(views) == ["conventional", "2×2×2", "3×3×3"]
    json.dumps(views)
    view = views["conventional"]
    assert len(view["positions"]) == len(view["labels"]) == len(view["colours"])
    assert len(view["edges"]) == 12


def test_every_candidate_of_every_iteration_is_a_point_and_who_is_labelled_is_ringed() -> None:
    everyone, ringed, threshold = figures()["uncertainty"]["data"]
    assert (everyone["x"], everyone["y"], everyone["customdata"]) == (["0", "0"], [40.0, 4.0], ["/candidates/1/", ""])
    assert (ringed["x"], ringed["y"]) == (["0"], [40.0])
    assert threshold["y"] == [15.0]


def test_calibration_shows_the_size_of_an_error_and_leaves_out_what_a_logarithm_cannot() -> None:
    points, diagonal = figures()["calibration"]["data"]
    assert (points["x"], points["y"]) == ([2.0, 8.0], [3.0, 6.0])
    assert diagonal["x"] == diagonal["y"] == [2.0, 8.0]


def test_a_narrow_logarithmic_range_still_has_ticks() -> None:
    ticks = log_ticks([1260.0, 1314.0, 1701.0])["tickvals"]
    assert 3 <= len(ticks) <= 7
    assert all(1100 < tick < 1950 for tick in ticks)
