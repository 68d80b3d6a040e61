"""Phonons of a crystal, and the files that they are computed from."""

from __future__ import annotations

from django.db import models

from apps.artifacts.models import Artifact
from apps.conductivity.models.plans import KappaPlan
from apps.core.states import one_of
from apps.jobs.models import Job
from apps.structures.models import Structure


class Dynamical(models.TextChoices):
    STABLE = "stable", "stable"
    BORDERLINE = "borderline", "borderline"
    IMAGINARY = "imaginary", "imaginary modes"


class PhononResult(models.Model):
    """Phonons of one crystal: of a plan, or of force sets that somebody brought (`source` says whose)."""

    plan = models.OneToOneField(KappaPlan, on_delete=models.PROTECT, null=True, blank=True, related_name="phonons")
    job = models.ForeignKey(Job, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    source = models.CharField(max_length=200, help_text="potential's name, or 'force sets: …'")
    primitive = models.ForeignKey(Structure, on_delete=models.PROTECT, related_name="phonons")
    dynamical = models.CharField(max_length=16, choices=Dynamical.choices)
    lowest_commensurate = models.FloatField(help_text="THz, negative = imaginary")
    lowest_mesh = models.FloatField(help_text="THz")
    lowest_path = models.FloatField(help_text="THz")
    acoustic_lowest = models.FloatField(help_text="THz, acoustic branches near Γ")
    bands = models.JSONField(help_text="distances 1/Å, frequencies THz, ticks, breaks")
    dos = models.JSONField(help_text="frequencies THz, total states/THz")
    modes = models.ForeignKey(Artifact, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    cumulative = models.JSONField(null=True, help_text="mean free path Å, cumulative W/(m·K)")
    residuals = models.JSONField(help_text="asr_fc2, asr_fc3, permutation_fc2, permutation_fc3, force_noise")
    notes = models.JSONField(default=list)
    nac = models.CharField(max_length=20)
    engine_version = models.CharField(max_length=300)
    seconds = models.FloatField(help_text="s")
    parts = models.JSONField(default=dict, help_text="part of the calculation → s")
    fit = models.JSONField(null=True, help_text="route, supercells; half, difference of random displacements")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [one_of("dynamical", Dynamical, "phonons_dynamical")]

    def __str__(self) -> str:
        return f"phonons of {self.primitive}"


class PhononFile(models.Model):
    """A downloadable file of a phonon calculation: phono3py_yaml, fc2, fc3, forces."""

    phonons = models.ForeignKey(PhononResult, on_delete=models.PROTECT, related_name="files")
    kind = models.CharField(max_length=32)
    artifact = models.ForeignKey(Artifact, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["phonons", "kind"], name="phononfile_once")]

    def __str__(self) -> str:
        return self.kind
