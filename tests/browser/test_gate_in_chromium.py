"""The approver's way through the gate, by keyboard, in a real browser; every page of it is quiet and accessible."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from apps.accounts.models import User
from apps.dft.models import DftRequest
from apps.dft.services import Asked, budget_grant, calculation_decide, request_propose
from kappakit.protocol import DftRunSettings
from tests.apps.gate import a_request, a_task
from tests.browser.test_pages_in_chromium import objections


@pytest.fixture
def asked(world, owner) -> list[DftRequest]:
    """Three requests of somebody else: two for labels by GPAW, one by VASP; the owner decides."""
    scientist = User.objects.create_user("scientist")
    budget_grant(campaign=world.campaign, core_hours=100.0, user=owner, reason="for the first iterations")
    names = ("diamond", "lonsdaleite")
    made = [
        a_request(
            world.campaign, scientist, key=f"labels/0/{n}", candidate=world.candidates[name], uncertainty=31.7 - n
        )
        for n, name in enumerate(names)
    ]
    by_vasp = Asked("validate", "validate/1/relax", "Relax bct-C4 by VASP", "Whether its energy is the potential's.",
                    candidate=world.candidates["bct-C4"])  # fmt: skip
    tasks = [("relaxation", a_task(7, engine="vasp", cutoff=600.0, k_spacing=0.15, spin=True))]
    return [*made, request_propose(
        campaign=world.campaign, asked=by_vasp, tasks=tasks, run=DftRunSettings(), proposed_by=scientist
    )]  # fmt: skip


def states(request: DftRequest) -> set[str]:
    return set(request.calculations.values_list("state", flat=True))


def test_an_approver_decides_comments_and_undoes_by_keyboard(seat, world, asked) -> None:
    first, second, third = asked
    page = seat.go(reverse("approvals"))
    expect(page.get_by_role("heading", name="3 requests")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert objections(seat) == []
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.get_by_role("heading", name="Approve 2 calculations?")).to_be_visible()
    expect(page.get_by_text("Left after")).to_be_visible()
    assert states(first) == {"PROPOSED"}
    assert objections(seat) == []
    seat.picture("approvals-preview")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 calculations approved.")).to_be_visible()
    assert states(first) == {"APPROVED"}
    page.once("dialog", lambda dialog: dialog.accept())
    page.keyboard.press("u")
    expect(page.get_by_text("2 withdrawn before anything of it began.")).to_be_visible()
    assert states(first) == {"VOIDED"}
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("r")
    expect(page.get_by_label("Reason")).to_be_focused()
    page.keyboard.type("Too far from anything known.")
    page.get_by_role("button", name="Deny 2 with this reason").click()
    expect(page.get_by_text("2 calculations denied.")).to_be_visible()
    assert states(second) == {"DENIED"}
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.wait_for_url("**/dft/requests/*/#comment")
    seat.drawn()
    expect(page.get_by_role("textbox", name="Comment")).to_be_focused()
    page.keyboard.type("600 eV is enough?")
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.get_by_text("600 eV is enough?")).to_be_visible()
    page.get_by_role("button", name="Approve the chosen").focus()
    page.keyboard.press("a")
    expect(page.get_by_role("heading", name="Approve 1 calculation?")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 calculation approved.")).to_be_visible()
    assert page.url.endswith(reverse("dft-request", args=[third.pk]))
    assert states(third) == {"APPROVED"}
    assert seat.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_the_gate_is_quiet_and_accessible(seat, world, asked, owner, scheme) -> None:
    seat.page.emulate_media(color_scheme=scheme)
    label, upload = asked[0].calculations.first(), asked[2].calculations.get()
    calculation_decide(calculation=upload, version=1, answer="approve", user=owner, reason="Worth it.")
    addresses = {
        "approvals": reverse("approvals"),
        "my-requests": reverse("my-requests"),
        "dft-request": reverse("dft-request", args=[asked[0].pk]),
        "dft-request-vasp": reverse("dft-request", args=[asked[2].pk]),
        "dft-calculation": reverse("dft-calculation", args=[label.pk]),
        "dft-calculation-vasp": reverse("dft-calculation", args=[upload.pk]),
        "dft-change": reverse("dft-change", args=[label.pk]),
        "campaign-dft": reverse("campaign-dft", args=[world.campaign.pk]),
        "campaign-ledger": reverse("campaign-ledger", args=[world.campaign.pk]),
    }
    found: dict[str, list[str]] = {}
    for name, address in addresses.items():
        seat.go(address)
        seat.picture(f"gate-{name}-{scheme}")
        found |= {name: told} if (told := objections(seat)) else {}
    assert not found, "\n".join(f"{name}: {told}" for name, several in found.items() for told in several)
    assert seat.complaints == []
