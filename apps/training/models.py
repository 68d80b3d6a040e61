"""Trained models: potentials and generators. Weights are artifacts; a card says what they are worth."""

from __future__ import annotations

import pghistory
from django.conf import settings
from django.db import models

from apps.artifacts.models import Artifact
from apps.core.states import choice, one_of, only_moves


class ModelState(models.TextChoices):
    TRAINING = choice("TRAINING", "training")
    READY = choice("READY", "ready")
    FAILED = choice("FAILED", "failed")
    CANCELLED = choice("CANCELLED", "cancelled")


MOVES = {
    ModelState.TRAINING: frozenset({ModelState.READY, ModelState.FAILED, ModelState.CANCELLED}),
    ModelState.FAILED: frozenset({ModelState.TRAINING}),
    ModelState.CANCELLED: frozenset({ModelState.TRAINING}),
}


class ModelKind(models.TextChoices):
    POTENTIAL = choice("potential", "potential")
    GENERATOR = choice("generator", "generator")


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), fields=["name", "state"])
class TrainedModel(models.Model):
    """One trained model: configuration, data set, seed, card, curve."""

    kind = models.CharField(max_length=16, choices=ModelKind.choices, default=ModelKind.POTENTIAL)
    name = models.CharField(max_length=100, unique=True, help_text="Shown wherever a value depends on the model.")
    engine = models.CharField(max_length=50, help_text="Name in kappakit.engines.registry, e.g. allegro.")
    configuration = models.CharField(max_length=50, blank=True, help_text="Named configuration, e.g. carbon-laptop.")
    overrides = models.JSONField(
        default=dict, blank=True, help_text="Training settings that differ from the configuration."
    )
    always_train = models.JSONField(default=list, blank=True, help_text="Groups of the data set that always train.")
    options = models.JSONField(
        default=dict, blank=True, help_text="How it is trained beside the configuration: split, minutes."
    )
    seed = models.BigIntegerField(default=0)
    state = models.CharField(max_length=16, choices=ModelState.choices, default=ModelState.TRAINING)
    error = models.TextField(blank=True)
    sha256 = models.CharField(
        max_length=64, blank=True, help_text="Digest of the weights; empty for an analytic potential."
    )
    version = models.CharField(max_length=200, blank=True, help_text="Engine and library versions.")
    species = models.JSONField(default=list, blank=True, help_text="Chemical symbols that it knows; empty: any.")
    card = models.JSONField(default=dict, blank=True)
    curve = models.JSONField(
        default=list,
        blank=True,
        help_text="One row a point: the columns of TrainingCurvePoint, of GeneratorCurvePoint for a generator.",
    )
    warning = models.TextField(blank=True, help_text="Shown at the head of every table when the shipping rule fails.")
    data_set = models.ForeignKey(Artifact, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    teacher = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="pupils")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("kind", ModelKind, "trainedmodel_kind"),
            one_of("state", ModelState, "trainedmodel_state"),
        ]
        triggers = [only_moves("trainedmodel_moves", MOVES)]

    def __str__(self) -> str:
        return self.name


class ModelFile(models.Model):
    """A file of a stored model: model.safetensors, model.json, card.json, descriptors.safetensors …"""

    model = models.ForeignKey(TrainedModel, on_delete=models.PROTECT, related_name="files")
    name = models.CharField(max_length=100)
    artifact = models.ForeignKey(Artifact, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "name"], name="modelfile_once")]

    def __str__(self) -> str:
        return self.name


class Part(models.TextChoices):
    TRAIN = choice("train", "training")
    VALIDATION = choice("validation", "validation")
    TEST = choice("test", "test")


class TrainingFile(models.Model):
    """A file of crystals that a generator learns from, or is held against."""

    model = models.ForeignKey(TrainedModel, on_delete=models.PROTECT, related_name="training_files")
    part = models.CharField(max_length=16, choices=Part.choices)
    file_name = models.CharField(max_length=255)
    artifact = models.ForeignKey(Artifact, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["model", "part"], name="trainingfile_once"),
            one_of("part", Part, "trainingfile_part"),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.part})"
