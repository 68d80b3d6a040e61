"""Thin: generated crystals that are almost the same already, before the potential spends its time on each of them."""

from __future__ import annotations

from kappakit.matching import Tolerances, group, match_rms, reduced_cells
from kappakit.ports import Engines
from kappakit.protocol import DeduplicateSettings, GenerateSettings
from kappakit.stages.contracts import DeduplicateOutputs, Match, ThinInputs

REPORT_EVERY = 20


def run(inputs: ThinInputs, settings: GenerateSettings, *, engines: Engines) -> DeduplicateOutputs:
    """The first crystal of each kind stays; every other is matched with it, its rms in both directions beside it."""
    tolerances = tolerances_of(settings.thin)
    total = len(inputs.items)

    def reduced(done: int) -> None:
        if done % REPORT_EVERY == 0:
            engines.progress(done, total, "crystals reduced to primitive cells")

    cells = reduced_cells([item.crystal for item in inputs.items], reduced)
    groups = group(cells, tolerances, lambda done: engines.progress(done, total, "crystals compared"))
    matches = tuple(
        Match(
            representative=inputs.items[first].id,
            duplicate=inputs.items[other].id,
            rms_forward=match_rms(cells[first], cells[other], tolerances),
            rms_backward=match_rms(cells[other], cells[first], tolerances),
            energy_difference=None,
        )
        for first, *others in groups
        for other in others
    )
    return DeduplicateOutputs(tuple(inputs.items[g[0]].id for g in groups), matches)


def tolerances_of(stol: float) -> Tolerances:
    """Sites within `stol`; lattices as the paper's deduplication compares them."""
    usual = DeduplicateSettings()
    return Tolerances(usual.ltol, stol, usual.angle_tol)
