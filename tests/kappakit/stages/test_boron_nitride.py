"""Nothing assumes one element: boron nitride goes from its file to the map through the stage process's own door."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from kappakit import archive
from kappakit.protocol import Protocol
from kappakit.reference import DATA, reference_crystals
from kappakit.run import main, prepare
from kappakit.stages.contracts import (
    DeduplicateInputs,
    EmbedInputs,
    ImportInputs,
    Item,
    NoveltyInputs,
    ReferenceItem,
    ScreenInputs,
)
from kappakit.stages.table import STAGES

PROTOCOL = Protocol()
BN = frozenset({"B", "N"})


def run_stage(folder: Path, stage: str, inputs: Any, settings: Any, engines: Any) -> Any:
    target = folder / stage
    prepare(target, stage, inputs, asdict(settings) if settings else {}, threads=1)
    code = main(target, lambda progress: engines)
    assert code == 0, (target / "failure.json").read_text()
    return archive.read(target, "outputs", STAGES[stage].outputs)


def energy(label: str) -> float:
    """Made up: the real ones come from a potential; cubic below wurtzite below hexagonal."""
    return -8.0 + 0.05 * ["cubic", "wurtzite", "hexagonal"].index(label.split("-")[1])


def test_boron_nitride_is_imported_deduplicated_named_screened_and_embedded(tmp_path, monkeypatch, engines) -> None:
    monkeypatch.chdir(tmp_path)
    files = (("boron_nitride.extxyz", str(DATA / "boron_nitride.extxyz")),)
    imported = run_stage(tmp_path, "import_structures", ImportInputs(files), None, engines)
    assert imported.refusals == ()
    items = tuple(Item(found.label, found.crystal, energy(found.label)) for found in imported.crystals)

    unique = run_stage(tmp_path, "deduplicate", DeduplicateInputs(items), PROTOCOL.deduplicate, engines)
    assert {(m.representative, m.duplicate) for m in unique.matches} in (
        {("perturbed-cubic-BN-1", "perturbed-cubic-BN-2")},
        {("perturbed-cubic-BN-2", "perturbed-cubic-BN-1")},
    )
    kept = tuple(item for item in items if item.id in unique.representatives)

    references = tuple(ReferenceItem(n, k.crystal, -8.0, False) for n, k in reference_crystals(BN).items())
    verdicts = run_stage(tmp_path, "novelty", NoveltyInputs(kept, references), PROTOCOL.deduplicate, engines).verdicts
    assert {verdict.name for verdict in verdicts} == set(reference_crystals(BN))

    screened = run_stage(tmp_path, "screen", ScreenInputs(kept), PROTOCOL.screen, engines)
    assert len(screened.facts) == 3
    layered = {fact.id for fact in screened.facts if fact.dimensionality == 2}
    assert layered == {"perturbed-hexagonal-BN-1"}

    embedded = run_stage(tmp_path, "embed", EmbedInputs(kept), PROTOCOL.embed, engines)
    assert embedded.descriptors.shape == (3, 546)


def test_a_missing_file_is_a_refusal_of_the_import(tmp_path, monkeypatch, engines) -> None:
    monkeypatch.chdir(tmp_path)
    imported = run_stage(tmp_path, "import_structures", ImportInputs((("a.cif", "nowhere.cif"),)), None, engines)
    assert [refusal.reason for refusal in imported.refusals] == ["unreadable"]


@pytest.mark.parametrize("stage", ["deduplicate", "screen"])
def test_a_damaged_input_fails_with_a_sentence(tmp_path, monkeypatch, engines, stage: str) -> None:
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path / "job", stage, ScreenInputs(()), {}, threads=1)
    (tmp_path / "job" / "inputs.json").write_text("{")
    assert main(tmp_path / "job", lambda progress: engines) == 2
    assert "cannot be read" in json.loads((tmp_path / "job" / "failure.json").read_text())["message"]
