"""What did not become a candidate."""

from __future__ import annotations

from django.db.models import QuerySet

from apps.campaigns.models import Campaign
from apps.structures.models import Refusal


def refusals_of(campaign: Campaign) -> QuerySet[Refusal]:
    """Files and crystals that were not taken, each with its reason; newest first."""
    return Refusal.objects.filter(campaign=campaign).order_by("-id")
