"""The pages in a real browser: nothing in the console, nothing that axe objects to, figures drawn."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse

from apps.structures.models import Candidate
from tests.apps.committee_rows import a_history
from tests.apps.generation import generated_by
from tests.web import world as w

SHOWN_DARK = ("campaign", "candidates", "candidate", "generation", "committee", "campaign-new")


def addresses(world) -> dict[str, str]:
    pk, generator = world.campaign.pk, w.a_generator(quality=w.QUALITY)
    generated_by(world.campaign, generator, list(Candidate.objects.filter(campaign=pk, origin="generated")))
    a_history(world.campaign, list(world.candidates.values()), iterations=6, left_out="It did not converge.")
    tabs = ("campaign", "candidates", "map", "generation", "committee", "lists", "refusals", "protocol", "members")
    return {
        "campaigns": reverse("campaigns"),
        **{name: reverse(name, args=[pk]) for name in tabs},
        "candidate": reverse("candidate", args=[world.candidates["diamond"].pk]),
        "candidate-waiting": reverse("candidate", args=[world.waiting.candidate_id]),
        "list": reverse("list", args=[world.list.pk]),
        "campaign-new": reverse("campaign-new"),
        "models": reverse("models"),
        "model": reverse("model", args=[world.model.pk]),
        "model-new": reverse("model-new"),
        "generator": reverse("model", args=[generator.pk]),
        "generator-new": reverse("generator-new"),
        "jobs": reverse("jobs"),
        "job": reverse("job", args=[world.job.pk]),
        "controls": reverse("controls"),
    }


def objections(seat) -> list[str]:
    """What axe has against the page: rule, element, why."""
    return [_told(violation) for violation in Axe().run(seat.page).response["violations"]]


def _told(violation: dict[str, Any]) -> str:
    node = violation["nodes"][0]
    return (
        f"{violation['id']} ×{len(violation['nodes'])}: {node['html'][:200]} | {node.get('failureSummary', '')[:300]}"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_quiet_and_accessible(seat, world, scheme) -> None:
    seat.page.emulate_media(color_scheme=scheme)
    found: dict[str, list[str]] = {}
    for name, address in addresses(world).items():
        if scheme == "light" or name in SHOWN_DARK:
            seat.go(address)
            seat.picture(f"{name}-{scheme}")
            found |= {name: told} if (told := objections(seat)) else {}
    assert not found, "\n".join(f"{name}: {told}" for name, several in found.items() for told in several)
    assert seat.complaints == []


def test_the_sign_in_page_and_error_pages_are_accessible(stranger_seat, db) -> None:
    for name, address in {"login": reverse("login"), "missing": "/no/such/page/"}.items():
        stranger_seat.page.goto(stranger_seat.address + address)
        stranger_seat.picture(name)
        assert objections(stranger_seat) == []
