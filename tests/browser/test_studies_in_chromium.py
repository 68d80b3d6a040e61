"""Convergence studies in a real browser: started by the form, followed without a reload, drawn, accessible."""

from __future__ import annotations

import pytest
from django.urls import reverse

from apps.conductivity.models import KappaStudy
from tests.apps.studying import a_bench, ends, fails
from tests.browser.test_pages_in_chromium import objections


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_study_is_started_by_its_form_and_its_figure_grows(seat, world, scheme: str) -> None:
    bench = a_bench(world.owner)
    page = seat.page
    page.emulate_media(color_scheme=scheme)
    seat.go(reverse("candidate-studies", args=[bench.candidate.pk]))
    assert objections(seat) == []
    page.locator("#mesh_values").fill("")
    page.locator("#mesh_values").press_sequentially("10 12 15 40")
    page.locator("#mesh_expected").get_by_text("40 Å").wait_for()
    page.locator("form", has=page.locator("#mesh_values")).get_by_role("button", name="Start").click()
    page.get_by_text("0 of 4 points are done.").wait_for()
    seat.picture(f"study-started-{scheme}")
    first, second, third, fourth = KappaStudy.objects.latest("pk").points.order_by("order")
    for at, point in enumerate((first, second, third)):
        kappa = 1500.0 + 100 * at
        ends(point, principal=(kappa, 0.9 * kappa, 0.7 * kappa), uvw=("[100]", "[010]", "[001]"))
    page.get_by_text("3 of 4 points are done.").wait_for()
    seat.drawn()
    fails(fourth, "torch.OutOfMemoryError: CUDA out of memory")
    page.get_by_text("3 of 4 points are done, 1 failed.").wait_for()
    seat.drawn()
    seat.picture(f"study-{scheme}")
    assert objections(seat) == []
    page.get_by_role("link", name="Mesh length").first.click()
    page.get_by_role("button", name="Copy link").wait_for()
    seat.drawn()
    assert page.locator(".js-plotly-plot .trace.scatter").count() == 3
    seat.picture(f"study-alone-{scheme}")
    assert objections(seat) == []
    assert seat.complaints == []
