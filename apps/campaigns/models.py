"""Campaigns, who may do what in them, and the steps that they take."""

from __future__ import annotations

import pghistory
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.core.states import choice, one_of, only_moves
from apps.training.models import TrainedModel


class CampaignState(models.TextChoices):
    DRAFT = choice("DRAFT", "draft")
    RUNNING = choice("RUNNING", "running")
    HALTED = choice("HALTED", "halted")
    DONE = choice("DONE", "done")
    CANCELLED = choice("CANCELLED", "cancelled")
    ARCHIVED = choice("ARCHIVED", "archived")


CAMPAIGN_MOVES = {
    CampaignState.DRAFT: frozenset({CampaignState.RUNNING, CampaignState.ARCHIVED}),
    CampaignState.RUNNING: frozenset({CampaignState.HALTED, CampaignState.DONE, CampaignState.CANCELLED}),
    CampaignState.HALTED: frozenset({CampaignState.RUNNING, CampaignState.CANCELLED, CampaignState.ARCHIVED}),
    CampaignState.CANCELLED: frozenset({CampaignState.RUNNING, CampaignState.ARCHIVED}),
    CampaignState.DONE: frozenset({CampaignState.RUNNING, CampaignState.ARCHIVED}),
    CampaignState.ARCHIVED: frozenset(
        {CampaignState.DONE, CampaignState.CANCELLED, CampaignState.HALTED, CampaignState.DRAFT}
    ),
}


class StepState(models.TextChoices):
    RUNNING = choice("RUNNING", "running")
    DONE = choice("DONE", "done")
    FAILED = choice("FAILED", "failed")
    CANCELLED = choice("CANCELLED", "cancelled")


STEP_MOVES = {
    StepState.RUNNING: frozenset({StepState.DONE, StepState.FAILED, StepState.CANCELLED}),
    StepState.FAILED: frozenset({StepState.RUNNING}),
    StepState.CANCELLED: frozenset({StepState.RUNNING}),
}


class Role(models.TextChoices):
    VIEWER = choice("viewer", "viewer")
    REVIEWER = choice("reviewer", "reviewer")
    CURATOR = choice("curator", "curator")
    OPERATOR = choice("operator", "operator")
    APPROVER = choice("approver", "approver")
    ADMIN = choice("admin", "admin")


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    fields=["name", "state", "halt_reason", "potential", "generator", "protocol"],
    model_name="CampaignEvent",
)
class Campaign(models.Model):
    """One search: a protocol snapshot, a potential, perhaps a trained generator, a seed, and everything found."""

    name = models.CharField(max_length=200, unique=True)
    description = models.TextField(blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="campaigns_owned")
    protocol = models.JSONField(help_text="Snapshot of kappakit.protocol.Protocol.")
    protocol_digest = models.CharField(max_length=64)
    seed = models.BigIntegerField(default=0)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    potential = models.ForeignKey(
        TrainedModel, on_delete=models.PROTECT, null=True, blank=True, related_name="campaigns"
    )
    generator = models.ForeignKey(
        TrainedModel, on_delete=models.PROTECT, null=True, blank=True, related_name="campaigns_generated"
    )
    state = models.CharField(max_length=16, choices=CampaignState.choices, default=CampaignState.DRAFT)
    halt_reason = models.TextField(blank=True)
    archived_from = models.CharField(max_length=16, blank=True, help_text="State to which unarchiving returns.")
    cloned_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="clones")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [one_of("state", CampaignState, "campaign_state")]
        triggers = [only_moves("campaign_moves", CAMPAIGN_MOVES)]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class Membership(models.Model):
    """A user's roles in one campaign."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships")
    roles = ArrayField(models.CharField(max_length=16, choices=Role.choices), default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "user"], name="membership_once"),
            models.CheckConstraint(condition=models.Q(roles__contained_by=Role.values), name="membership_roles"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.campaign}"


class Step(models.Model):
    """One step of the itinerary: its jobs form the group 'step:<id>'; its report feeds the next."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="steps")
    name = models.CharField(max_length=32)
    sweep = models.PositiveIntegerField(default=0)
    iteration = models.PositiveIntegerField(default=0)
    candidates = models.JSONField(
        default=list, help_text="Ids of the candidates that it is about; empty: its own rule."
    )
    state = models.CharField(max_length=16, choices=StepState.choices, default=StepState.RUNNING)
    expected_units = models.PositiveIntegerField(default=0)
    report = models.JSONField(null=True, blank=True)
    note = models.TextField(blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "name", "sweep", "iteration"], name="step_once"),
            one_of("state", StepState, "step_state"),
        ]
        triggers = [only_moves("step_moves", STEP_MOVES)]

    def __str__(self) -> str:
        return f"{self.campaign}: {self.name}/{self.sweep}/{self.iteration}"
