"""The crystals that a generator learned from, to go on beside those that it made."""

from __future__ import annotations

from kappakit.ports import TRAIN, VALIDATION, Engines
from kappakit.stages.contracts import ImportedCrystal, ImportOutputs, TrainingCrystalsInputs
from kappakit.stages.table import NoSettings

SEEN = (TRAIN, VALIDATION)
"""What training saw; test crystals stay out, the generator is measured on them."""


def run(inputs: TrainingCrystalsInputs, settings: NoSettings, *, engines: Engines) -> ImportOutputs:
    """Every crystal of the training and validation parts, numbered."""
    known = [c for c in engines.generator(inputs.generator).training_set() if c.part in SEEN]
    name = inputs.generator.name
    crystals = tuple(
        ImportedCrystal(given.crystal, given.source, f"{name} training set#{number}")
        for number, given in enumerate(known, start=1)
    )
    engines.progress(len(crystals), len(crystals), "training crystals read")
    return ImportOutputs(crystals, ())
