"""Train a generator: crystals out of files, split by file or by distinct crystal, learned by a named configuration."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from kappakit.crystals import Crystal
from kappakit.errors import InputError
from kappakit.matching import Tolerances, group, reduced_cells
from kappakit.ports import TEST, TRAIN, VALIDATION, Engines, GeneratorCurvePoint, TrainingCrystal
from kappakit.reading import Limits, read_files
from kappakit.stages.contracts import Refusal, TrainGeneratorInputs, TrainGeneratorOutputs
from kappakit.stages.table import NoSettings

FOLDER = "checkpoint"
"""It outlives the attempt: the next one resumes from it."""
ENGINE = "cdvae"
GIVEN, GROUPED = "given", "grouped"
SHARES = ((TRAIN, 0.6), (VALIDATION, 0.2), (TEST, 0.2))
"""The published shares."""
MATCHING = Tolerances(ltol=0.2, stol=0.3, angle_tol=5.0)
MOST_COMPARED = 20_000
"""Training crystals among which copies are looked for."""
KINDS = "kinds.json"
"""Beside the checkpoint: an attempt that resumes does not compare the crystals again."""
REPORT_EVERY = 100
LIMITS = Limits()


def run(inputs: TrainGeneratorInputs, settings: NoSettings, *, engines: Engines) -> TrainGeneratorOutputs:
    """Train into ./checkpoint (what an earlier attempt left there is resumed).

    The stored data set says which training crystals are distinct; how many they are stands on the card. Raises
    InputError for files without a usable crystal, an unknown configuration, part or split, a damaged checkpoint.
    """
    if inputs.split not in (GIVEN, GROUPED):
        raise InputError(f"no split {inputs.split!r}; there are {GIVEN} and {GROUPED}")
    crystals, refusals = _read(inputs, engines)
    crystals, note = _divided(crystals, inputs, engines)
    result = engines.generator_trainer(ENGINE).train(
        crystals,
        configuration=inputs.configuration,
        overrides=dict(inputs.overrides),
        seed=inputs.seed,
        minutes=inputs.minutes,
        folder=Path(FOLDER),
        progress=engines.progress,
    )
    found = {"distinct": sum(c.distinct for c in crystals if c.part == TRAIN)} if not note else {"note": note}
    card = _with_data(result.card, inputs, refusals, found)
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


def _divided(
    crystals: Sequence[TrainingCrystal], inputs: TrainGeneratorInputs, engines: Engines
) -> tuple[list[TrainingCrystal], str]:
    """The crystals in their parts, copies within the train part marked; a note where copies were not looked for."""
    if inputs.split == GROUPED:
        kinds = kinds_of([c.crystal for c in crystals], engines)
        return marked(grouped(crystals, kinds, inputs.seed), kinds), ""
    train = [c for c in crystals if c.part == TRAIN]
    if len(train) > MOST_COMPARED:
        return list(crystals), f"copies are not looked for among more than {MOST_COMPARED:,} training crystals"
    known = iter(marked(train, kinds_of([c.crystal for c in train], engines)))
    return [next(known) if c.part == TRAIN else c for c in crystals], ""


def kinds_of(crystals: Sequence[Crystal], engines: Engines) -> list[int]:
    """For each crystal the number of the distinct crystal that it is, counted as they appear; kept in FOLDER."""
    digest = hashlib.sha256("".join([repr(MATCHING), *(c.digest for c in crystals)]).encode()).hexdigest()
    path = Path(FOLDER) / KINDS
    known = _stored_kinds(path, digest)
    if known is None:
        known = _compared(crystals, engines)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"digest": digest, "kinds": known}))
    return known


def _stored_kinds(path: Path, digest: str) -> list[int] | None:
    """What an earlier attempt found for the same crystals; None where there is nothing that can be read."""
    try:
        stored = json.loads(path.read_text())
        return [int(kind) for kind in stored["kinds"]] if stored["digest"] == digest else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _compared(crystals: Sequence[Crystal], engines: Engines) -> list[int]:
    def tell(done: int, note: str) -> None:
        if done % REPORT_EVERY == 0 or done == len(crystals):
            engines.progress(done, len(crystals), note)

    cells = reduced_cells(crystals, lambda done: tell(done, "crystals reduced to primitive cells"))
    kinds = [0] * len(crystals)
    for kind, members in enumerate(group(cells, MATCHING, lambda done: tell(done, "crystals compared"))):
        for member in members:
            kinds[member] = kind
    return kinds


def grouped(crystals: Sequence[TrainingCrystal], kinds: Sequence[int], seed: int) -> list[TrainingCrystal]:
    """The crystals in parts that share no distinct crystal: 60 % of those train, 20 % validate, 20 % test."""
    count = max(kinds, default=-1) + 1
    ends = np.round(np.cumsum([share for _, share in SHARES]) * count).astype(int)
    part_of = {}
    for place, kind in enumerate(np.random.default_rng(seed).permutation(count).tolist()):
        part_of[kind] = SHARES[int(np.searchsorted(ends, place, side="right"))][0]
    return [replace(given, part=part_of[kind]) for given, kind in zip(crystals, kinds, strict=True)]


def marked(crystals: Sequence[TrainingCrystal], kinds: Sequence[int]) -> list[TrainingCrystal]:
    """`distinct` for one crystal of each kind in each part: the smallest cell, which the network is likeliest to take;
    the first among equal ones."""
    best: dict[tuple[str, int], int] = {}
    for index, (given, kind) in enumerate(zip(crystals, kinds, strict=True)):
        known = best.setdefault((given.part, kind), index)
        if given.crystal.n_atoms < crystals[known].crystal.n_atoms:
            best[given.part, kind] = index
    chosen = set(best.values())
    return [replace(given, distinct=index in chosen) for index, given in enumerate(crystals)]


def _with_data(
    card: dict[str, Any], inputs: TrainGeneratorInputs, refusals: Sequence[Refusal], found: dict[str, Any]
) -> dict[str, Any]:
    """The card with what the crystals were; written beside the weights again."""
    parts = dict.fromkeys(part for part, _, _ in inputs.files)
    data = {
        **card["data"],
        **found,
        "files": {part: ", ".join(name for home, name, _ in inputs.files if home == part) for part in parts},
        "split": "by file" if inputs.split == GIVEN else "by distinct crystal",
        "refused": dict(Counter(refusal.reason for refusal in refusals)),
    }
    whole = {**card, "data": data}
    (Path(FOLDER) / "card.json").write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
    return whole
