"""From files to the diverse sample through the bindings, with the real stages and an empirical potential."""

from __future__ import annotations

import importlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cattrs.preconf.json import make_converter

from apps.campaigns.models import Campaign
from apps.jobs.bindings import Binding, Loaded
from apps.maps.models import SelectionMember
from apps.maps.stages import embed, sample
from apps.structures.models import Candidate, DuplicateMatch, LiteratureValue, Outcome, ReferenceCrystal
from apps.structures.selectors import funnel
from apps.structures.services import import_file_add, reference_crystals_seed
from apps.structures.stages import deduplicate, import_structures, novelty, relax, screen, stability
from apps.training.services import analytic_models_register
from kappakit.crystals import Crystal
from kappakit.engines.doors import RealEngines
from kappakit.ports import SilentProgress
from kappakit.protocol import PROTOCOLS, RelaxSettings, SampleSettings
from kappakit.stages.table import STAGES
from kappakit.writing import extxyz
from tests.apps.driving import step_through
from tests.apps.outputs import boron_nitride, diamond
from tests.apps.rows import a_campaign, a_user

pytestmark = pytest.mark.django_db

POOL = (import_structures, relax, deduplicate, novelty, screen, stability, embed, sample)
PROTOCOL = replace(
    PROTOCOLS["smoke"],
    source="import",
    relax=RelaxSettings(max_force=0.02, max_steps=300),
    sample=SampleSettings(count=2, references="diamond"),
)

CONTROLS = ("diamond", "cubic-BN")
"""Enough of the reference crystals for a quick test."""


def really(binding: Binding, folder: Path) -> Any:
    """The stage as its process runs it, in this one."""
    stage = STAGES[binding.name]
    module = importlib.import_module(stage.module)

    def run(loaded: Loaded) -> Any:
        for name, target in loaded.files.items():
            link = folder / name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(target)
        settings = make_converter().structure(dict(loaded.settings), stage.settings)
        return module.run(loaded.inputs, settings, engines=RealEngines(SilentProgress()))

    return run


def rattled(crystal: Crystal, seed: int) -> Crystal:
    shifts = np.random.default_rng(seed).normal(0.0, 0.01, crystal.frac.shape)
    return Crystal(crystal.cell * 1.02, crystal.frac + shifts, crystal.numbers)


@pytest.fixture
def campaign(settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Campaign:
    settings.ARTIFACTS = tmp_path / "artifacts"
    (tmp_path / "stage").mkdir()
    monkeypatch.chdir(tmp_path / "stage")
    reference_crystals_seed()
    LiteratureValue.objects.exclude(reference__name__in=CONTROLS).delete()
    ReferenceCrystal.objects.exclude(name__in=CONTROLS).delete()
    (potential,) = analytic_models_register()
    made = a_campaign(a_user("owner"), protocol=PROTOCOL, potential=potential)
    path = tmp_path / "given.extxyz"
    crystals = [rattled(diamond(), 1), rattled(diamond(), 2), rattled(boron_nitride(), 3)]
    path.write_text("".join(extxyz(crystal) for crystal in crystals))
    import_file_add(campaign=made, file_name=path.name, content=path, user=made.owner)
    return made


def test_real_crystals_go_from_a_file_to_the_sample(campaign):
    folder = Path(os.getcwd())
    reports = {m.STAGE: step_through(campaign, m.BINDING, really(m.BINDING, folder))[1] for m in POOL}
    counts = funnel(campaign)
    assert reports["import_structures"]["dropped"] == 0
    assert (counts.imported, counts.reference, counts.rejected) == (3, 1, 0)
    assert (counts.duplicates, counts.unique, counts.kept) == (2, 2, 2)
    assert "new" not in counts.novelty
    assert all(match.rms_forward < 0.01 for match in DuplicateMatch.objects.all())
    kept = {row.relaxed.formula: row for row in Candidate.objects.filter(outcome=Outcome.KEPT)}
    assert kept["C2"].known_as.name == "diamond"
    assert kept["BN"].known_as.name == "cubic-BN"
    assert kept["BN"].symmetry.symbol == "F-43m"
    assert kept["C2"].symmetry.symbol == "Fd-3m"
    assert SelectionMember.objects.filter(candidate__in=kept.values()).count() == 2
    assert reports["sample"]["candidates"]
