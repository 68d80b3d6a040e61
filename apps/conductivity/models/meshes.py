"""How a mesh of q-points was chosen."""

from __future__ import annotations

from django.db import models

from apps.core.states import choice


class MeshRule(models.TextChoices):
    SPACING = choice("spacing", "even spacing along the conventional cell's reciprocal vectors")
    AXES = choice("axes", "by the lengths of the primitive cell's vectors")
    GIVEN = choice("given", "given by hand")
