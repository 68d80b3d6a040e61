"""A finished validation on the candidate's page, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.urls import reverse

from tests.apps.validating import a_way, asked_and_relaxed, compute, run_jobs
from tests.browser.test_pages_in_chromium import objections


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_bands_of_dft_are_drawn_over_the_potential_s(seat, world, tmp_path: Path, scheme: str) -> None:
    way = a_way(owner=world.owner)
    found = asked_and_relaxed(way, tmp_path)
    way.decide(found.supercell_request)
    compute(found.supercell_request, stiffness=0.97)
    run_jobs(tmp_path)
    seat.page.emulate_media(color_scheme=scheme)
    seat.go(reverse("candidate", args=[way.candidate.pk]))
    seat.page.locator("#validation-title").scroll_into_view_if_needed()
    assert seat.page.locator("[data-figure^=validation-data]").get_attribute("data-drawn")
    seat.picture(f"validation-{scheme}")
    assert objections(seat) == []
