"""Geometries, what campaigns make of them, and the evidence for every verdict. Nothing here is ever deleted."""

from __future__ import annotations

import pghistory
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.artifacts.models import Artifact
from apps.campaigns.models import Campaign
from apps.core.states import choice, one_of
from apps.training.models import TrainedModel

USER = settings.AUTH_USER_MODEL
LATENT = "<f4"
"""How the numbers of a stored latent vector are written."""


@pghistory.track(pghistory.UpdateEvent(), fields=["name", "tags"])
class Structure(models.Model):
    """One immutable geometry; only its name and tags are curated, everywhere at once."""

    digest = models.CharField(max_length=64, unique=True, help_text="kappakit.crystals.Crystal.digest")
    cell = models.JSONField(help_text="3 × 3, rows are lattice vectors, Å")
    frac = models.JSONField(help_text="n × 3 fractional positions")
    numbers = models.JSONField(help_text="n atomic numbers")
    n_atoms = models.PositiveIntegerField()
    formula = models.CharField(max_length=200)
    chemical_system = models.CharField(max_length=100, db_index=True)
    volume_per_atom = models.FloatField(help_text="Å³/atom")
    density = models.FloatField(help_text="g/cm³")
    name = models.CharField(max_length=200, blank=True)
    tags = ArrayField(models.CharField(max_length=50), default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name or f"{self.formula} {self.digest[:8]}"


class ReferenceCrystal(models.Model):
    """A known crystal: control and label ('known as …')."""

    name = models.CharField(max_length=100, unique=True)
    structure = models.ForeignKey(Structure, on_delete=models.PROTECT, related_name="references")
    space_group = models.CharField(max_length=20)
    citation = models.TextField()
    note = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.name


class LiteratureValue(models.Model):
    """A published κ_L of a reference crystal, W/(m·K)."""

    reference = models.ForeignKey(ReferenceCrystal, on_delete=models.PROTECT, related_name="literature")
    kappa_low = models.FloatField(help_text="W/(m·K)")
    kappa_high = models.FloatField(help_text="W/(m·K); equal to the low value unless a range is reported")
    temperature = models.FloatField(default=300.0, help_text="K")
    method = models.CharField(max_length=50)
    citation = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reference", "method", "citation"], name="literature_once")]

    def __str__(self) -> str:
        return f"{self.reference}: {self.kappa_low:g} W/(m·K)"


class Import(models.Model):
    """A file that somebody gave to a campaign."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="imports")
    file_name = models.CharField(max_length=255)
    artifact = models.ForeignKey(Artifact, on_delete=models.PROTECT, related_name="+")
    taken = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    uploaded_by = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "artifact"], name="import_once")]

    def __str__(self) -> str:
        return self.file_name


class Refusal(models.Model):
    """Something that did not become a candidate: which, why."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="refusals")
    step_name = models.CharField(max_length=32)
    source = models.CharField(max_length=300)
    reason = models.CharField(max_length=50)
    detail = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "step_name", "source"], name="refusal_once")]

    def __str__(self) -> str:
        return f"{self.source}: {self.reason}"


class Relaxation(models.Model):
    """Start → end by one potential under one digest of settings; `end` is empty when it was rejected."""

    start = models.ForeignKey(Structure, on_delete=models.PROTECT, related_name="relaxations")
    end = models.ForeignKey(Structure, on_delete=models.PROTECT, null=True, blank=True, related_name="relaxed_from")
    potential = models.ForeignKey(TrainedModel, on_delete=models.PROTECT, related_name="relaxations")
    settings_digest = models.CharField(max_length=64)
    pressure = models.FloatField(help_text="GPa")
    energy_per_atom = models.FloatField(null=True, help_text="eV/atom, on the potential's own zero")
    max_force = models.FloatField(null=True, help_text="eV/Å")
    max_stress = models.FloatField(null=True, help_text="GPa")
    steps = models.PositiveIntegerField(null=True)
    converged = models.BooleanField(default=False)
    deviation_lengths = ArrayField(models.FloatField(), null=True, size=3, help_text="relative, start → end")
    deviation_angles = ArrayField(models.FloatField(), null=True, size=3, help_text="relative, start → end")
    deviation_volume = models.FloatField(null=True, help_text="relative, signed")
    deviation_positions = models.FloatField(null=True, help_text="root mean square, units of (V/N)^(1/3)")
    soap_distance = models.FloatField(null=True, help_text="to the nearest training configuration")
    rejected_reason = models.CharField(max_length=50, blank=True)
    rejected_detail = models.TextField(blank=True)
    engine_version = models.CharField(max_length=200)
    precision = models.CharField(max_length=10)
    compiled = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["start", "potential", "settings_digest"], name="relaxation_once"),
        ]

    def __str__(self) -> str:
        return f"relaxation of {self.start}"


class SymmetryReport(models.Model):
    """Symmetry of one structure under one digest of tolerances."""

    structure = models.ForeignKey(Structure, on_delete=models.PROTECT, related_name="symmetry_reports")
    settings_digest = models.CharField(max_length=64)
    number = models.PositiveSmallIntegerField()
    symbol = models.CharField(max_length=20)
    point_group = models.CharField(max_length=10)
    crystal_system = models.CharField(max_length=20)
    operations = models.PositiveSmallIntegerField(help_text="order of the primitive cell's point group")
    n_primitive = models.PositiveIntegerField()
    wyckoff = models.JSONField(default=list)
    primitive = models.ForeignKey(Structure, on_delete=models.PROTECT, related_name="+")
    conventional = models.ForeignKey(Structure, on_delete=models.PROTECT, related_name="+")
    dimensionality = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["structure", "settings_digest"], name="symmetry_once")]

    def __str__(self) -> str:
        return f"{self.symbol} ({self.number})"


class Origin(models.TextChoices):
    IMPORTED = choice("imported", "imported")
    GENERATED = choice("generated", "generated")
    REFERENCE = choice("reference", "reference")
    TRAINING = choice("training", "training set of the generator")


class Outcome(models.TextChoices):
    PENDING = choice("pending", "pending")
    REJECTED = choice("rejected", "rejected")
    DUPLICATE = choice("duplicate", "duplicate")
    SCREENED_OUT = choice("screened-out", "screened out")
    KEPT = choice("kept", "kept")


class NoveltyLevel(models.TextChoices):
    UNKNOWN = choice("", "not compared")
    KAPPA_KNOWN = choice("kappa-known", "κ known")
    STRUCTURE_KNOWN = choice("structure-known", "structure known")
    NEW = choice("new", "new")


class Candidate(models.Model):
    """One crystal's way through one campaign; `outcome` is where the machine left it (people: see Exclusion)."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="candidates")
    index = models.PositiveIntegerField(help_text="number within the campaign, in order of arrival")
    origin = models.CharField(max_length=16, choices=Origin.choices)
    source = models.CharField(max_length=300, help_text="file and position, or generator and number")
    label = models.CharField(max_length=200, blank=True)
    seed = models.BigIntegerField(null=True, blank=True)
    generator = models.CharField(max_length=200, blank=True, help_text="generator and version")
    start = models.ForeignKey(Structure, on_delete=models.PROTECT, related_name="candidates_started")
    relaxation = models.ForeignKey(
        Relaxation, on_delete=models.PROTECT, null=True, blank=True, related_name="candidates"
    )
    relaxed = models.ForeignKey(Structure, on_delete=models.PROTECT, null=True, blank=True, related_name="candidates")
    symmetry = models.ForeignKey(
        SymmetryReport, on_delete=models.PROTECT, null=True, blank=True, related_name="candidates"
    )
    outcome = models.CharField(max_length=16, choices=Outcome.choices, default=Outcome.PENDING)
    outcome_reason = models.CharField(max_length=50, blank=True)
    outcome_detail = models.TextField(blank=True)
    novelty = models.CharField(max_length=16, choices=NoveltyLevel.choices, default=NoveltyLevel.UNKNOWN, blank=True)
    known_as = models.ForeignKey(
        ReferenceCrystal, on_delete=models.PROTECT, null=True, blank=True, related_name="candidates"
    )
    novelty_rms = models.FloatField(null=True, blank=True, help_text="units of (V/N)^(1/3)")
    above_hull = models.FloatField(null=True, blank=True, help_text="eV/atom")
    hull_note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "index"], name="candidate_index_once"),
            models.UniqueConstraint(fields=["campaign", "source"], name="candidate_source_once"),
            one_of("origin", Origin, "candidate_origin"),
            one_of("outcome", Outcome, "candidate_outcome"),
            one_of("novelty", NoveltyLevel, "candidate_novelty"),
        ]
        indexes = [models.Index(fields=["campaign", "outcome"], name="candidate_outcome_idx")]

    def __str__(self) -> str:
        return f"{self.campaign} #{self.index}"


class Generation(models.Model):
    """How a trained generator came to a candidate, and whether it knew the crystal already."""

    candidate = models.OneToOneField(Candidate, on_delete=models.PROTECT, primary_key=True, related_name="generation")
    model = models.ForeignKey(TrainedModel, on_delete=models.PROTECT, related_name="generations")
    latent = models.BinaryField(help_text="latent vector, see LATENT")
    consistency = models.FloatField(
        null=True,
        help_text="distance to the latent vector that it encodes to, in widths of the posterior; 1: as trained",
    )
    symmetrised = models.CharField(
        max_length=20, blank=True, help_text="space group that it was made to have before relaxation"
    )
    compared = models.BooleanField(default=False, help_text="compared with the training crystals, relaxed")
    training_source = models.CharField(max_length=300, blank=True, help_text="the training crystal that it matches")
    training_rms = models.FloatField(null=True, help_text="units of (V/N)^(1/3)")

    def __str__(self) -> str:
        return f"generation of {self.candidate}"


class GenerationCentre(models.Model):
    """A crystal about which a campaign generates ("more like this"); of two, those between them."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="centres")
    structure = models.ForeignKey(Structure, on_delete=models.PROTECT, related_name="+")
    order = models.PositiveSmallIntegerField()
    candidate = models.ForeignKey(
        Candidate, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="whose structure it was"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "order"], name="centre_once")]

    def __str__(self) -> str:
        return f"{self.campaign}: about {self.structure}"


class GenerationReport(models.Model):
    """What a campaign's generated crystals are worth before relaxation; `plane` lays out the latent space."""

    campaign = models.OneToOneField(Campaign, on_delete=models.PROTECT, related_name="generation_report")
    model = models.ForeignKey(TrainedModel, on_delete=models.PROTECT, related_name="+")
    figures = models.JSONField(help_text="kappakit.stages.contracts.GenerationFigures")
    notes = models.JSONField(default=list)
    candidates = models.JSONField(default=list, help_text="ids of the first points of the plane")
    training = models.JSONField(default=list, help_text="names of the points that follow, training crystals")
    plane = models.JSONField(default=list, help_text="points (x, y), no unit")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"generation of {self.campaign}"


class DuplicateMatch(models.Model):
    """Evidence that `duplicate` is the same crystal as `representative`. rms is empty when marked by hand."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="matches")
    representative = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="duplicates")
    duplicate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="duplicate_of")
    rms_forward = models.FloatField(null=True, blank=True, help_text="units of (V/N)^(1/3)")
    rms_backward = models.FloatField(null=True, blank=True, help_text="units of (V/N)^(1/3)")
    energy_difference = models.FloatField(null=True, blank=True, help_text="meV/atom")
    conflict = models.CharField(max_length=30, blank=True)
    outcome_before = models.CharField(
        max_length=16, choices=Outcome.choices, default=Outcome.PENDING, help_text="what undoing returns it to"
    )
    marked_by = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    undo_reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["duplicate"], condition=models.Q(undone_at__isnull=True), name="duplicate_live_once"
            ),
            models.CheckConstraint(
                condition=~models.Q(representative=models.F("duplicate")), name="duplicate_of_another"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.duplicate} = {self.representative}"


class Exclusion(models.Model):
    """A curator took a candidate out, with a reason; undone, never deleted. Takes effect on steps not yet started."""

    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="exclusions")
    reason = models.TextField()
    excluded_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    undo_reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["candidate"], condition=models.Q(undone_at__isnull=True), name="exclusion_live_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.candidate} excluded"
