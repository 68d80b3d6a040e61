"""Stability: energy above the convex hull of what is known, one chemical system at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from kappakit.ports import Engines
from kappakit.stability import Phase, hull, missing_elements
from kappakit.stages.contracts import HullEnergy, Item, StabilityInputs, StabilityOutputs
from kappakit.stages.table import NoSettings

REFERENCE = "reference "
NO_ENERGY = "no energy"


def run(inputs: StabilityInputs, settings: NoSettings, *, engines: Engines) -> StabilityOutputs:
    """eV/atom above the hull of items and references together; None with a note where no hull can be drawn.

    `hull_members` holds ids of items; a reference on the hull stands there as 'reference NAME'.
    """
    phases = _item_phases(inputs.items) + [
        Phase(REFERENCE + known.name, known.crystal.composition, known.energy_per_atom) for known in inputs.references
    ]
    systems = _by_system(inputs.items)
    energies: dict[str, HullEnergy] = {}
    members: dict[str, None] = {}
    for done, (system, items) in enumerate(sorted(systems.items()), start=1):
        on_hull = _system_energies(phases, system, items, energies)
        members.update(dict.fromkeys(on_hull))
        engines.progress(done, len(systems), f"hull of {'-'.join(system)}")
    return StabilityOutputs(tuple(energies[item.id] for item in inputs.items), tuple(members))


def _item_phases(items: Sequence[Item]) -> list[Phase]:
    return [
        Phase(item.id, item.crystal.composition, item.energy_per_atom)
        for item in items
        if item.energy_per_atom is not None
    ]


def _by_system(items: Sequence[Item]) -> dict[tuple[str, ...], list[Item]]:
    systems: dict[tuple[str, ...], list[Item]] = defaultdict(list)
    for item in items:
        systems[tuple(item.crystal.composition)].append(item)
    return systems


def _system_energies(
    phases: Sequence[Phase], system: tuple[str, ...], items: Sequence[Item], energies: dict[str, HullEnergy]
) -> tuple[str, ...]:
    inside = [phase for phase in phases if set(phase.composition) <= set(system)]
    lacking = missing_elements(inside, system)
    if lacking:
        note = f"no hull of {'-'.join(system)}: no energy of elemental {', '.join(lacking)}"
        energies.update({item.id: HullEnergy(item.id, None, note) for item in items})
        return ()
    found = hull(inside, system)
    for item in items:
        above = found.above.get(item.id)
        energies[item.id] = HullEnergy(item.id, above, "" if above is not None else NO_ENERGY)
    return found.members
