"""DFT calculations and the gate in front of them: what was asked, who decided, what it cost, what came out."""

from __future__ import annotations

import uuid

import pghistory
import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from apps.artifacts.models import Artifact
from apps.campaigns.models import Campaign
from apps.core.states import one_of, only_moves
from apps.dft import triggers
from apps.dft.states import MOVES, OPEN, Answer, Decision, EntryKind, Failure, Purpose, Source
from apps.jobs.models import Job
from apps.structures.models import Candidate, Structure

USER = settings.AUTH_USER_MODEL

__all__ = ["MOVES", "OPEN", "Answer", "Decision", "EntryKind", "Failure", "Purpose", "Source"]


class DftRequest(models.Model):
    """Calculations that are asked for together: the rattles of a crystal, a relaxation, the supercells of a validation.

    `decides`: what their results would decide, for the approver."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="dft_requests")
    purpose = models.CharField(max_length=16, choices=Purpose.choices)
    candidate = models.ForeignKey(
        Candidate, on_delete=models.PROTECT, null=True, blank=True, related_name="dft_requests"
    )
    title = models.CharField(max_length=200)
    decides = models.TextField(blank=True)
    sweep = models.PositiveIntegerField(default=0)
    iteration = models.PositiveIntegerField(default=0)
    key = models.CharField(
        max_length=100, help_text="what asked, once in a campaign: 'labels/0/2', 'validate/17/relax'"
    )
    settings = models.JSONField(help_text="snapshot of DftSettings")
    uncertainty = models.FloatField(null=True, blank=True, help_text="of the candidate, meV/atom")
    proposed_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="dft_requests")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "key"], name="dftrequest_once"),
            one_of("purpose", Purpose, "dftrequest_purpose"),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="dft_request_stays", fields=["campaign", "purpose", "candidate", "settings", "proposed_by"]
            )
        ]

    def __str__(self) -> str:
        return self.title


@pghistory.track(
    pghistory.InsertEvent(), pghistory.UpdateEvent(), fields=["state", "inputs_sha256", "version"],
    model_name="DftCalculationEvent",
)  # fmt: skip
class DftCalculation(models.Model):
    """One calculation: canonical inputs, their hash (made by the database), and where people stand with it."""

    request = models.ForeignKey(DftRequest, on_delete=models.PROTECT, related_name="calculations")
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="dft_calculations")
    lineage = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, null=True, editable=False, related_name="+",
        help_text="the campaign that this one was cloned from first of all; made by the database",
    )  # fmt: skip
    label = models.CharField(max_length=100, help_text="within its request, e.g. 'rattle 3'")
    order = models.PositiveIntegerField(default=0)
    structure = models.ForeignKey(Structure, on_delete=models.PROTECT, related_name="dft_calculations")
    engine = models.CharField(max_length=20, help_text="gpaw, vasp or surrogate")
    task = models.CharField(max_length=10, help_text="label or relax")
    inputs = models.TextField(help_text="canonical text, see kappakit.dft")
    inputs_sha256 = models.CharField(max_length=64, editable=False, help_text="made by the database")
    version = models.PositiveIntegerField(default=1, help_text="what a page showed; a decision names it")
    state = models.CharField(max_length=16, choices=Decision.choices, default=Decision.PROPOSED)
    run = models.JSONField(help_text="snapshot of DftRunSettings: none of it is part of the inputs")
    effort = models.FloatField(help_text="size, without unit, see kappakit.dft.effort")
    estimate = models.FloatField(help_text="core-hours")
    history = models.PositiveIntegerField(default=0, help_text="finished calculations behind the estimate")
    proposed_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="dft_calculations")
    replaces = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaced_by")
    failure = models.CharField(max_length=16, choices=Failure.choices, default=Failure.NONE, blank=True)
    message = models.TextField(blank=True)
    failures = models.JSONField(default=list, help_text="each failed attempt: kind, message, run settings, at")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "order", "version"], name="dftcalculation_order_once"),
            models.UniqueConstraint(
                fields=["request", "inputs_sha256"],
                condition=~models.Q(state=Decision.VOIDED),
                name="dftcalculation_inputs_once",
            ),
            one_of("state", Decision, "dftcalculation_state"),
            one_of("failure", Failure, "dftcalculation_failure"),
            models.CheckConstraint(condition=models.Q(estimate__gte=0), name="dftcalculation_estimate"),
        ]
        indexes = [models.Index(fields=["campaign", "state"], name="dftcalculation_state_idx")]
        triggers = [only_moves("dftcalculation_moves", MOVES), triggers.CALCULATION_IS_WHAT_WAS_APPROVED]

    def __str__(self) -> str:
        return f"{self.request}: {self.label}"


class BudgetGrant(models.Model):
    """Core-hours that an approver gives to a campaign; `automatic` ones let labels be approved by themselves."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="dft_grants")
    core_hours = models.FloatField(help_text="core-hours")
    automatic = models.BooleanField(default=False, help_text="labels may spend it without asking again")
    granted_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="dft_grants")
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(core_hours__gt=0), name="dftgrant_positive")]
        triggers = [triggers.GRANT_IS_ENTITLED]

    def __str__(self) -> str:
        return f"{self.core_hours:g} core-hours for {self.campaign}"


class Approval(models.Model):
    """A decision on exactly these inputs; never changed, never deleted; an approval may be voided."""

    calculation = models.ForeignKey(DftCalculation, on_delete=models.PROTECT, related_name="decisions")
    inputs_sha256 = models.CharField(max_length=64)
    answer = models.CharField(max_length=16, choices=Answer.choices)
    decided_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="dft_decisions")
    grant = models.ForeignKey(
        BudgetGrant, on_delete=models.PROTECT, null=True, blank=True, related_name="approvals",
        help_text="the grant that approved it by itself, in the name of who granted it",
    )  # fmt: skip
    batch = models.UUIDField(default=uuid.uuid4, help_text="decisions made together")
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    voided_at = models.DateTimeField(null=True, blank=True)
    void_reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            one_of("answer", Answer, "approval_answer"),
            models.CheckConstraint(
                condition=~models.Q(answer=Answer.DENY, reason=""), name="approval_denial_has_reason"
            ),
            models.UniqueConstraint(
                fields=["calculation"], condition=models.Q(voided_at__isnull=True), name="approval_living_once"
            ),
        ]
        triggers = [triggers.APPROVAL_IS_ENTITLED, triggers.APPROVAL_STAYS]

    def __str__(self) -> str:
        return f"{self.calculation} {self.answer} by {self.decided_by}"


class BudgetEntry(models.Model):
    """One line of the ledger; the balance of a campaign is their sum. Grants and releases add, the rest takes."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="dft_entries")
    kind = models.CharField(max_length=16, choices=EntryKind.choices)
    core_hours = models.FloatField(help_text="core-hours, signed")
    calculation = models.ForeignKey(
        DftCalculation, on_delete=models.PROTECT, null=True, blank=True, related_name="entries"
    )
    grant = models.ForeignKey(BudgetGrant, on_delete=models.PROTECT, null=True, blank=True, related_name="entries")
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "budget entries"
        constraints = [one_of("kind", EntryKind, "budgetentry_kind")]
        indexes = [models.Index(fields=["campaign"], include=["core_hours"], name="budgetentry_campaign_idx")]
        triggers = [triggers.LEDGER_ADDS_UP]

    def __str__(self) -> str:
        return f"{self.kind} {self.core_hours:+g}"


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent())
class GatePolicy(models.Model):
    """A campaign's exception: its proposers may approve their own, for one-person campaigns, on record."""

    campaign = models.OneToOneField(Campaign, on_delete=models.PROTECT, related_name="gate_policy")
    own_approval = models.BooleanField(default=False)
    changed_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "gate policies"
        triggers = [triggers.POLICY_IS_OF_AN_ADMIN]

    def __str__(self) -> str:
        return f"policy of {self.campaign}"


class DftOutcome(models.Model):
    """What a calculation gave, on its method's own zero; see kappakit.ports.DftResult."""

    calculation = models.OneToOneField(DftCalculation, on_delete=models.PROTECT, related_name="outcome")
    structure = models.ForeignKey(Structure, on_delete=models.PROTECT, related_name="dft_outcomes")
    cell = models.JSONField(help_text="3 × 3, Å: as the numbers belong to it, in the calculation's own order of atoms")
    frac = models.JSONField(help_text="n × 3 fractional positions")
    energy = models.FloatField(help_text="eV per cell, force-consistent")
    energy_sigma0 = models.FloatField(help_text="eV per cell, extrapolated to zero smearing")
    forces = models.JSONField(help_text="n × 3, eV/Å")
    stress = models.JSONField(null=True, help_text="3 × 3, eV/Å³, positive = tension")
    k_mesh = ArrayField(models.PositiveIntegerField(), size=3)
    method = models.JSONField(help_text="kappakit.dft.method_of")
    method_sha256 = models.CharField(max_length=64, db_index=True)
    version = models.CharField(max_length=300)
    iterations = models.PositiveIntegerField()
    steps = models.PositiveIntegerField(default=0)
    magnetic_moment = models.FloatField(null=True, help_text="μ_B per cell")
    gap = models.FloatField(null=True, help_text="eV")
    notes = models.JSONField(default=list)
    source = models.CharField(max_length=16, choices=Source.choices)
    uploaded_by = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    seconds = models.FloatField(help_text="s of the last attempt")
    core_hours = models.FloatField(help_text="core-hours of all attempts")
    host = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [one_of("source", Source, "dftoutcome_source")]

    def __str__(self) -> str:
        return f"outcome of {self.calculation}"


class DftFile(models.Model):
    """A file of a calculation: its log, an uploaded vasprun.xml."""

    calculation = models.ForeignKey(DftCalculation, on_delete=models.PROTECT, related_name="files")
    kind = models.CharField(max_length=32)
    artifact = models.ForeignKey(Artifact, on_delete=models.PROTECT, related_name="+")
    added_by = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["calculation", "kind", "artifact"], name="dftfile_once")]

    def __str__(self) -> str:
        return self.kind


class DftComment(models.Model):
    """A word on a request, by who may see it."""

    request = models.ForeignKey(DftRequest, on_delete=models.PROTECT, related_name="comments")
    author = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=~models.Q(text=""), name="dftcomment_has_text")]

    def __str__(self) -> str:
        return f"{self.author}: {self.text[:40]}"


class DftJob(Job):
    """A job of the kinds that compute DFT or take its results: the database lets none in without its approval."""

    class Meta:
        proxy = True
        triggers = [triggers.JOB_HAS_ITS_APPROVAL]
