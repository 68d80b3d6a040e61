"""Committees of potentials: who learned from what, how far they disagree, what they asked for."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from apps.artifacts.models import Artifact
from apps.campaigns.models import Campaign
from apps.core.states import choice, one_of
from apps.dft.models import DftRequest
from apps.structures.models import Candidate
from apps.training.models import TrainedModel

USER = settings.AUTH_USER_MODEL


class LabelSetKind(models.TextChoices):
    UPLOAD = choice("upload", "uploaded")
    START = choice("start", "start set")
    TEST = choice("test", "fixed test set")


class LabelSet(models.Model):
    """Labelled configurations of a campaign: a file that somebody gave, and what is taken of it."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="label_sets")
    kind = models.CharField(max_length=16, choices=LabelSetKind.choices)
    file_name = models.CharField(max_length=255)
    artifact = models.ForeignKey(Artifact, on_delete=models.PROTECT, related_name="+")
    frames = models.PositiveIntegerField(default=0)
    groups = models.JSONField(default=list, help_text="names of the distinct crystals")
    methods = models.JSONField(default=dict, help_text="digest of the method → configurations")
    notes = models.JSONField(default=list)
    uploaded_by = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "kind"], name="labelset_kind_once"),
            one_of("kind", LabelSetKind, "labelset_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.kind})"


class Committee(models.Model):
    """The members of one iteration, and what they say about a sweep's candidates.

    A later sweep's iteration 0 trains nobody: `trained` is then the committee whose members it uses."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="committees")
    sweep = models.PositiveIntegerField()
    iteration = models.PositiveIntegerField()
    trained = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="used_by")
    settings = models.JSONField(help_text="snapshot of CommitteeSettings")
    labels = models.PositiveIntegerField(default=0, help_text="configurations that iterations had added")
    calibration = models.JSONField(null=True, help_text="kappakit.ports.Calibration, see its units")
    criterion = models.CharField(max_length=16, default="energy")
    highest = models.FloatField(null=True, help_text="meV/atom, or eV/Å where forces are the criterion")
    above = models.JSONField(default=list, help_text="candidates above the threshold, most uncertain first")
    worst = models.ForeignKey(Candidate, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    stopped = models.CharField(max_length=300, blank=True, help_text="why the loop ended here, empty where it goes on")
    seconds = models.FloatField(null=True, help_text="s of the batched evaluation")
    notes = models.JSONField(default=list)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "sweep", "iteration"], name="committee_iteration_once")
        ]

    def __str__(self) -> str:
        return f"committee {self.sweep}/{self.iteration} of {self.campaign}"


class Member(models.Model):
    """One potential of a committee. One whose training failed for good is left out, with the reason."""

    committee = models.ForeignKey(Committee, on_delete=models.PROTECT, related_name="members")
    index = models.PositiveIntegerField()
    model = models.ForeignKey(TrainedModel, on_delete=models.PROTECT, null=True, blank=True, related_name="memberships")
    seed = models.BigIntegerField()
    held_out = models.JSONField(default=list, help_text="distinct crystals that it never saw")
    warm_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    note = models.TextField(blank=True, help_text="why it is left out")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["committee", "index"], name="member_once")]

    def __str__(self) -> str:
        return f"member {self.index} of {self.committee}"


class FinalFit(models.Model):
    """The one potential that a sweep's conductivities are computed with."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="final_fits")
    sweep = models.PositiveIntegerField()
    model = models.ForeignKey(TrainedModel, on_delete=models.PROTECT, related_name="final_fits")
    labels = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "sweep"], name="finalfit_once")]

    def __str__(self) -> str:
        return f"final fit {self.sweep} of {self.campaign}"


class UncertaintyRecord(models.Model):
    """How far the members disagree about one candidate."""

    committee = models.ForeignKey(Committee, on_delete=models.PROTECT, related_name="records")
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="uncertainties")
    energies = ArrayField(models.FloatField(), help_text="eV/atom, one a member")
    energy_std = models.FloatField(help_text="meV/atom")
    force_spread = models.FloatField(help_text="eV/Å")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["committee", "candidate"], name="uncertainty_once")]

    def __str__(self) -> str:
        return f"{self.candidate}: {self.energy_std:.1f} meV/atom"


class LabelRound(models.Model):
    """What one iteration asked DFT: the rattled configurations of its most uncertain candidate, once in a campaign."""

    committee = models.OneToOneField(Committee, on_delete=models.PROTECT, related_name="label_round")
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="label_rounds")
    request = models.OneToOneField(DftRequest, on_delete=models.PROTECT, related_name="label_round")
    repeats = ArrayField(models.PositiveIntegerField(), size=3)
    lengths = ArrayField(models.FloatField(), size=3, help_text="Å, of the undisturbed supercell")
    amplitude = models.FloatField(help_text="Å")
    seed = models.BigIntegerField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"labels for {self.committee}"
