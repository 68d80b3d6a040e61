"""The report of the stages by which crystals come in."""

from __future__ import annotations

from typing import Any

from apps.campaigns.models import Campaign
from apps.structures.models import Candidate, Origin, Refusal
from kappakit.pipeline import CountReport, report_as_dict


def arrivals_report(campaign: Campaign, stage: str, origins: tuple[Origin, ...]) -> dict[str, Any]:
    """How many crystals came in by the stage, how many it refused."""
    kept = Candidate.objects.filter(campaign=campaign, origin__in=origins).count()
    dropped = Refusal.objects.filter(campaign=campaign, step_name=stage).count()
    return report_as_dict(CountReport(kept, dropped))
