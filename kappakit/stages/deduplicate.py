"""Deduplicate: which relaxed crystals are the same, with the evidence for each decision."""

from __future__ import annotations

from collections.abc import Sequence

from kappakit.errors import InputError
from kappakit.matching import ReducedCell, Tolerances, group, match_rms, reduced_cells
from kappakit.ports import Engines
from kappakit.protocol import DeduplicateSettings
from kappakit.stages.contracts import DeduplicateInputs, DeduplicateOutputs, Item, Match

MEV_PER_EV = 1000.0
REPORT_EVERY = 20


def run(inputs: DeduplicateInputs, settings: DeduplicateSettings, *, engines: Engines) -> DeduplicateOutputs:
    """The partition of pymatgen's group_structures in canonical order (energy, digest); every match is kept.

    One-way matches and matches that differ by more than `conflict_energy` merge too and are marked as conflicts.
    Raises InputError for an item without an energy.
    """
    items = canonical_order(inputs.items)
    tolerances = Tolerances(settings.ltol, settings.stol, settings.angle_tol)
    crystals = [item.crystal for item in items]
    cells = reduced_cells(crystals, lambda done: _tell(engines, done, len(items), "reduced to primitive cells"))
    groups = group(cells, tolerances, lambda done: _tell(engines, done, len(items), "compared"))
    matches: list[Match] = []
    for representative, *duplicates in groups:
        for duplicate in duplicates:
            matches.append(_match(items, cells, representative, duplicate, tolerances, settings.conflict_energy))
    engines.progress(len(items), len(items), f"{len(groups)} unique of {len(items)}")
    return DeduplicateOutputs(tuple(items[g[0]].id for g in groups), tuple(matches))


def canonical_order(items: Sequence[Item]) -> list[Item]:
    """Sorted by energy, then digest, then id; raises InputError for an item without an energy."""
    bare = [item.id for item in items if item.energy_per_atom is None]
    if bare:
        raise InputError(f"deduplication needs the energy of each crystal; missing for {', '.join(bare[:5])}")
    return sorted(items, key=lambda item: (item.energy_per_atom, item.crystal.digest, item.id))


def _match(
    items: Sequence[Item],
    cells: Sequence[ReducedCell],
    representative: int,
    duplicate: int,
    tolerances: Tolerances,
    conflict_energy: float,
) -> Match:
    forward = match_rms(cells[representative], cells[duplicate], tolerances)
    backward = match_rms(cells[duplicate], cells[representative], tolerances)
    first, second = items[representative], items[duplicate]
    difference = MEV_PER_EV * ((second.energy_per_atom or 0.0) - (first.energy_per_atom or 0.0))
    conflicts = ["one-way"] * (backward is None) + ["energy"] * (abs(difference) > conflict_energy)
    return Match(first.id, second.id, forward, backward, difference, ", ".join(conflicts))


def _tell(engines: Engines, done: int, total: int, note: str) -> None:
    if done % REPORT_EVERY == 0 or done == total:
        engines.progress(done, total, f"{done} of {total} crystals {note}")
