"""Whether κ_L converged on its mesh, and what its estimate said before, on the pages that list it."""

from __future__ import annotations

from html import unescape

from django.urls import reverse

from apps.conductivity.models import KappaTensor
from apps.reviews.services import candidate_summaries_refresh

ESTIMATE = "κ<sub>L</sub> estimate before computing"


def told(client, name: str, *arguments, query: str = "") -> str:
    return unescape(client.get(reverse(name, args=arguments) + query).content.decode())


def test_the_ranked_table_has_a_mark_between_what_converged_and_what_did_not(ours, world) -> None:
    page = told(ours, "campaign", world.campaign.pk)
    places = [
        page.index(words)
        for words in ("bct-C4</a>", "whose mesh is not converged", "Z-carbon</a>", "AA-T12-carbon</a>")
    ]
    assert places == sorted(places)
    assert page.count("whose mesh is not converged") == 1
    assert "no: 12 % (±36 %)" in page
    assert "not tested" in page
    assert "Meshes of 20.6 to 28.5 Å: " in page
    assert "Three-phonon scattering only." in page


def test_a_table_of_converged_ones_has_no_mark(ours, world) -> None:
    page = told(ours, "campaign-results", world.campaign.pk, query="?method=lbte")
    assert "whose mesh is not converged" not in page
    assert "Meshes of" not in page


def test_what_conducts_better_than_diamond_is_announced_at_the_head(ours, world) -> None:
    alarm = "bct-C4 conducts better than diamond by the same method"
    assert alarm not in told(ours, "campaign", world.campaign.pk)
    KappaTensor.objects.filter(candidate=world.candidates["bct-C4"]).update(largest=9000.0)
    page = told(ours, "campaign", world.campaign.pk)
    assert page.index(alarm) < page.index("Ranked by κ")


def test_isotopes_of_the_protocol_stand_at_the_table_s_head(ours, world) -> None:
    world.campaign.protocol["conductivity"]["isotopes"] = "natural"
    world.campaign.save()
    page = told(ours, "campaign", world.campaign.pk)
    assert "Three-phonon scattering, natural isotopes." in page
    assert "Three-phonon scattering only" not in page


def test_how_well_the_estimate_ranks_is_told_from_four_crystals_on(ours, world) -> None:
    page = told(ours, "campaign", world.campaign.pk)
    assert "How well the estimate ranks" in page
    assert "Spearman’s ρ = 1.00, n = 5." in page
    assert 'id="estimates-data"' in page
    for name in ("diamond", "lonsdaleite"):
        world.candidates[name].kappa_plans.update(promise=None)
        candidate_summaries_refresh([world.candidates[name].pk])
    assert "How well the estimate ranks" not in told(ours, "campaign", world.campaign.pk)


def test_waiting_plans_show_the_estimate_and_every_expected_time(ours, world) -> None:
    world.waiting.__class__.objects.filter(pk=world.waiting.pk).update(expected_force_minutes=7.0)
    page = told(ours, "campaign", world.campaign.pk)
    table = page[page.index("Planned, waiting for a start") :]
    assert ESTIMATE in table
    for words in ("1800</td>", "7 min 0 s", "14 min 0 s", "1 min 0 s", "28.5</td>"):
        assert words in table, words


def test_candidates_are_listed_with_estimate_and_convergence(ours, world) -> None:
    page = told(ours, "candidates", world.campaign.pk, query="?sort=-promise&converged=false")
    assert ESTIMATE in page
    assert "no: 12 % (±36 %)" in page
    assert "Z-carbon" in page
    assert "bct-C4" not in page


def test_the_map_is_coloured_by_the_estimate(ours, world) -> None:
    page = told(ours, "map", world.campaign.pk, query="?colour=promise")
    assert "κ_L estimate before computing (W/(m·K))" in page


def test_a_candidate_shows_every_mesh_its_estimate_and_where_the_time_went(ours, world) -> None:
    page = told(ours, "candidate", world.candidates["diamond"].pk)
    for words in (
        "Convergence with the mesh", "21.4", "6×6×6", "28.5", "8×8×8", "Error estimate", "±5.4 %", 'id="meshes-RTA"',
        'id="meshes-LBTE"', "1.2 times the estimate before computing", "forces 1.0 s", "from 95 systematic supercells",
        "Slack's formula from elastic constants", "mesh of 28.5 Å (8×8×8)",
    ):  # fmt: skip
        assert words in page, words
    assert "mesh not tested for convergence" not in page


def test_an_old_tensor_says_that_its_mesh_was_not_tested_and_is_thin(ours, world) -> None:
    page = told(ours, "candidate", world.candidates["AA-T12-carbon"].pk)
    assert "mesh not tested for convergence" in page
    assert "thin mesh: 20.6 Å where 25 Å is meant" in page
    assert "Convergence with the mesh" not in page
    assert "mesh not converged" in told(ours, "candidate", world.candidates["Z-carbon"].pk)


def test_controls_stand_beside_experiments_with_the_same_isotopes(ours, world) -> None:
    page = told(ours, "controls")
    assert "no isotopes, no boundary" in page
    for words in ("experiment, natural isotopes", "experiment, enriched isotopes"):
        assert f"({words})" not in page
        assert words in page
    tensor = world.candidates["diamond"].tensors.get(method="RTA")
    KappaTensor.objects.filter(pk=tensor.pk).update(isotopes="natural", boundary=10.0)
    page = told(ours, "controls")
    assert "natural isotopes, boundary at 10 µm" in page
    assert "(experiment, natural isotopes)" in page
    assert "(experiment, enriched isotopes)" not in page


def test_force_constants_by_a_fit_to_random_displacements_say_so(ours, world) -> None:
    phonons = world.candidates["diamond"].tensors.get(method="RTA").phonons
    phonons.fit = {"route": "random", "supercells": 40, "unknowns": 300, "part": 30, "error": 0.012, "change": 0.01}
    phonons.save(update_fields=["fit"])
    page = told(ours, "candidate", world.candidates["diamond"].pk)
    assert "from 40 random supercells" in page
    assert "a fit to 30 of them foretells the third-order forces of the others to 1.2 %" in page


def test_the_admin_lists_convergence_and_the_estimate(client, world, django_user_model) -> None:
    client.force_login(django_user_model.objects.create_superuser("root", password="correct horse"))
    for name in ("conductivity_kappatensor", "conductivity_kappaplan", "reviews_candidatesummary"):
        page = client.get(reverse(f"admin:{name}_changelist"))
        assert page.status_code == 200
    assert "estimate before computing" in page.content.decode()
