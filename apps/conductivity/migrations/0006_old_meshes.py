"""Plans and validations keep their method in today's fields; stored κ_L say how thin their mesh is.

Nothing is computed again. Rule and length follow from the stored numbers and the primitive cell; labels gain the
rule's name, and "thin mesh" where some direction is sampled more coarsely than the rule means.
"""

import hashlib
import json
from importlib import import_module

import numpy as np
from django.db import migrations

settings_change = import_module("apps.campaigns.migrations.0005_conductivity_settings")
UNTESTED = "not converged by test"


def mesh_length(cell, numbers):
    """Å: one over the widest spacing of q-points along the reciprocal vectors of a cell (3, 3) Å."""
    return float((np.asarray(numbers) / np.linalg.norm(np.linalg.inv(np.asarray(cell)), axis=0)).min())


def told(label, numbers, rule, length, meant):
    """The label with the rule's name and, where it applies, the thin mesh."""
    words = "mesh " + "×".join(map(str, numbers))
    named = f"{words} by the lengths of the cell's vectors (the paper's rule)" if rule == "axes" else words
    found = [named if word == words else word for word in label]
    if rule == "axes" and length < meant * (1 - 1e-6):
        at = found.index(UNTESTED) if UNTESTED in found else len(found)
        found.insert(at, f"thin mesh: {length:.3g} Å where {meant:g} Å is meant")
    return found


def untold(label):
    """As it was."""
    kept = [word for word in label if not word.startswith("thin mesh: ")]
    return [word.removesuffix(" by the lengths of the cell's vectors (the paper's rule)") for word in kept]


def plans(apps, change):
    for plan in apps.get_model("conductivity", "KappaPlan").objects.select_related("candidate__campaign").iterator():
        plan.settings = change(plan.settings)
        screen = plan.candidate.campaign.protocol.get("screen", {})
        tolerances = {name: screen.get(name) for name in ("symprec", "angle_tolerance")}
        content = {"conductivity": plan.settings, "symmetry": tolerances}
        plan.settings_digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        plan.save(update_fields=["settings", "settings_digest"])


def validations(apps, change):
    for validation in apps.get_model("conductivity", "Validation").objects.iterator():
        validation.conductivity = change(validation.conductivity)
        validation.save(update_fields=["conductivity"])


def tensors(apps):
    joined = ("phonons__plan", "phonons__validation", "phonons__primitive")
    for tensor in apps.get_model("conductivity", "KappaTensor").objects.select_related(*joined).iterator():
        phonons = tensor.phonons
        own = phonons.plan.settings if phonons.plan else None
        asked = getattr(phonons, "validation", None)
        settings = own or (asked.conductivity if asked else None)
        tensor.mesh_rule = "axes" if settings else "given"
        tensor.mesh_length = mesh_length(phonons.primitive.cell, tensor.mesh)
        tensor.mesh_points = int(np.prod(tensor.mesh))
        meant = (settings or {}).get("mesh_length", 25.0)
        tensor.label = told(tensor.label, tensor.mesh, tensor.mesh_rule, tensor.mesh_length, meant)
        tensor.save(update_fields=["mesh_rule", "mesh_length", "mesh_points", "label"])


def forwards(apps, schema_editor):
    plans(apps, settings_change.converted)
    validations(apps, settings_change.converted)
    tensors(apps)


def backwards(apps, schema_editor):
    for tensor in apps.get_model("conductivity", "KappaTensor").objects.iterator():
        tensor.label = untold(tensor.label)
        tensor.save(update_fields=["label"])
    plans(apps, settings_change.reverted)
    validations(apps, settings_change.reverted)


class Migration(migrations.Migration):
    dependencies = [("conductivity", "0005_meshes"), ("campaigns", "0005_conductivity_settings")]

    operations = [migrations.RunPython(forwards, backwards)]
