"""What a κ_L takes, before it starts."""

from __future__ import annotations

from typing import Any

import pghistory
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.conductivity.models.meshes import MeshRule
from apps.core.states import one_of, only_moves
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
    """What a κ_L of one candidate takes, from phono3py's own list of displacements.

    Times are expected ones of the machine that planned. `promise`: a cheap estimate of κ_L before any force constants.
    """

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
    supercell = models.JSONField(default=list, help_text="3 × 3, in the primitive cell's basis; [] in old plans")
    mesh = ArrayField(models.PositiveIntegerField(), size=3)
    mesh_rule = models.CharField(max_length=16, choices=MeshRule.choices, default=MeshRule.AXES)
    mesh_length = models.FloatField(null=True, help_text="Å, one over the widest spacing of q-points")
    q_points = models.PositiveIntegerField(help_text="irreducible ones")
    expected_force_minutes = models.FloatField(null=True, help_text="min")
    expected_bte_minutes = models.FloatField(help_text="min")
    expected_lbte_minutes = models.FloatField(help_text="min")
    expected_memory = models.FloatField(help_text="GiB")
    shells = models.JSONField(default=list, help_text="[distance Å, count, flagged]")
    promise = models.FloatField(null=True, help_text="W/(m·K), estimate before any force constants")
    promise_method = models.CharField(max_length=100, blank=True)
    promise_note = models.CharField(max_length=200, blank=True)
    started_by = models.ForeignKey(USER, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["candidate", "potential", "settings_digest"], name="kappaplan_once"),
            one_of("state", PlanState, "kappaplan_state"),
            one_of("mesh_rule", MeshRule, "kappaplan_mesh_rule"),
        ]
        triggers = [only_moves("kappaplan_moves", PLAN_MOVES)]

    def __str__(self) -> str:
        return f"κ_L plan of {self.candidate}"

    @property
    def expected_minutes(self) -> float:
        """Forces and RTA on the meshes that every κ_L is computed on, in minutes of the machine that planned."""
        return (self.expected_force_minutes or 0.0) + self.expected_bte_minutes
