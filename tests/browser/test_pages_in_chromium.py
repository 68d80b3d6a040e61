"""The pages in a real browser: nothing in the console, nothing that axe objects to, figures drawn."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse


def addresses(world) -> dict[str, str]:
    pk = world.campaign.pk
    mine = {name: reverse(name, args=[pk]) for name in ("campaign", "candidates", "map", "lists", "refusals", "protocol", "members")}  # fmt: skip
    return {
        "campaigns": reverse("campaigns"),
        **mine,
        "candidate": reverse("candidate", args=[world.candidates["diamond"].pk]),
        "candidate-waiting": reverse("candidate", args=[world.waiting.candidate_id]),
        "list": reverse("list", args=[world.list.pk]),
        "campaign-new": reverse("campaign-new"),
        "models": reverse("models"),
        "model": reverse("model", args=[world.model.pk]),
        "model-new": reverse("model-new"),
        "jobs": reverse("jobs"),
        "job": reverse("job", args=[world.job.pk]),
        "controls": reverse("controls"),
    }


def test_every_page_is_quiet_and_accessible_in_light_and_dark(seat, world) -> None:
    axe = Axe()
    objections: dict[str, list[str]] = {}
    for scheme in ("light", "dark"):
        seat.page.emulate_media(color_scheme=scheme)
        for name, address in addresses(world).items():
            seat.go(address)
            seat.picture(f"{name}-{scheme}")
            found = [f"{v['id']}: {v['nodes'][0]['html'][:160]} {v['nodes'][0].get('failureSummary','')[:200]}" for v in axe.run(seat.page).response["violations"]]  # fmt: skip
            if found:
                objections[f"{name} ({scheme})"] = found
    assert objections == {}
    assert seat.complaints == []
