"""What a campaign's page says, gathered from the selectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from apps.campaigns.selectors import StepRow, steps_of
from apps.conductivity.selectors import waiting_plans
from apps.core import clock
from apps.reviews.selectors import ranked_table
from apps.reviews.tables import EstimateQuality
from apps.structures.selectors import Funnel, funnel
from apps.web.figures.conductivity import estimate_ranks

REASONS = {
    "excluded": "excluded by a curator",
    "duplicate": "duplicates",
    "failed": "failed",
    "waiting": "waiting for a start",
    "running": "being computed",
    "imaginary": "with imaginary modes",
    "borderline": "with borderline phonons",
    "symmetry_broken": "with broken symmetry",
    "other_method": "by another method only",
}


@dataclass(frozen=True)
class FunnelStage:
    """One stage of the funnel: `share` of the widest, `query` that lists what it holds, `note` on what fell away."""

    title: str
    count: int
    share: float
    query: str
    note: str


def progress_context(campaign: Any) -> tuple[dict[str, Any], bool]:
    """State, funnel and steps; and whether they still change by themselves."""
    steps = steps_of(campaign, now=clock.now())
    counts = funnel(campaign)
    context = {
        "steps": steps,
        "funnel": funnel_stages(counts),
        "counts": counts,
        "why_waiting": why_waiting(campaign, steps),
    }
    return context, campaign.state == "RUNNING"


def results_context(campaign: Any, method: str) -> tuple[dict[str, Any], bool]:
    """Ranked table, plans that wait, how well the estimate ranks; and whether something is being computed."""
    asked = method if method in ("rta", "lbte") else ""
    ranked = ranked_table(campaign, asked)
    left_out = [(REASONS[name], count) for name, count in vars(ranked.left_out).items() if count]
    waiting = waiting_plans(campaign)
    context = {
        "ranked": ranked,
        "left_out": left_out,
        "waiting": list(waiting[:MOST_WAITING]),
        "estimates": ranked.estimates,
        "estimates_figure": estimates_figure(ranked.estimates),
        "method": ranked.method.lower(),
    }
    return context, campaign.state == "RUNNING" or ranked.left_out.running > 0


MOST_WAITING = 100
FEWEST_ESTIMATES = 4
"""Fewer crystals say nothing about an order."""


def estimates_figure(quality: EstimateQuality) -> dict[str, Any] | None:
    """κ_L over its estimate; None for too few crystals."""
    if quality.n < FEWEST_ESTIMATES:
        return None
    urls = {point.candidate_id: reverse("candidate", args=[point.candidate_id]) for point in quality.points}
    return estimate_ranks(quality.points, urls)


def why_waiting(campaign: Any, steps: list[StepRow]) -> str:
    """One sentence on why nothing goes on; '' when something does. From the rows at hand, without a query."""
    if campaign.state == "HALTED":
        return campaign.halt_reason
    if campaign.state != "RUNNING":
        return ""
    running = [step for step in steps if step.state == "RUNNING"]
    return running[0].why_waiting if running else "The next step is being planned."


def funnel_stages(counts: Funnel) -> list[FunnelStage]:
    """Found → relaxed → unique → kept, with what fell away between."""
    screened = f"{counts.screened_out} screened out" if counts.screened_out else ""
    rows = [
        ("Crystals", counts.total, (), _origins(counts)),
        ("Relaxed", counts.relaxed, ("pending", "duplicate", "screened-out", "kept"), _rejected(counts)),
        ("Unique", counts.unique, ("pending", "screened-out", "kept"), _merged(counts)),
        ("Passed the screen", counts.kept, ("kept",), screened),
    ]
    widest = max(counts.total, 1)
    return [
        FunnelStage(title, count, count / widest, urlencode([("outcome", o) for o in outcomes]), note)
        for title, count, outcomes, note in rows
    ]


def _origins(counts: Funnel) -> str:
    named = [
        ("imported", counts.imported),
        ("generated", counts.generated),
        ("training crystals", counts.training),
        ("references", counts.reference),
    ]
    return ", ".join(f"{count} {name}" for name, count in named if count)


def _rejected(counts: Funnel) -> str:
    told = [(counts.waiting, "to do"), (counts.thinned, "near-duplicates set aside"), (counts.rejected, "rejected")]
    return ", ".join(f"{count} {what}" for count, what in told if count)


def _merged(counts: Funnel) -> str:
    conflicts = f", {counts.conflicts} in conflict" if counts.conflicts else ""
    plural = "" if counts.duplicates == 1 else "s"
    return f"{counts.duplicates} duplicate{plural}{conflicts}" if counts.duplicates else ""
