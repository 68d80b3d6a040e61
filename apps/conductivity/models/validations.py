"""A candidate computed by DFT beside the potential."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from django.conf import settings
from django.db import models

from apps.conductivity.models.phonons import PhononResult
from apps.core.states import choice, one_of, only_moves
from apps.dft.models import DftRequest
from apps.structures.models import Candidate, Structure
from apps.training.models import TrainedModel

USER = settings.AUTH_USER_MODEL


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
