"""The conductivity settings gained supercells by width, random displacements, meshes by spacing and budgets in minutes.

A stored protocol keeps its method by name: repetitions of the primitive cell, systematic displacements, a mesh by the
lengths of the cell's vectors, phono3py's own kernel, no test of convergence. Digests follow the snapshots.
"""

import hashlib
import json

from django.db import migrations

SECONDS_PER_EVALUATION = 5e-4
"""What an atom evaluation of the shipped potential took where its limits were chosen."""
OLD_LIMITS = {
    "max_evaluations": 150_000,
    "max_bte_minutes": 1.0,
    "max_sweep_evaluations": 600_000,
    "max_sweep_minutes": 4.0,
}
KEPT = {
    "supercell_rule": "repeat",
    "fc3_width": 6.0,
    "fc2_width": 8.5,
    "displacements": "systematic",
    "random_displacement": 0.03,
    "fc3_cutoff": 6.0,
    "fit_tolerance": 0.02,
    "max_random": 400,
    "mesh_rule": "axes",
    "mesh_step": 1.0,
    "mesh_change": 0.05,
    "max_mesh_length": 60.0,
    "interaction": "phono3py",
    "isotopes": "none",
    "isotope_purity": 0.999,
    "boundary": 0.0,
    "max_campaign_minutes": 600.0,
}


def converted(settings):
    """The same method in today's fields."""
    old = OLD_LIMITS | settings
    same = {name: value for name, value in settings.items() if name not in OLD_LIMITS}
    return (
        same
        | KEPT
        | {
            "max_minutes": old["max_bte_minutes"] + old["max_evaluations"] * SECONDS_PER_EVALUATION / 60,
            "max_sweep_minutes": old["max_sweep_minutes"] + old["max_sweep_evaluations"] * SECONDS_PER_EVALUATION / 60,
        }
    )


def reverted(settings):
    """Yesterday's fields; limits are the old defaults."""
    gone = {*KEPT, "max_minutes", "max_sweep_minutes"}
    return {name: value for name, value in settings.items() if name not in gone} | OLD_LIMITS


def convert(apps, change):
    for campaign in apps.get_model("campaigns", "Campaign").objects.iterator():
        campaign.protocol["conductivity"] = change(campaign.protocol.get("conductivity", {}))
        snapshot = json.dumps(campaign.protocol, sort_keys=True)
        campaign.protocol_digest = hashlib.sha256(snapshot.encode()).hexdigest()
        campaign.save(update_fields=["protocol", "protocol_digest"])


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0004_started_by")]

    operations = [
        migrations.RunPython(lambda apps, _: convert(apps, converted), lambda apps, _: convert(apps, reverted)),
    ]
