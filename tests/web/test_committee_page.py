"""The committee's page: what it disagrees about, what it asked, what it changed, and trust wherever κ_L is shown."""

from __future__ import annotations

import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.campaigns.models import Campaign
from apps.committees.models import Committee
from apps.committees.selectors.pages import committee_history
from apps.structures.models import Candidate
from kappakit.protocol import CommitteeSettings
from tests.apps import rows
from tests.apps.committee_rows import a_history, asks_for_a_committee, energy_std
from tests.web.test_pages import MOST_QUERIES


@pytest.fixture
def learned(world) -> list[Committee]:
    return a_history(world.campaign, list(world.candidates.values()))


def shown(client, campaign: Campaign) -> str:
    return client.get(reverse("committee", args=[campaign.pk])).content.decode()


def test_the_page_says_why_the_loop_stopped_and_shows_everything(ours, world, learned) -> None:
    with CaptureQueriesContext(connection) as asked:
        page = shown(ours, world.campaign)
    assert len(asked) <= MOST_QUERIES
    for part in ("Stopped after iteration 2", "No candidate is above 15 meV/atom", "everyone-data", "highest-data",
                 "calibration-data", "errors-data", "Fixed test set", "Start set", "final fit", "member 1, iteration 2",
                 "Still above the threshold"):  # fmt: skip
        assert part in page
    assert reverse("model", args=[learned[-1].members.get(index=0).model_id]) in page


def test_the_tab_is_there_only_where_a_committee_is_asked_for(ours, world) -> None:
    address = reverse("committee", args=[world.campaign.pk])
    assert address not in ours.get(reverse("campaign", args=[world.campaign.pk])).content.decode()
    assert "No committee" in shown(ours, world.campaign)
    asks_for_a_committee(world.campaign)
    assert address in ours.get(reverse("campaign", args=[world.campaign.pk])).content.decode()
    assert "Nothing trained yet" in shown(ours, world.campaign)


def test_labels_that_wait_for_an_approver_are_named(ours, world) -> None:
    candidates = list(world.candidates.values())
    a_history(world.campaign, candidates, iterations=2, stopped="")
    page = shown(ours, world.campaign)
    assert "It waits for an approver." in page
    assert "2 wait for a decision" in page
    assert candidates[1].label in page


def test_a_committee_that_is_still_being_trained_has_no_numbers_yet(ours, world) -> None:
    asks_for_a_committee(world.campaign)
    Committee.objects.create(campaign=world.campaign, sweep=0, iteration=0, settings={})
    assert "Still above the threshold" in shown(ours, world.campaign)


def test_every_tab_says_that_a_surrogate_stands_for_dft(ours, world) -> None:
    asks_for_a_committee(world.campaign)
    assert "A surrogate, no DFT" not in shown(ours, world.campaign)
    protocol = world.campaign.protocol | {"dft": {**world.campaign.protocol["dft"], "engine": "surrogate"}}
    Campaign.objects.filter(pk=world.campaign.pk).update(protocol=protocol)
    for tab in ("campaign", "committee", "campaign-dft", "candidates", "map"):
        assert "A surrogate, no DFT" in ours.get(reverse(tab, args=[world.campaign.pk])).content.decode()


def test_a_member_that_is_left_out_is_told_with_its_reason(ours, world) -> None:
    a_history(world.campaign, list(world.candidates.values()), left_out="Its training ended in NaN three times.")
    page = shown(ours, world.campaign)
    assert "7 of 8" in page
    assert "member 8 left out" in page
    assert "Its training ended in NaN three times." in page


def test_the_history_has_uncertainties_before_and_after_and_who_is_still_above(world, learned) -> None:
    history = committee_history(world.campaign)
    first, second, last = history.iterations
    assert (first.request.before, first.request.after) == (energy_std(0, 0), pytest.approx(energy_std(0, 1)))
    assert second.request.candidate.id == world.candidates[list(world.candidates)[1]].pk
    assert last.request is None
    assert [len(first.points), first.trained, first.labels, second.labels] == [len(world.candidates), 8, 0, 8]
    assert first.median == pytest.approx(sorted(p.energy_std for p in first.points)[len(first.points) // 2], rel=0.2)
    assert history.reliability.groups[:5] == ("crystal 0",) * 4 + ("crystal 1",)
    why = {row.candidate.id: row.why for row in history.still_above}
    labelled, *_, never = list(world.candidates.values())[:6]
    assert why[labelled.pk] == "its labels of iteration 0 are not there yet"
    assert why[never.pk] == "not labelled, the loop ended before"


def test_a_committee_that_asks_by_forces_is_shown_in_their_unit(ours, world) -> None:
    by_forces = CommitteeSettings(size=4, criterion="forces", force_threshold=0.5)
    a_history(world.campaign, list(world.candidates.values()), settings=by_forces)
    history = committee_history(world.campaign)
    assert (history.unit, history.threshold) == ("eV/Å", 0.5)
    assert history.iterations[0].request.before == pytest.approx(energy_std(0, 0) / 50)
    figures = ours.get(reverse("committee", args=[world.campaign.pk])).context["figures"]
    assert figures["calibration"]["layout"]["xaxis"]["title"]["text"] == "Spread of forces (eV/Å)"
    assert figures["everyone"]["layout"]["yaxis"]["title"]["text"] == "Uncertainty of forces (eV/Å)"


def test_while_the_campaign_runs_the_page_asks_again_and_is_told_when_nothing_changed(ours, world, learned) -> None:
    Campaign.objects.filter(pk=world.campaign.pk).update(state="RUNNING")
    address = reverse("committee-progress", args=[world.campaign.pk])
    assert f'hx-get="{address}"' in shown(ours, world.campaign)
    first = ours.get(address)
    assert first.status_code == 200
    assert ours.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 304


def test_fifty_candidates_over_twelve_iterations_come_by_as_many_queries_and_soon(ours, world) -> None:
    many = [rows.a_candidate(world.campaign, 1000 + n, label=f"crystal {n}") for n in range(50)]
    a_history(world.campaign, many, iterations=12)
    with CaptureQueriesContext(connection) as asked:
        began = time.perf_counter()
        response = ours.get(reverse("committee", args=[world.campaign.pk]))
        seconds = time.perf_counter() - began
    assert response.status_code == 200
    assert len(asked) <= MOST_QUERIES
    assert seconds < 3.0, f"{seconds:.2f} s"
    print(f"{seconds:.2f} s, {len(asked)} queries, {len(response.content) / 1e3:.0f} kB")


def test_candidates_are_listed_sorted_and_found_by_their_uncertainty(ours, world, learned) -> None:
    address = reverse("candidates", args=[world.campaign.pk])

    def found(query: str) -> list[int]:
        return [row.candidate_id for row in ours.get(f"{address}?{query}").context["page"].rows]

    assert "Uncertainty" in ours.get(address).content.decode()
    assert found("sort=-uncertainty")[:2] == [c.pk for c in list(world.candidates.values())[:2]]
    least = energy_std(1, 2) - 0.1
    assert set(found(f"uncertainty_min={least}")) == {c.pk for c in list(world.candidates.values())[:2]}


def test_a_candidate_shows_how_far_the_committee_agrees(ours, world, learned) -> None:
    page = ours.get(reverse("candidate", args=[world.candidates["diamond"].pk])).content.decode()
    for part in ("How far the committee agrees", "8 members", "iteration 2", "uncertainty "):
        assert part in page


def test_the_map_can_be_coloured_by_uncertainty(ours, world, learned) -> None:
    page = ours.get(reverse("map", args=[world.campaign.pk]) + "?colour=uncertainty")
    colours = [trace for trace in page.context["figure"]["data"] if trace["marker"].get("showscale")]
    assert (
        len(colours[0]["marker"]["color"]) == Candidate.objects.filter(uncertainties__isnull=False).distinct().count()
    )


def test_labels_are_uploaded_to_a_draft_that_begins_with_them(ours, owner) -> None:
    draft = rows.a_campaign(owner)
    asks_for_a_committee(draft, CommitteeSettings(size=4, start="upload"))
    overview = reverse("campaign", args=[draft.pk])
    assert "None yet: the campaign cannot start its committee" in ours.get(overview).content.decode()
    file = SimpleUploadedFile("mine.extxyz", b"2\nenergy=-18.1\nC 0 0 0\nC 0.9 0.9 0.9\n")
    ours.post(reverse("campaign-labels", args=[draft.pk]), {"labels": file})
    assert "mine.extxyz" in ours.get(overview).content.decode()


def test_an_upload_without_a_file_is_told(ours, world) -> None:
    told = ours.post(reverse("campaign-labels", args=[world.campaign.pk]), follow=True).content.decode()
    assert "Choose a file of labelled configurations." in told


def test_the_form_says_what_a_committee_costs_and_names_its_fields(client, trainer) -> None:
    page = client.get(reverse("campaign-new")).content.decode()
    for part in ("What a committee costs.", "K-point spacing (1/Å)", "Degrees of freedom taken off",
                 "DFT: what is computed", "DFT: how it runs", "Walltime (min)"):  # fmt: skip
        assert part in page
