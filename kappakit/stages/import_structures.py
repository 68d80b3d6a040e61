"""Import: crystals out of files from strangers; what is broken is refused with a reason, the rest goes on."""

from __future__ import annotations

from pathlib import Path

from kappakit.ports import Engines
from kappakit.reading import Limits, read_files
from kappakit.stages.contracts import ImportedCrystal, ImportInputs, ImportOutputs, Refusal
from kappakit.stages.table import NoSettings

LIMITS = Limits()


def run(inputs: ImportInputs, settings: NoSettings, *, engines: Engines) -> ImportOutputs:
    """Read every file in a process of its own with limits of memory and time, and check every crystal."""
    total = len(inputs.files)
    crystals, refusals = read_files(
        [(name, Path(path)) for name, path in inputs.files],
        LIMITS,
        lambda done, count: engines.progress(done, total, f"{count} crystals read"),
    )
    return ImportOutputs(
        tuple(ImportedCrystal(found.crystal, found.label, found.source) for found in crystals),
        tuple(Refusal(refusal.source, refusal.reason, refusal.detail) for refusal in refusals),
    )
