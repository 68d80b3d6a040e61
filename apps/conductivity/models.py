"""Plans, phonons and conductivities. One κ_L is never without its method, mesh, potential and verdict."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pghistory
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.artifacts.models import Artifact
from apps.core.states import choice, one_of, only_moves
from apps.dft.models import DftRequest
from apps.jobs.models import Job
from apps.structures.models import Candidate, Structure
from apps.training.models import TrainedModel

USER = settings.AUTH_USER_MODEL


class PlanState(models.TextChoices):
    PLANNED = "PLANNED", "planned, waits for a start"
    STARTED = "STARTED", "started"
    DONE = "DONE", "done"
    FAILED = "FAILED", "failed"


PLAN_MOVES: dict[Any, frozenset[Any]] = {
    PlanState.PLANNED: frozenset({PlanState.STARTED}),
    PlanState.STARTED: frozenset({PlanState.DONE, PlanState.FAILED, PlanState.PLANNED}),
    PlanState.FAILED: frozenset({PlanState.STARTED}),
    PlanState.DONE: frozenset({PlanState.STARTED}),
}


@pghistory.track(pghistory.UpdateEvent(), fields=["state", "started_by"])
class KappaPlan(models.Model):
    """What a κ_L of one candidate takes, from phono3py's own list of displacements."""

    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="kappa_plans")
    potential = models.ForeignKey(TrainedModel, on_delete=models.PROTECT, related_name="kappa_plans")
    settings_digest = models.CharField(max_length=64)
    settings = models.JSONField(help_text="Snapshot of ConductivitySettings")
    sweep = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=16, choices=PlanState.choices, default=PlanState.PLANNED)
    error = models.TextField(blank=True)
    primitive = models.ForeignKey(Structure, on_delete=models.PROTECT, related_name="kappa_plans")
    space_group_number = models.PositiveSmallIntegerField()
    space_group = models.CharField(max_length=20)
    symmetry_kept = models.BooleanField()
    dimensionality = models.PositiveSmallIntegerField()
    energy_change = models.FloatField(help_text="meV/atom, by relaxation under symmetry")
    max_force = models.FloatField(help_text="eV/Å")
    max_stress = models.FloatField(help_text="GPa")
    supercells_fc3 = models.PositiveIntegerField()
    supercells_fc2 = models.PositiveIntegerField()
    atoms_per_supercell = models.PositiveIntegerField()
    pairs_omitted = models.PositiveIntegerField()
    evaluations = models.BigIntegerField(help_text="atom evaluations")
    mesh = ArrayField(models.PositiveIntegerField(), size=3)
    q_points = models.PositiveIntegerField()
    expected_bte_minutes = models.FloatField(help_text="min")
    expected_lbte_minutes = models.FloatField(help_text="min")
    expected_memory = models.FloatField(help_text="GiB")
    shells = models.JSONField(default=list, help_text="[distance Å, count, flagged]")
    started_by = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["candidate", "potential", "settings_digest"], name="kappaplan_once"),
            one_of("state", PlanState, "kappaplan_state"),
        ]
        triggers = [only_moves("kappaplan_moves", PLAN_MOVES)]

    def __str__(self) -> str:
        return f"κ_L plan of {self.candidate}"


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


class KappaMethod(models.TextChoices):
    RTA = "RTA", "relaxation time approximation"
    LBTE = "LBTE", "full linearised Boltzmann equation"


class KappaTensor(models.Model):
    """κ_L(T) by one method. `largest`: the largest principal value at the ranked temperature, W/(m·K)."""

    phonons = models.ForeignKey(PhononResult, on_delete=models.PROTECT, related_name="tensors")
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, null=True, blank=True, related_name="tensors")
    method = models.CharField(max_length=8, choices=KappaMethod.choices)
    mesh = ArrayField(models.PositiveIntegerField(), size=3)
    temperature = models.FloatField(help_text="K, the ranked one")
    largest = models.FloatField(help_text="W/(m·K)")
    principal = ArrayField(models.FloatField(), size=3, help_text="W/(m·K), descending, at the ranked temperature")
    directions = models.JSONField(help_text="3 × 3, row i belongs to principal value i")
    uvw = ArrayField(models.CharField(max_length=60), size=3)
    temperatures = ArrayField(models.FloatField(), help_text="K")
    kappa = models.JSONField(help_text="(t, 3, 3) W/(m·K)")
    principal_by_temperature = models.JSONField(help_text="(t, 3) W/(m·K), descending")
    rankable = models.BooleanField(help_text="stable phonons, symmetry kept, three-dimensional")
    label = models.JSONField(help_text="the trust label's words, in order")
    seconds = models.FloatField(help_text="s")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["phonons", "method"], name="tensor_method_once"),
            one_of("method", KappaMethod, "tensor_method"),
        ]
        indexes = [models.Index(fields=["candidate", "method"], name="tensor_candidate_idx")]

    def __str__(self) -> str:
        return f"κ_L {self.largest:.0f} W/(m·K) ({self.method})"


class ValidationPart(models.TextChoices):
    HARMONIC = choice("harmonic", "harmonic")
    ANHARMONIC = choice("anharmonic", "anharmonic")


class ValidationState(models.TextChoices):
    PREPARING = choice("PREPARING", "being prepared")
    RELAXING = choice("RELAXING", "relaxation by DFT asked for")
    DISPLACING = choice("DISPLACING", "supercells being made")
    COMPUTING = choice("COMPUTING", "supercells by DFT asked for")
    ASSEMBLING = choice("ASSEMBLING", "force constants being assembled")
    DONE = choice("DONE", "done")
    FAILED = choice("FAILED", "stopped")


class ValidationVerdict(models.TextChoices):
    NONE = choice("", "none yet")
    CONFIRMED = choice("confirmed", "confirmed by DFT")
    BORDERLINE = choice("borderline", "borderline by DFT")
    UNSTABLE = choice("unstable", "unstable by DFT")
    DIFFERENT = choice("different", "another structure by DFT")


VALIDATION_ORDER = (
    ValidationState.PREPARING, ValidationState.RELAXING, ValidationState.DISPLACING, ValidationState.COMPUTING,
    ValidationState.ASSEMBLING, ValidationState.DONE,
)  # fmt: skip
VALIDATION_MOVES: dict[Any, frozenset[Any]] = {
    **{now: frozenset({after, ValidationState.FAILED}) for now, after in pairwise(VALIDATION_ORDER)},
    ValidationState.FAILED: frozenset(VALIDATION_ORDER[:-1]),
}


class Validation(models.Model):
    """A candidate computed by DFT: relaxed, its supercells displaced, its phonons (and κ_L) beside the potential's.

    The potential's numbers come first, DFT's as they are there. `dataset`: what the supercells were made of (primitive
    cell, labels). Energies are each on its own zero.
    """

    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="validations")
    potential = models.ForeignKey(TrainedModel, on_delete=models.PROTECT, related_name="+")
    part = models.CharField(max_length=16, choices=ValidationPart.choices)
    state = models.CharField(max_length=16, choices=ValidationState.choices, default=ValidationState.PREPARING)
    error = models.TextField(blank=True)
    settings = models.JSONField(help_text="snapshot of DftSettings")
    conductivity = models.JSONField(help_text="snapshot of ConductivitySettings")
    expected = models.JSONField(default=list, help_text="each part: part, supercells, atoms, core_hours, basis")
    mesh = ArrayField(models.PositiveIntegerField(), size=3, default=list)
    cell_potential = models.ForeignKey(Structure, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    space_group_potential = models.CharField(max_length=20, blank=True)
    energy_potential = models.FloatField(null=True, help_text="eV/atom")
    relax_request = models.ForeignKey(DftRequest, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    supercell_request = models.ForeignKey(DftRequest, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    cell_dft = models.ForeignKey(Structure, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    space_group_dft = models.CharField(max_length=20, blank=True)
    energy_dft = models.FloatField(null=True, help_text="eV/atom")
    gap = models.FloatField(null=True, help_text="eV, the smallest on the mesh of k points")
    volume_change = models.FloatField(null=True, help_text="DFT / potential − 1")
    dataset = models.JSONField(null=True)
    phonons = models.OneToOneField(
        PhononResult, on_delete=models.PROTECT, null=True, blank=True, related_name="validation"
    )
    overlay = models.JSONField(null=True, help_text="the potential's bands: distances 1/Å, frequencies THz, …")
    deviation = models.FloatField(null=True, help_text="THz, root mean square between the two sets of bands")
    lowest = models.FloatField(null=True, help_text="THz, negative = imaginary")
    verdict = models.CharField(max_length=16, choices=ValidationVerdict.choices, default="", blank=True)
    requested_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["candidate", "part"],
                condition=~models.Q(state__in=("DONE", "FAILED")),
                name="validation_one_at_a_time",
            ),
            one_of("part", ValidationPart, "validation_part"),
            one_of("state", ValidationState, "validation_state"),
            one_of("verdict", ValidationVerdict, "validation_verdict"),
        ]
        triggers = [only_moves("validation_moves", VALIDATION_MOVES)]

    def __str__(self) -> str:
        return f"{self.part} validation of {self.candidate}"
