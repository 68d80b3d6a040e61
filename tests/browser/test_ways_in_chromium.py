"""The main ways of a person through the pages, in a real browser."""

from __future__ import annotations

from pathlib import Path

from django.urls import reverse
from playwright.sync_api import expect

from apps.accounts.services import login_link_create
from apps.campaigns.models import Campaign, Step
from apps.core import clock
from apps.reviews.models import CandidateListItem, Review
from tests.web import world as w

EXTXYZ = '2\nLattice="2.52 0 0 0 2.52 0 0 0 2.52" Properties=species:S:1:pos:R:3\nC 0 0 0\nC 0.9 0.9 0.9\n'


def test_a_login_link_leads_to_the_campaigns_once(stranger_seat, owner) -> None:
    token = login_link_create(user=owner, now=clock.now())
    page = stranger_seat.go(f"/enter/{token}/")
    expect(page.get_by_role("heading", name="Campaigns", exact=True)).to_be_visible()
    expect(page.get_by_text("No campaign yet")).to_be_visible()
    page.get_by_role("button", name="rosa").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(f"{stranger_seat.address}/enter/{token}/")
    expect(page.get_by_role("heading", name="This login link does not work any more")).to_be_visible()


def test_a_campaign_is_made_from_the_form_and_a_mistake_loses_nothing(seat, owner, tmp_path: Path) -> None:
    w.a_model()
    crystal = tmp_path / "carbon.extxyz"
    crystal.write_text(EXTXYZ)
    page = seat.go(reverse("campaign-new"))
    page.get_by_label("Name").fill("By hand")
    page.get_by_label("Files").set_input_files(crystal)
    page.get_by_label("Fill the protocol from").select_option("smoke")
    page.get_by_text("Map SOAP averaged").click()
    expect(page.get_by_label("Perplexity")).to_have_value("10")
    page.get_by_label("Perplexity").fill("-3")
    page.get_by_role("button", name="Keep as a draft").click()
    expect(page.get_by_text("must be at least 1", exact=False).first).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("By hand")
    assert page.get_by_label("Files").evaluate("(e) => e.files[0]?.name") == "carbon.extxyz"
    page.get_by_label("Perplexity").fill("5")
    page.get_by_role("button", name="Keep as a draft").click()
    expect(page.get_by_role("heading", name="This is a draft")).to_be_visible()
    expect(page.get_by_text("carbon.extxyz")).to_be_visible()
    seat.picture("campaign-draft")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("The first step is being planned.")).to_be_visible()
    assert Campaign.objects.get().state == "RUNNING"
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    assert [c for c in seat.complaints if "422" not in c] == []


def test_a_running_campaign_s_page_follows_by_itself_and_stops_asking(seat, owner) -> None:
    world = w.build(owner, state="RUNNING", extra=6)
    page = seat.go(reverse("campaign", args=[world.campaign.pk]))
    expect(page.get_by_text("Why is it waiting?")).to_be_visible()
    seat.picture("campaign-running")
    Step.objects.filter(campaign=world.campaign, state="RUNNING").update(note="half of the crystals are relaxed")
    expect(page.get_by_text("half of the crystals are relaxed")).to_be_visible(timeout=20_000)
    asked: list[str] = []
    page.on("response", lambda r: asked.append(f"{r.status}") if "/progress/" in r.url else None)
    page.wait_for_timeout(4500)
    assert asked
    assert set(asked) == {"304"}
    Campaign.objects.filter(pk=world.campaign.pk).update(state="DONE", finished_at=clock.now())
    expect(page.get_by_text("ended")).to_be_visible(timeout=20_000)
    asked.clear()
    page.wait_for_timeout(3000)
    assert asked == []
    assert seat.complaints == []


def test_a_reviewer_filters_opens_and_lists_candidates_by_keyboard(seat, world) -> None:
    page = seat.go(reverse("candidates", args=[world.campaign.pk]))
    page.get_by_label("κL at least, W/(m·K)").fill("1000")
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url("**/candidates/?kappa_min=1000")
    page.get_by_role("link", name="κL (RTA) W/(m·K)").click()
    page.wait_for_url("**sort=-kappa_rta**")
    expect(page.locator("tbody tr").first).to_contain_text("diamond")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-chosen]")).to_have_text("2")
    page.get_by_label("or a new list").fill("hard")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("2 added to “hard”.")).to_be_visible()
    assert CandidateListItem.objects.filter(list__name="hard").count() == 2
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/candidates/*/")
    seat.drawn()
    expect(page.get_by_role("heading", name="Place on the map")).to_be_visible()
    page.get_by_label("Reason or comment").fill("too well known")
    page.get_by_role("button", name="Reject with this reason").click()
    expect(page.get_by_text("too well known")).to_be_visible()
    assert Review.objects.filter(kind="reject").exists()
    assert seat.complaints == []


def test_the_crystal_turns_into_a_supercell_and_the_map_leads_to_a_crystal(seat, world) -> None:
    page = seat.go(reverse("candidate", args=[world.candidates["lonsdaleite"].pk]))
    page.get_by_role("button", name="2×2×2").click()
    expect(page.get_by_role("button", name="2×2×2")).to_have_attribute("aria-pressed", "true")
    seat.picture("candidate-supercell")
    seat.go(reverse("map", args=[world.campaign.pk]))
    page.get_by_label("Colour", exact=True).select_option("novelty")
    page.wait_for_url("**colour=novelty**")
    seat.drawn()
    seat.picture("map-words")
    figure = page.locator("[data-figure]")
    figure.evaluate("(e) => e.emit('plotly_click', {points: [{customdata: e.data[0].customdata[0]}]})")
    page.wait_for_url("**/candidates/*/")
    assert seat.complaints == []
