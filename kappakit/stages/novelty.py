"""Novelty: relaxed crystals against known ones that the same potential relaxed, in three levels."""

from __future__ import annotations

from collections.abc import Sequence

from kappakit.matching import ReducedCell, Tolerances, match_either_way, reduced_cell
from kappakit.ports import Engines
from kappakit.protocol import DeduplicateSettings
from kappakit.stages.contracts import NoveltyInputs, NoveltyOutputs, NoveltyVerdict, ReferenceItem

KAPPA_KNOWN, STRUCTURE_KNOWN, NEW = "kappa-known", "structure-known", "new"


def run(inputs: NoveltyInputs, settings: DeduplicateSettings, *, engines: Engines) -> NoveltyOutputs:
    """Each item's best matching reference, in whichever direction it matches; 'new' without one."""
    tolerances = Tolerances(settings.ltol, settings.stol, settings.angle_tol)
    known = [(reference, reduced_cell(reference.crystal)) for reference in inputs.references]
    verdicts = []
    for item in inputs.items:
        verdicts.append(_verdict(item.id, reduced_cell(item.crystal), known, tolerances))
        engines.progress(len(verdicts), len(inputs.items), "crystals compared with known ones")
    return NoveltyOutputs(tuple(verdicts))


def _verdict(
    key: str, cell: ReducedCell, known: Sequence[tuple[ReferenceItem, ReducedCell]], tolerances: Tolerances
) -> NoveltyVerdict:
    found = [
        (rms, reference.name, reference)
        for reference, reference_cell in known
        if (rms := match_either_way(reference_cell, cell, tolerances)) is not None
    ]
    if not found:
        return NoveltyVerdict(key, NEW)
    rms, name, reference = min(found, key=lambda match: match[:2])
    return NoveltyVerdict(key, KAPPA_KNOWN if reference.kappa_known else STRUCTURE_KNOWN, name, rms)
