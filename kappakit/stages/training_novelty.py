"""Novelty against what the generator learned from: relaxed crystals and the distinct crystals of its training part."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from kappakit.matching import ReducedCell, Tolerances, nearest, reduced_cell
from kappakit.ports import TRAIN, Engines, TrainingCrystal
from kappakit.protocol import DeduplicateSettings
from kappakit.stages.contracts import TrainingNoveltyInputs, TrainingNoveltyOutputs, TrainingVerdict

REPORT_EVERY = 100
Known = dict[tuple[tuple[int, int], ...], list[tuple[str, ReducedCell]]]


def run(inputs: TrainingNoveltyInputs, settings: DeduplicateSettings, *, engines: Engines) -> TrainingNoveltyOutputs:
    """The best match of each item among the training crystals, in whichever direction it matches."""
    tolerances = Tolerances(settings.ltol, settings.stol, settings.angle_tol)
    cells = [(item.id, reduced_cell(item.crystal)) for item in inputs.items]
    wanted = {cell.bucket for _, cell in cells}
    known = _known(engines.generator(inputs.generator).training_set(), wanted, engines)
    verdicts = []
    for key, cell in cells:
        verdicts.append(_verdict(key, nearest(cell, known[cell.bucket], tolerances)))
        engines.progress(len(verdicts), len(cells), "crystals compared with the training set")
    return TrainingNoveltyOutputs(tuple(verdicts))


def _known(training: Sequence[TrainingCrystal], wanted: set[tuple[tuple[int, int], ...]], engines: Engines) -> Known:
    """Reduced training crystals by bucket, those that may match only."""
    distinct = [given for given in training if given.part == TRAIN and given.distinct]
    found: Known = defaultdict(list)
    for done, given in enumerate(distinct, start=1):
        cell = reduced_cell(given.crystal)
        if cell.bucket in wanted:
            found[cell.bucket].append((given.source, cell))
        if done % REPORT_EVERY == 0:
            engines.progress(0, 0, f"{done} of {len(distinct)} training crystals reduced")
    return found


def _verdict(key: str, found: tuple[float, str] | None) -> TrainingVerdict:
    if found is None:
        return TrainingVerdict(key)
    rms, source = found
    return TrainingVerdict(key, source, rms)
