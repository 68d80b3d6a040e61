"""What people say and decide, and the one narrow row that lists read."""

from __future__ import annotations

import builtins
from typing import Any

import pghistory
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.artifacts.models import Artifact
from apps.campaigns.models import Campaign
from apps.core.states import one_of, only_moves
from apps.structures.models import Candidate

USER = settings.AUTH_USER_MODEL


class ReviewKind(models.TextChoices):
    SHORTLIST = "shortlist", "shortlisted"
    REJECT = "reject", "rejected"
    RESET = "reset", "verdict withdrawn"
    COMMENT = "comment", "comment"


@pghistory.track(pghistory.InsertEvent())
class Review(models.Model):
    """A reviewer's word on a candidate; the newest that is not a comment is the verdict."""

    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="reviews")
    author = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="reviews")
    kind = models.CharField(max_length=16, choices=ReviewKind.choices)
    text = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            one_of("kind", ReviewKind, "review_kind"),
            models.CheckConstraint(condition=~models.Q(kind="reject", text=""), name="review_reject_has_reason"),
            models.CheckConstraint(condition=~models.Q(kind="comment", text=""), name="review_comment_has_text"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.author}"


@pghistory.track()
class CandidateList(models.Model):
    """A named list of candidates of one campaign, for people and programs."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="lists")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    owner = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="candidate_lists")
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "name"], name="list_name_once")]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class CandidateListItem(models.Model):
    """A candidate on a list; taken off by a date, never deleted."""

    list = models.ForeignKey(CandidateList, on_delete=models.PROTECT, related_name="items")
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="list_items")
    note = models.TextField(blank=True)
    added_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["list", "candidate"], condition=models.Q(removed_at__isnull=True), name="listitem_live_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.candidate} on {self.list}"


class CandidateSummary(models.Model):
    """The narrow, derived row that a list reads; `reviews.services` rebuilds it, a test proves it equal."""

    candidate = models.OneToOneField(Candidate, on_delete=models.PROTECT, primary_key=True, related_name="summary")
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="summaries")
    index = models.PositiveIntegerField()
    name = models.CharField(max_length=200, blank=True, help_text="curated name, else 'known as', else label")
    tags = ArrayField(models.CharField(max_length=50), default=list)
    formula = models.CharField(max_length=200)
    chemical_system = models.CharField(max_length=100)
    origin = models.CharField(max_length=16)
    outcome = models.CharField(max_length=16)
    outcome_reason = models.CharField(max_length=50, blank=True)
    excluded = models.BooleanField(default=False)
    verdict = models.CharField(max_length=16, blank=True, help_text="shortlist, reject or empty")
    novelty = models.CharField(max_length=16, blank=True)
    n_atoms = models.PositiveIntegerField(null=True, help_text="atoms in the primitive cell")
    space_group_number = models.PositiveSmallIntegerField(null=True)
    space_group = models.CharField(max_length=20, blank=True)
    operations = models.PositiveSmallIntegerField(null=True)
    dimensionality = models.PositiveSmallIntegerField(null=True)
    density = models.FloatField(null=True, help_text="g/cm³, relaxed")
    energy_per_atom = models.FloatField(null=True, help_text="eV/atom")
    above_hull = models.FloatField(null=True, help_text="eV/atom")
    kappa_rta = models.FloatField(null=True, help_text="W/(m·K), largest principal at the ranked temperature, RTA")
    kappa_lbte = models.FloatField(null=True, help_text="W/(m·K), largest principal at the ranked temperature, LBTE")
    promise = models.FloatField(null=True, help_text="W/(m·K), estimate before any force constants")
    kappa_change = models.FloatField(
        null=True, help_text="share that the mesh's last step changed, largest of all directions"
    )
    kappa_error = models.FloatField(null=True, help_text="share of κ_L that the mesh is expected to miss")
    converged = models.BooleanField(null=True, help_text="of κ_L on the mesh; empty: not tested")
    rankable = models.BooleanField(default=False)
    dynamical = models.CharField(max_length=16, blank=True)
    kappa_state = models.CharField(max_length=16, blank=True, help_text="PLANNED, STARTED, DONE, FAILED or empty")
    trust_label = models.CharField(max_length=800, blank=True)
    uncertainty = models.FloatField(null=True, help_text="meV/atom, of the newest committee that evaluated it")

    class Meta:
        indexes = [
            models.Index(fields=["campaign", field, "candidate"], name=f"summary_{name}_idx")
            for field, name in [
                ("index", "index"), ("kappa_rta", "rta"), ("kappa_lbte", "lbte"), ("above_hull", "hull"),
                ("energy_per_atom", "energy"), ("n_atoms", "atoms"), ("density", "density"),
                ("space_group_number", "group"), ("outcome", "outcome"), ("novelty", "novelty"),
                ("uncertainty", "doubt"), ("promise", "promise"),
            ]
        ] + [
            models.Index("campaign", models.F(field).desc(nulls_last=True), "candidate", name=f"summary_{name}_top_idx")
            for field, name in [
                ("kappa_rta", "rta"), ("kappa_lbte", "lbte"), ("uncertainty", "doubt"), ("promise", "promise"),
            ]
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"summary of {self.candidate_id}"


class ExportState(models.TextChoices):
    QUEUED = "QUEUED", "queued"
    DONE = "DONE", "done"
    FAILED = "FAILED", "failed"


class ExportFormat(models.TextChoices):
    JSON = "json", "JSON"
    CSV = "csv", "CSV"
    EXTXYZ = "extxyz", "extended XYZ"
    CIF_ZIP = "cif.zip", "CIF (zip)"
    ASE_DB = "ase.db", "ase.db"


EXPORT_MOVES: dict[Any, frozenset[Any]] = {
    ExportState.QUEUED: frozenset({ExportState.DONE, ExportState.FAILED}),
    ExportState.FAILED: frozenset({ExportState.QUEUED}),
}


class Export(models.Model):
    """An immutable download: which rows by which filter, in which format, with its digest."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="exports")
    list = models.ForeignKey(CandidateList, on_delete=models.PROTECT, null=True, blank=True, related_name="exports")
    filter = models.JSONField(default=dict, help_text="query of the candidates' FilterSet")
    columns = ArrayField(models.CharField(max_length=50), default=builtins.list)
    candidates = models.JSONField(default=builtins.list, help_text="ids, fixed when the export was asked for")
    format = models.CharField(max_length=16, choices=ExportFormat.choices)
    state = models.CharField(max_length=16, choices=ExportState.choices, default=ExportState.QUEUED)
    error = models.TextField(blank=True)
    artifact = models.ForeignKey(Artifact, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    rows = models.PositiveIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    requested_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("state", ExportState, "export_state"),
            one_of("format", ExportFormat, "export_format"),
        ]
        triggers = [only_moves("export_moves", EXPORT_MOVES)]

    def __str__(self) -> str:
        return f"{self.format} of {self.campaign}"
