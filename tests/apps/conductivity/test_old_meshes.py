"""Rows that were stored before meshes went by spacing: they keep their method by name and say how thin they are."""

from __future__ import annotations

from dataclasses import fields, replace
from importlib import import_module

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from apps.campaigns.models import Campaign
from apps.conductivity.models import KappaPlan, KappaTensor
from apps.conductivity.selectors import plans_for
from kappakit.protocol import PROTOCOLS, ConductivitySettings, Protocol
from tests.apps.rows import a_campaign, a_candidate, a_result, a_user

settings_change = import_module("apps.campaigns.migrations.0005_conductivity_settings")
old_meshes = import_module("apps.conductivity.migrations.0006_old_meshes")

OLD = {
    "fc3_supercell": 3, "fc2_supercell": 3, "pair_cutoff": 3.0, "displacement": 0.03, "mesh_length": 25.0,
    "method": "rta", "lbte_above": 500.0, "temperature": 300.0, "ultrahigh": 800.0, "imaginary_tolerance": 0.1,
    "relax_force": 1e-4, "relax_stress": 0.01, "shell_margin": 0.03, "max_evaluations": 150_000,
    "max_bte_minutes": 1.0, "max_sweep_evaluations": 600_000, "max_sweep_minutes": 4.0,
}  # fmt: skip
"""As the program stored them before."""
LABEL = ["carbon-laptop (9f9f9f9f)", "RTA", "mesh 4×4×4", "300 K", "stable phonons", "not converged by test"]
BEFORE = [("conductivity", "0004_validations"), ("campaigns", "0004_started_by"), ("reviews", "0002_uncertainty_sorts")]


def test_old_settings_become_today_s_with_their_method_by_name() -> None:
    found = settings_change.converted(OLD)
    assert set(found) == {field.name for field in fields(ConductivitySettings)}
    settings = Protocol.from_dict({"conductivity": found}).conductivity
    assert (settings.mesh_rule, settings.supercell_rule, settings.mesh_step) == ("axes", "repeat", 1.0)
    assert (settings.interaction, settings.displacements) == ("phono3py", "systematic")
    assert (settings.max_minutes, settings.max_sweep_minutes) == (pytest.approx(2.25), pytest.approx(9.0))
    assert settings_change.reverted(found) == OLD


def test_an_old_label_gains_the_rule_s_name_and_the_thin_mesh() -> None:
    told = old_meshes.told(LABEL, [4, 4, 4], "axes", 8.52, 25.0)
    assert told[2] == "mesh 4×4×4 by the lengths of the cell's vectors (the paper's rule)"
    assert told[-2:] == ["thin mesh: 8.52 Å where 25 Å is meant", "not converged by test"]
    assert old_meshes.untold(told) == LABEL
    assert old_meshes.told(LABEL, [4, 4, 4], "given", 8.52, 25.0) == LABEL


@pytest.fixture
def stored(transactional_db: None) -> KappaTensor:
    """A κ_L of a campaign by the rule of old."""
    demo = PROTOCOLS["demo"]
    conductivity = replace(demo.conductivity, **settings_change.converted(OLD))
    campaign = a_campaign(a_user("owner"), protocol=replace(demo, conductivity=conductivity))
    tensor = a_result(a_candidate(campaign, 0), mesh=[4, 4, 4]).tensors.get()
    KappaTensor.objects.filter(pk=tensor.pk).update(label=LABEL, mesh=[4, 4, 4])
    return tensor


def migrate(targets: list[tuple[str, str]]) -> None:
    MigrationExecutor(connection).migrate(targets)


def test_rows_written_before_are_converted_and_found_again(stored: KappaTensor) -> None:
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    try:
        migrate(BEFORE)
        with connection.cursor() as cursor:
            cursor.execute("SELECT protocol -> 'conductivity' FROM campaigns_campaign")
            (before,) = cursor.fetchone()
    finally:
        migrate(newest)
    assert '"max_bte_minutes"' in str(before)
    assert '"mesh_rule"' not in str(before)
    campaign = Campaign.objects.get()
    assert Protocol.from_dict(campaign.protocol).digest == campaign.protocol_digest
    assert campaign.protocol["conductivity"]["mesh_rule"] == "axes"
    tensor = KappaTensor.objects.get()
    lengths = old_meshes.mesh_length(tensor.phonons.primitive.cell, [4, 4, 4])
    assert (tensor.mesh_rule, tensor.mesh_points) == ("axes", 64)
    assert tensor.mesh_length == pytest.approx(lengths)
    assert tensor.converged is None
    assert any(word.startswith("thin mesh: ") for word in tensor.label)
    plan = KappaPlan.objects.get()
    assert plan.settings == campaign.protocol["conductivity"]
    KappaPlan.objects.filter(pk=plan.pk).update(potential=campaign.potential)
    assert list(plans_for(campaign, [plan.candidate_id])) == [plan], "its digest is that of the campaign's settings"
