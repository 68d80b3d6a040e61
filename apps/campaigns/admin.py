"""Campaigns, roles and steps, to look at: what people do with them goes through the campaign's pages and services."""

from __future__ import annotations

from django.contrib import admin

from apps.campaigns.models import Campaign, Membership, Step
from apps.core.admin import ReadOnlyAdmin


@admin.register(Campaign)
class CampaignAdmin(ReadOnlyAdmin):
    """One search."""

    list_display = ("name", "state", "owner", "potential", "seed", "created_at", "halt_reason")
    list_filter = ("state",)
    search_fields = ("name",)
    list_select_related = ("owner", "potential")


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    """Who may do what."""

    list_display = ("campaign", "user", "roles")
    list_filter = ("campaign",)
    list_select_related = ("campaign", "user")


@admin.register(Step)
class StepAdmin(ReadOnlyAdmin):
    """What a campaign did."""

    list_display = (
        "campaign",
        "name",
        "sweep",
        "iteration",
        "state",
        "expected_units",
        "started_at",
        "ended_at",
        "note",
    )
    list_filter = ("state", "name", "campaign")
    list_select_related = ("campaign",)
