"""Convergence studies: κ_L of one candidate against one number of its conductivity settings."""

from __future__ import annotations

from typing import Any

import pghistory
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.conductivity.models.meshes import MeshRule
from apps.conductivity.models.phonons import Dynamical
from apps.conductivity.models.plans import KappaPlan
from apps.core.states import choice, one_of, only_moves
from apps.structures.models import Candidate

USER = settings.AUTH_USER_MODEL


class StudyParameter(models.TextChoices):
    MESH = choice("mesh", "mesh of q-points")
    CUTOFF = choice("cutoff", "cutoff of FC3")
    SUPERCELL = choice("supercell", "supercell")
    DISPLACEMENT = choice("displacement", "displacement")


class StudyState(models.TextChoices):
    RUNNING = choice("RUNNING", "running")
    DONE = choice("DONE", "done")
    CANCELLED = choice("CANCELLED", "cancelled")


class PointState(models.TextChoices):
    OPEN = choice("OPEN", "to be computed")
    DONE = choice("DONE", "done")
    FAILED = choice("FAILED", "failed")
    CANCELLED = choice("CANCELLED", "cancelled")


STUDY_MOVES: dict[Any, frozenset[Any]] = {
    StudyState.RUNNING: frozenset({StudyState.DONE, StudyState.CANCELLED}),
    StudyState.DONE: frozenset({StudyState.RUNNING}),
    StudyState.CANCELLED: frozenset({StudyState.RUNNING}),
}
POINT_MOVES: dict[Any, frozenset[Any]] = {
    PointState.OPEN: frozenset({PointState.DONE, PointState.FAILED, PointState.CANCELLED}),
    PointState.FAILED: frozenset({PointState.OPEN}),
    PointState.CANCELLED: frozenset({PointState.OPEN, PointState.DONE}),
}
"""A point whose job ends well while it is being cancelled is kept."""


@pghistory.track(pghistory.UpdateEvent(), fields=["state", "cancelled_by"])
class KappaStudy(models.Model):
    """One series. `plan`: whose primitive cell, potential and settings it starts from.

    It is DONE when no point is to be computed any more, whatever became of them.
    """

    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="studies")
    plan = models.ForeignKey(KappaPlan, on_delete=models.PROTECT, related_name="studies")
    parameter = models.CharField(max_length=16, choices=StudyParameter.choices)
    values = ArrayField(models.FloatField(), help_text="ascending; Å, or repetitions of the primitive cell")
    settings = models.JSONField(help_text="snapshot of ConductivitySettings, the present value in place")
    state = models.CharField(max_length=16, choices=StudyState.choices, default=StudyState.RUNNING)
    requested_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    cancelled_by = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["candidate", "parameter"], condition=Q(state="RUNNING"), name="study_one_at_a_time"
            ),
            one_of("parameter", StudyParameter, "study_parameter"),
            one_of("state", StudyState, "study_state"),
        ]
        triggers = [only_moves("study_moves", STUDY_MOVES)]

    def __str__(self) -> str:
        return f"{self.get_parameter_display()} of {self.candidate}"


class StudyPoint(models.Model):
    """κ_L by RTA at the ranked temperature for one value.

    `digest`: of the cell, the potential and all settings; a point that an earlier study has is taken from there.
    """

    study = models.ForeignKey(KappaStudy, on_delete=models.PROTECT, related_name="points")
    order = models.PositiveSmallIntegerField()
    value = models.FloatField(help_text="Å, or repetitions of the primitive cell")
    digest = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=PointState.choices, default=PointState.OPEN)
    error = models.TextField(blank=True)
    taken_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    principal = ArrayField(models.FloatField(), default=list, blank=True, help_text="W/(m·K), descending")
    uvw = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    mesh = ArrayField(models.PositiveIntegerField(), default=list, blank=True)
    mesh_rule = models.CharField(max_length=16, choices=[("", "not known yet"), *MeshRule.choices], blank=True)
    mesh_length = models.FloatField(null=True, help_text="Å, one over the widest spacing of q-points")
    mesh_points = models.PositiveIntegerField(null=True, help_text="q-points, symmetry not used")
    irreducible = models.PositiveIntegerField(null=True, help_text="q-points that symmetry leaves")
    supercell = models.JSONField(default=list, help_text="3 × 3, in the primitive cell's basis")
    supercells = models.PositiveIntegerField(null=True, help_text="evaluated ones, undisplaced ones too")
    atoms_per_supercell = models.PositiveIntegerField(null=True)
    evaluations = models.BigIntegerField(null=True, help_text="atom evaluations")
    dynamical = models.CharField(max_length=16, choices=[("", "not known yet"), *Dynamical.choices], blank=True)
    lowest = models.FloatField(null=True, help_text="THz, lowest frequency, negative = imaginary")
    note = models.TextField(blank=True)
    engine_version = models.CharField(max_length=300, blank=True)
    seconds = models.FloatField(null=True, help_text="s")
    parts = models.JSONField(default=dict, help_text="part of the calculation → s")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "order"], name="studypoint_once"),
            models.UniqueConstraint(fields=["study", "value"], name="studypoint_value_once"),
            one_of("state", PointState, "studypoint_state"),
            models.CheckConstraint(
                condition=Q(mesh_rule="") | Q(mesh_rule__in=MeshRule.values), name="studypoint_mesh_rule"
            ),
            models.CheckConstraint(
                condition=Q(dynamical="") | Q(dynamical__in=Dynamical.values), name="studypoint_dynamical"
            ),
        ]
        indexes = [models.Index("digest", name="studypoint_digest", condition=Q(state="DONE"))]
        triggers = [only_moves("studypoint_moves", POINT_MOVES)]

    def __str__(self) -> str:
        return f"{self.study}: {self.value:g}"
