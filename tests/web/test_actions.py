"""What people do on pages: reviews, lists, downloads, starts; and what the pages refuse."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from apps.campaigns.models import Campaign, Membership, Step
from apps.reviews.models import CandidateListItem, Export, Review
from tests.web import world as w


def test_a_reviewer_rejects_with_a_reason_and_not_without(client, world) -> None:
    client.force_login(w.a_member(world.campaign, "rita", "reviewer"))
    candidate = world.candidates["diamond"]
    address = reverse("candidate-review", args=[candidate.pk])
    refused = client.post(address, {"kind": "reject", "text": " "})
    assert refused.status_code == 400
    assert "give a reason" in refused.content.decode()
    client.post(address, {"kind": "reject", "text": "too well known"})
    page = client.get(reverse("candidate", args=[candidate.pk])).content.decode()
    assert Review.objects.filter(candidate=candidate).get().text == "too well known"
    assert "too well known" in page


def test_a_viewer_may_read_but_not_review(client, world) -> None:
    client.force_login(w.a_member(world.campaign, "vera", "viewer"))
    candidate = world.candidates["diamond"]
    page = client.get(reverse("candidate", args=[candidate.pk])).content.decode()
    assert "Reject with this reason" not in page
    answer = client.post(reverse("candidate-review", args=[candidate.pk]), {"kind": "comment", "text": "hm"})
    assert answer.status_code == 403


def test_chosen_candidates_go_on_a_new_list_and_the_view_stays(ours, world) -> None:
    ids = [world.candidates[name].pk for name in ("diamond", "lonsdaleite")]
    answer = ours.post(
        reverse("candidates-chosen", args=[world.campaign.pk]),
        {"candidates": ids, "new_list": "hard ones", "asked": "outcome=kept&sort=-kappa_rta"},
    )
    assert answer["Location"].endswith("?outcome=kept&sort=-kappa_rta")
    assert CandidateListItem.objects.filter(list__name="hard ones").count() == 2


def test_an_export_holds_the_filter_of_the_address(ours, world) -> None:
    address = reverse("candidates-export", args=[world.campaign.pk])
    ours.post(address, {"format": "csv", "asked": "outcome=kept&outcome=duplicate&kappa_min=1000&page=2"})
    made = Export.objects.get()
    assert made.filter == {"outcome": ["kept", "duplicate"], "kappa_min": "1000"}
    assert len(made.candidates) == 4


def test_an_unknown_parameter_of_the_list_is_a_plain_400(ours, world) -> None:
    answer = ours.get(reverse("candidates", args=[world.campaign.pk]) + "?kapa_min=3")
    assert answer.status_code == 400
    assert "kapa_min" in answer.content.decode()


def test_the_list_sorts_filters_and_keeps_its_address(ours, world) -> None:
    page = ours.get(
        reverse("candidates", args=[world.campaign.pk]) + "?sort=-kappa_rta&kappa_min=1000"
    ).content.decode()
    names = [name for name in w.KAPPA if f">{name}</a>" in page]
    assert names == ["diamond", "lonsdaleite", "bct-C4", "Z-carbon"]
    assert page.index(">diamond</a>") < page.index(">Z-carbon</a>")
    assert "sort=kappa_rta&amp;kappa_min=1000" in page


@pytest.mark.parametrize(
    ("kind", "says"), [("cif", "_cell_length_a"), ("poscar", "direct"), ("extxyz", "Lattice="), ("fc3", "fc3 ")]
)
def test_a_candidate_s_files_are_downloads(ours, world, kind, says) -> None:
    answer = ours.get(reverse("candidate-file", args=[world.candidates["diamond"].pk, kind]))
    assert "attachment" in answer["Content-Disposition"]
    assert says.lower() in (b"".join(answer) if answer.streaming else answer.content).decode().lower()


def test_the_json_download_is_the_whole_dossier(ours, world) -> None:
    answer = ours.get(reverse("candidate-file", args=[world.candidates["bct-C4"].pk, "json"]))
    told = json.loads(answer.content)
    assert told["tensors"][0]["largest"] == w.KAPPA["bct-C4"]
    assert len(told["relaxed"]["crystal"]["frac"]) == told["relaxed"]["n_atoms"]


def test_a_waiting_plan_is_started_once(ours, world) -> None:
    address = reverse("plan-start", args=[world.campaign.pk, world.waiting.pk])
    assert ours.post(address)["Location"] == reverse("campaign", args=[world.campaign.pk])
    world.waiting.refresh_from_db()
    assert world.waiting.state == "STARTED"
    assert ours.post(address).status_code == 409


def test_a_polled_fragment_is_304_while_nothing_changed_and_286_at_the_end(client, owner) -> None:
    world = w.build(owner, state="RUNNING", extra=6)
    client.force_login(owner)
    address = reverse("campaign-progress", args=[world.campaign.pk])
    first = client.get(address)
    assert first.status_code == 200
    again = client.get(address, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    Step.objects.filter(campaign=world.campaign, state="RUNNING").update(note="half way")
    assert client.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 200
    Campaign.objects.filter(pk=world.campaign.pk).update(state="DONE")
    last = client.get(address, headers={"If-None-Match": first["ETag"]})
    assert (last.status_code, last["HX-Refresh"]) == (286, "true")


def test_a_running_campaign_says_why_it_waits_and_can_be_cancelled_and_resumed(client, owner) -> None:
    world = w.build(owner, state="RUNNING", extra=6)
    client.force_login(owner)
    page = reverse("campaign", args=[world.campaign.pk])
    assert "No worker takes heavy jobs." in client.get(page).content.decode()
    client.post(reverse("campaign-cancel", args=[world.campaign.pk]))
    world.campaign.refresh_from_db()
    assert world.campaign.state == "CANCELLED"
    client.post(reverse("campaign-resume", args=[world.campaign.pk]))
    world.campaign.refresh_from_db()
    assert world.campaign.state == "RUNNING"


def test_an_admin_gives_roles_and_others_may_not(ours, client, world) -> None:
    guest = w.a_member(world.campaign, "guest", "viewer")
    address = reverse("members", args=[world.campaign.pk])
    ours.post(address, {"username": "guest", "roles": ["reviewer", "operator"]})
    assert Membership.objects.get(user=guest).roles == ["reviewer", "operator"]
    client.force_login(guest)
    assert client.post(address, {"username": "guest", "roles": ["admin"]}).status_code == 403


def test_the_table_names_its_method_and_the_warning_of_a_potential_that_fails(ours, world) -> None:
    world.model.warning = "Diamond's lattice constant is 3.60 Å."
    world.model.save()
    page = ours.get(reverse("campaign", args=[world.campaign.pk])).content.decode()
    assert "Ranked by κ<sub>L</sub>: RTA, relaxation time approximation, 300 K" in page
    assert page.count("3.60 Å") == 2
    other = ours.get(reverse("campaign-results", args=[world.campaign.pk]) + "?method=lbte").content.decode()
    assert "Ranked by κ<sub>L</sub>: LBTE" in other


def test_an_address_that_leads_nowhere_says_so_plainly(ours) -> None:
    answer = ours.get("/campaigns/999/")
    assert answer.status_code == 404
    assert "There is no such campaign." in answer.content.decode()
    assert "Nothing here that you may see" in ours.get("/nowhere/").content.decode()
