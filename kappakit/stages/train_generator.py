"""Train a generator: crystals out of files, split by file or by distinct crystal, learned by a named configuration."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

import numpy as np

from kappakit.errors import InputError
from kappakit.matching import Tolerances, group, reduced_cell
from kappakit.ports import Engines, GeneratorCurvePoint, TrainingCrystal
from kappakit.reading import Limits, read_files
from kappakit.stages.contracts import Refusal, TrainGeneratorInputs, TrainGeneratorOutputs
from kappakit.stages.table import NoSettings

FOLDER = "checkpoint"
"""It outlives the attempt: the next one resumes from it."""
ENGINE = "cdvae"
GIVEN, GROUPED = "given", "grouped"
SHARES = (("train", 0.6), ("validation", 0.2), ("test", 0.2))
"""The published shares."""
MATCHING = Tolerances(ltol=0.2, stol=0.3, angle_tol=5.0)
LIMITS = Limits()


def run(inputs: TrainGeneratorInputs, settings: NoSettings, *, engines: Engines) -> TrainGeneratorOutputs:
    """Train into ./checkpoint (what an earlier attempt left there is resumed).

    Raises InputError for files without a usable crystal, an unknown configuration or split, a damaged checkpoint.
    """
    crystals, refusals = _read(inputs, engines)
    if inputs.split == GROUPED:
        crystals = grouped(crystals, inputs.seed, engines)
    elif inputs.split != GIVEN:
        raise InputError(f"no split {inputs.split!r}; there are {GIVEN} and {GROUPED}")
    result = engines.generator_trainer(ENGINE).train(
        crystals,
        configuration=inputs.configuration,
        overrides=dict(inputs.overrides),
        seed=inputs.seed,
        minutes=inputs.minutes,
        folder=Path(FOLDER),
        progress=engines.progress,
    )
    card = _with_data(result.card, inputs, refusals)
    return TrainGeneratorOutputs(
        folder=FOLDER,
        sha256=result.sha256,
        card=json.dumps(card),
        curve=np.array([astuple(p) for p in result.curve], dtype=float).reshape(-1, len(fields(GeneratorCurvePoint))),
        refusals=refusals,
    )


def _read(inputs: TrainGeneratorInputs, engines: Engines) -> tuple[list[TrainingCrystal], tuple[Refusal, ...]]:
    crystals: list[TrainingCrystal] = []
    refusals: list[Refusal] = []
    for part, name, path in inputs.files:
        found, refused = read_files(
            [(name, Path(path))], LIMITS, lambda done, count: engines.progress(0, 0, f"{count} crystals read")
        )
        crystals += [TrainingCrystal(c.crystal, part, c.label or c.source) for c in found]
        refusals += [Refusal(r.source, r.reason, r.detail) for r in refused]
    if not crystals:
        raise InputError(f"the files hold no usable crystal ({len(refusals)} were refused)")
    return crystals, tuple(refusals)


def grouped(crystals: Sequence[TrainingCrystal], seed: int, engines: Engines) -> list[TrainingCrystal]:
    """The crystals in parts that share no distinct crystal: 60 % of those train, 20 % validate, 20 % test."""
    cells = []
    for done, given in enumerate(crystals, start=1):
        cells.append(reduced_cell(given.crystal))
        if done % 100 == 0:
            engines.progress(done, len(crystals), "crystals reduced to primitive cells")

    def tell(done: int) -> None:
        if done % 100 == 0:
            engines.progress(done, len(crystals), "crystals grouped")

    groups = group(cells, MATCHING, tell)
    order = np.random.default_rng(seed).permutation(len(groups))
    ends = np.round(np.cumsum([share for _, share in SHARES]) * len(groups)).astype(int)
    part_of: dict[int, str] = {}
    for place, number in enumerate(order):
        part = SHARES[int(np.searchsorted(ends, place, side="right"))][0]
        part_of.update(dict.fromkeys(groups[number], part))
    return [TrainingCrystal(c.crystal, part_of[index], c.source) for index, c in enumerate(crystals)]


def _with_data(card: dict[str, Any], inputs: TrainGeneratorInputs, refusals: Sequence[Refusal]) -> dict[str, Any]:
    """The card with what the crystals were; written beside the weights again."""
    data = {
        **card["data"],
        "files": {part: name for part, name, _ in inputs.files},
        "split": "by file" if inputs.split == GIVEN else "by distinct crystal",
        "refused": dict(Counter(refusal.reason for refusal in refusals)),
    }
    whole = {**card, "data": data}
    (Path(FOLDER) / "card.json").write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
    return whole
