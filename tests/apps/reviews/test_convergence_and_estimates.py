"""How κ_L's convergence on its mesh and its estimate before computing are read: ranked, listed, traced, compared."""

from __future__ import annotations

import pytest

from apps.campaigns.models import Campaign
from apps.conductivity.models import KappaTensor
from apps.reviews import services
from apps.reviews.selectors import candidate_dossier, candidates_list, controls, ranked_table
from apps.reviews.selectors.estimates import rank_correlation
from apps.reviews.words import convergence_words, lengths_words, percent
from apps.structures.models import Candidate, LiteratureValue, ReferenceCrystal
from kappakit.reference import MEASURED
from tests.apps.rows import a_campaign, a_candidate, a_crystal, a_plan, a_result, a_structure, a_tensor, a_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign() -> Campaign:
    return a_campaign(a_user("owner"))


@pytest.fixture
def candidates(campaign: Campaign) -> list[Candidate]:
    return [a_candidate(campaign, index) for index in range(4)]


def known_as(candidate: Candidate, name: str = "diamond") -> ReferenceCrystal:
    reference = ReferenceCrystal.objects.create(
        name=name, structure=a_structure(a_crystal(0.99)), space_group="Fd-3m", citation="Hom 1975"
    )
    Candidate.objects.filter(pk=candidate.pk).update(known_as=reference)
    return reference


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ((0.018, 0.06, True), "1.8 % (±6 %)"),
        ((-0.121, 0.4, False), "no: 12 % (±40 %)"),
        ((0.7, 1.5, False), "no: 70 % (±150 %)"),
        ((None, None, None), "not tested"),
    ],
)
def test_convergence_reads_alike_everywhere(found, words) -> None:
    assert convergence_words(*found) == words


def test_a_share_reads_as_per_cent_without_a_power_of_ten() -> None:
    shares = (0.0, 0.0042, 0.0989, 0.0999, 0.999, 12.3)
    assert [percent(share) for share in shares] == ["0 %", "0.42 %", "9.9 %", "10 %", "100 %", "1230 %"]


def test_meshes_of_different_lengths_are_told_and_equal_ones_are_not() -> None:
    assert lengths_words([25.0, 25.4, None]) == ""
    assert lengths_words([39.06, 25.11, 31.0]).startswith("Meshes of 25.1 to 39.1 Å: ")
    assert lengths_words([]) == ""


def test_what_converged_is_ranked_first_and_the_numbers_run_on(campaign, candidates) -> None:
    a_result(candidates[0], 900.0)
    a_result(candidates[1], 2000.0, converged=None)
    a_result(candidates[2], 1500.0, converged=False)
    a_result(candidates[3], 1000.0)
    table = ranked_table(campaign)
    told = [(row.rank, row.largest, row.converged) for row in table.rows]
    assert told == [(1, 1000.0, True), (2, 900.0, True), (3, 2000.0, None), (4, 1500.0, False)]
    assert [row.convergence for row in table.rows][1:] == ["1.8 % (±5.4 %)", "not tested", "no: 12 % (±36 %)"]
    assert (table.rows[0].mesh_rule, table.rows[0].mesh_length, table.rows[0].changes) == (
        "spacing",
        28.5,
        (0.018,) * 3,
    )
    assert table.mesh_note.startswith("Meshes of 20.6 to 28.5 Å: ")
    assert table.layered_mesh_note == ""


def test_rows_of_one_mesh_length_need_no_note(campaign, candidates) -> None:
    for candidate in candidates:
        a_result(candidate, 1000.0 + candidate.index)
    assert ranked_table(campaign).mesh_note == ""


def test_what_conducts_better_than_diamond_raises_an_alarm(campaign, candidates) -> None:
    known_as(candidates[0])
    a_result(candidates[0], 2400.0)
    a_result(candidates[1], 2300.0)
    a_result(candidates[2], 9000.0, dimensionality=2)
    assert ranked_table(campaign).alarms == ()
    a_result(candidates[3], 3300.0)
    assert ranked_table(campaign).alarms == (
        "crystal 3 conducts better than diamond by the same method: check mesh, force constants and potential before "
        "believing it.",
    )
    assert ranked_table(campaign, "lbte").alarms == ()
    candidates[1].campaign.refresh_from_db()
    KappaTensor.objects.filter(candidate=candidates[1]).update(largest=2500.0)
    assert ranked_table(campaign).alarms[0].startswith("crystal 3 and crystal 1 conduct better than diamond")


def test_diamond_by_another_method_temperature_or_out_of_the_campaign_is_no_measure(campaign, candidates) -> None:
    known_as(candidates[0])
    phonons = a_result(candidates[0], 2400.0)
    a_result(candidates[1], 3300.0)
    assert ranked_table(campaign).alarms != ()
    KappaTensor.objects.filter(phonons=phonons).update(temperature=1000.0)
    assert ranked_table(campaign).alarms == ()
    KappaTensor.objects.filter(phonons=phonons).update(temperature=300.0, method="LBTE")
    assert ranked_table(campaign).alarms == ()
    KappaTensor.objects.filter(phonons=phonons).update(method="RTA")
    services.candidate_exclude(candidate=candidates[0], user=campaign.owner, reason="wrong cell")
    assert ranked_table(campaign).alarms == ()


def test_what_is_counted_beside_three_phonons_stands_at_the_table(campaign) -> None:
    assert ranked_table(campaign).scattering == ""
    campaign.protocol["conductivity"] |= {"isotopes": "natural", "boundary": 10.0}
    assert ranked_table(campaign).scattering == "natural isotopes, boundary at 10 µm"


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"converged": "true"}, [0]),
        ({"converged": "false"}, [1]),
        ({"converged": "untested"}, [2]),
        ({"sort": "-promise"}, [3, 1, 0, 2]),
        ({"sort": "promise"}, [0, 1, 3, 2]),
    ],
)
def test_candidates_are_found_by_convergence_and_sorted_by_the_estimate(campaign, candidates, params, expected) -> None:
    a_result(candidates[0], 2000.0, promise=800.0)
    a_result(candidates[1], 1800.0, promise=900.0, converged=False)
    a_result(candidates[2], 1600.0, promise=None, promise_note="a strain lowers the energy", converged=None)
    a_plan(candidates[3], promise=1000.0)
    found = candidates_list(campaign.owner, campaign, params)
    assert [row.index for row in found] == expected


def test_a_dossier_tells_every_mesh_where_the_time_went_and_how_force_constants_came(campaign, candidates) -> None:
    phonons = a_result(candidates[0], 2000.0)
    phonons.fit = {"route": "random", "supercells": 40, "unknowns": 300, "part": 30, "error": 0.012, "change": 0.01}
    phonons.save(update_fields=["fit"])
    dossier = candidate_dossier(campaign.owner, candidates[0].pk)
    (tensor,) = dossier.tensors
    steps = [(step.length, step.numbers, step.irreducible, step.change) for step in tensor.mesh_steps]
    assert steps == [(21.4, (6, 6, 6), 28, None), (28.5, (8, 8, 8), 60, pytest.approx(0.018))]
    assert (tensor.mesh_words, tensor.convergence, tensor.tolerance) == (
        "mesh of 28.5 Å (8×8×8)",
        "1.8 % (±5.4 %)",
        0.05,
    )
    assert (tensor.thin, tensor.scattering, tensor.isotopes, tensor.boundary) == ("", "", "none", 0.0)
    assert dossier.plan is not None
    assert (dossier.plan.promise, dossier.plan.supercell_words) == (1800.0, "3×3×3")
    assert dossier.plan.expected_minutes == pytest.approx(0.7)
    assert dossier.phonons is not None
    assert {part.name: part.seconds for part in dossier.phonons.parts}["forces"] == 1.0
    assert dossier.phonons.fit is not None
    assert dossier.phonons.fit.part == 30
    links = {link.kind: dict(link.facts) for link in dossier.provenance}
    assert links["kappa"]["mesh"].startswith("mesh of 28.5 Å (8×8×8), even spacing")
    assert links["kappa"]["meshes tried"] == "21.4 Å, 28.5 Å"
    assert links["kappa"]["converged"] == "1.8 % (±5.4 %)"
    assert links["kappa"]["scattering"] == "three phonons alone"
    assert links["force-constants"]["fit"] == "random, 40 supercells; 30 of them foretell the others' forces to 1.2 %"
    assert links["force-constants"]["time"].endswith("Boltzmann equation 1 s")
    assert links["displacements"]["supercell"] == "3×3×3"
    assert links["displacements"]["displacements"].startswith("systematic, 0.03 Å")


def test_an_old_tensor_says_that_its_mesh_was_not_tested_and_where_it_is_thin(campaign, candidates) -> None:
    a_result(candidates[0], 2000.0, converged=None, supercell=[], promise=None)
    dossier = candidate_dossier(campaign.owner, candidates[0].pk)
    (tensor,) = dossier.tensors
    assert (tensor.converged, tensor.convergence, tensor.mesh_steps) == (None, "not tested", ())
    assert tensor.thin == "thin mesh: 20.6 Å where 25 Å is meant"
    assert tensor.mesh_words.endswith("(the paper's rule)")
    assert dossier.plan is not None
    assert dossier.plan.supercell_words == "3×3×3"


def test_a_waiting_plan_is_told_with_all_its_minutes(campaign, candidates) -> None:
    a_plan(candidates[0], expected_force_minutes=12.0, expected_bte_minutes=30.0)
    plan = candidate_dossier(campaign.owner, candidates[0].pk).plan
    assert plan is not None
    assert plan.note == "planned: 96 supercells, 42 min: start?"


def test_ours_stands_beside_experiments_with_the_same_isotopes(campaign, candidates) -> None:
    reference = known_as(candidates[0])
    for isotopes, kappa in (("natural", 2200.0), ("enriched", 3320.0)):
        LiteratureValue.objects.create(
            reference=reference, kappa_low=kappa, kappa_high=kappa, method=MEASURED[isotopes], citation="Anthony 1990"
        )
    phonons = a_result(candidates[0], 2400.0)
    a_tensor(phonons, 3000.0, "LBTE", isotopes="natural", boundary=10.0, converged=False)
    (row,) = controls(campaign.owner)
    full, plain = sorted(row.ours, key=lambda ours: ours.method)
    assert (plain.isotopes, plain.scattering, plain.measured, plain.convergence) == ("none", "", (), "1.8 % (±5.4 %)")
    assert [value.kappa_high for value in full.measured] == [2200.0]
    assert (full.scattering, full.converged) == ("natural isotopes, boundary at 10 µm", False)


def test_spearmans_rho_of_known_orders() -> None:
    """Ties share their rank; the middle value by hand: 1 − 6 Σ d² / n (n² − 1) = 1 − 6·2/60."""
    assert rank_correlation([1, 2, 3, 4], [10, 20, 30, 1e9]) == pytest.approx(1.0)
    assert rank_correlation([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1.0)
    assert rank_correlation([1, 2, 3, 4], [1, 2, 4, 3]) == pytest.approx(0.8)
    assert rank_correlation([1, 1, 2, 3], [5, 6, 7, 8]) == pytest.approx(0.9486832980505138)
    assert rank_correlation([1.0, 1.0], [1.0, 2.0]) is None
    assert rank_correlation([1.0], [1.0]) is None


def test_the_estimate_is_judged_by_crystals_that_may_be_compared(campaign, django_assert_num_queries) -> None:
    made = [a_candidate(campaign, index) for index in range(8)]
    for candidate, promise, kappa in zip(made, (900.0, 1000.0, 1200.0, 1100.0), (500, 800, 1000, 1500), strict=False):
        a_result(candidate, float(kappa), promise=promise)
    a_result(made[4], 10.0, promise=None)
    a_result(made[5], 10.0, promise=5000.0, dynamical="borderline")
    a_result(made[6], 10.0, promise=5000.0)
    services.candidate_exclude(candidate=made[6], user=campaign.owner, reason="wrong cell")
    a_result(made[7], 10.0, promise=5000.0, dimensionality=2)
    for method in ("rta", "lbte"):
        with django_assert_num_queries(2):
            found = ranked_table(campaign, method).estimates
        assert [point.kappa for point in found.points] == [1500.0, 1000.0, 800.0, 500.0]
        assert (found.n, found.rho) == (4, pytest.approx(0.8))
        assert "RTA" in found.points[0].label
