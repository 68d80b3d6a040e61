"""Novelty: relaxed crystals against known ones that the same potential relaxed, in three levels."""

from __future__ import annotations

from collections.abc import Mapping

from kappakit.matching import Tolerances, nearest, reduced_cell
from kappakit.ports import Engines
from kappakit.protocol import DeduplicateSettings
from kappakit.stages.contracts import NoveltyInputs, NoveltyOutputs, NoveltyVerdict, ReferenceItem

KAPPA_KNOWN, STRUCTURE_KNOWN, NEW = "kappa-known", "structure-known", "new"


def run(inputs: NoveltyInputs, settings: DeduplicateSettings, *, engines: Engines) -> NoveltyOutputs:
    """Each item's best matching reference, in whichever direction it matches; 'new' without one."""
    tolerances = Tolerances(settings.ltol, settings.stol, settings.angle_tol)
    known = [(reference.name, reduced_cell(reference.crystal)) for reference in inputs.references]
    named = {reference.name: reference for reference in inputs.references}
    verdicts = []
    for item in inputs.items:
        verdicts.append(_verdict(item.id, nearest(reduced_cell(item.crystal), known, tolerances), named))
        engines.progress(len(verdicts), len(inputs.items), "crystals compared with known ones")
    return NoveltyOutputs(tuple(verdicts))


def _verdict(key: str, found: tuple[float, str] | None, named: Mapping[str, ReferenceItem]) -> NoveltyVerdict:
    if found is None:
        return NoveltyVerdict(key, NEW)
    rms, name = found
    return NoveltyVerdict(key, KAPPA_KNOWN if named[name].kappa_known else STRUCTURE_KNOWN, name, rms)
