"""Maps and selections: objects with settings, seed and pool, never recomputed in place."""

from __future__ import annotations

from django.db import models

from apps.artifacts.models import Artifact
from apps.campaigns.models import Campaign
from apps.core.states import choice, one_of
from apps.structures.models import Candidate


class SoapMap(models.Model):
    """A frozen map version: SOAP vectors (artifact, npz: ids, descriptors) and the t-SNE plane (points)."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="maps")
    version = models.PositiveIntegerField()
    settings = models.JSONField()
    seed = models.BigIntegerField()
    perplexity = models.FloatField(help_text="as used; smaller than asked when the pool was small")
    notes = models.JSONField(default=list)
    descriptors = models.ForeignKey(Artifact, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "version"], name="map_version_once")]

    def __str__(self) -> str:
        return f"map {self.version} of {self.campaign}"


class MapPoint(models.Model):
    """Place of a candidate on one map version (no unit)."""

    map = models.ForeignKey(SoapMap, on_delete=models.PROTECT, related_name="points")
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="map_points")
    x = models.FloatField()
    y = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["map", "candidate"], name="mappoint_once")]

    def __str__(self) -> str:
        return f"{self.candidate} at ({self.x:.1f}, {self.y:.1f})"


class SelectionKind(models.TextChoices):
    SAMPLE = choice("sample", "diverse sample")
    NEIGHBOURS = choice("neighbours", "neighbours")


class Selection(models.Model):
    """A recorded choice of candidates on one map: the diverse sample, or the neighbours of good ones."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="selections")
    map = models.ForeignKey(SoapMap, on_delete=models.PROTECT, related_name="selections")
    kind = models.CharField(max_length=16, choices=SelectionKind.choices)
    sweep = models.PositiveIntegerField(default=0)
    settings = models.JSONField()
    notes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [one_of("kind", SelectionKind, "selection_kind")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.campaign}"


class SelectionMember(models.Model):
    """A chosen candidate: order and distance; for neighbours also of which centre; how: fps, reference or knn."""

    selection = models.ForeignKey(Selection, on_delete=models.PROTECT, related_name="members")
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="selected")
    order = models.PositiveIntegerField()
    distance = models.FloatField(null=True)
    how = models.CharField(max_length=16)
    centre = models.ForeignKey(Candidate, on_delete=models.PROTECT, null=True, blank=True, related_name="centre_of")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["selection", "candidate", "centre"], name="selectionmember_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.candidate} in {self.selection}"
