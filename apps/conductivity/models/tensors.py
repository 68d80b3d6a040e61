"""κ_L: by one method, and by one member of the committee. Never without its method, mesh, potential and verdict."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.committees.models import Member
from apps.conductivity.models.meshes import MeshRule
from apps.conductivity.models.phonons import PhononResult
from apps.conductivity.models.plans import KappaPlan
from apps.core.states import one_of
from apps.structures.models import Candidate


class KappaMethod(models.TextChoices):
    RTA = "RTA", "relaxation time approximation"
    LBTE = "LBTE", "full linearised Boltzmann equation"


class KappaTensor(models.Model):
    """κ_L(T) by one method. `largest`: the largest principal value at the ranked temperature, W/(m·K).

    `change`, `changes` and `error` are shares of the value: what the last step of the mesh changed of the largest
    principal value and along each principal direction, and an estimate of what is still missing.
    """

    phonons = models.ForeignKey(PhononResult, on_delete=models.PROTECT, related_name="tensors")
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, null=True, blank=True, related_name="tensors")
    method = models.CharField(max_length=8, choices=KappaMethod.choices)
    mesh = ArrayField(models.PositiveIntegerField(), size=3)
    mesh_rule = models.CharField(max_length=16, choices=MeshRule.choices, default=MeshRule.AXES)
    mesh_length = models.FloatField(null=True, help_text="Å, one over the widest spacing of q-points")
    mesh_points = models.PositiveIntegerField(null=True, help_text="q-points, symmetry not used")
    mesh_steps = models.JSONField(default=list, help_text="length Å, numbers, points, irreducible, principal, seconds")
    change = models.FloatField(null=True)
    changes = ArrayField(models.FloatField(), size=3, null=True)
    error = models.FloatField(null=True)
    converged = models.BooleanField(null=True, help_text="within the protocol's field; empty: not tested")
    isotopes = models.CharField(max_length=16, default="none", help_text="none, natural, enriched")
    boundary = models.FloatField(default=0.0, help_text="µm, 0: infinite sample")
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
            one_of("mesh_rule", MeshRule, "tensor_mesh_rule"),
        ]
        indexes = [models.Index(fields=["candidate", "method"], name="tensor_candidate_idx")]

    def __str__(self) -> str:
        return f"κ_L {self.largest:.0f} W/(m·K) ({self.method})"


class KappaSpread(models.Model):
    """κ_L of a plan's crystal by one member of the committee, in the relaxation time approximation."""

    plan = models.ForeignKey(KappaPlan, on_delete=models.PROTECT, related_name="spreads")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="kappas")
    largest = models.FloatField(null=True, help_text="W/(m·K) at the ranked temperature; empty: the note says why")
    principal = ArrayField(models.FloatField(), default=list, blank=True, help_text="W/(m·K), descending")
    dynamical = models.CharField(max_length=16, blank=True, help_text="as of phonons; empty where it has none")
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "member"], name="kappaspread_once")]

    def __str__(self) -> str:
        return f"κ_L of {self.plan} by {self.member}"
