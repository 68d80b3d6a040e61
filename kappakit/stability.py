"""Energy above the convex hull of one chemical system, by pymatgen's PhaseDiagram.

Source: S. P. Ong et al., Chem. Mater. 20, 1798 (2008), doi 10.1021/cm702327g. All energies are of one potential.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
from pymatgen.core import Composition


@dataclass(frozen=True)
class Phase:
    """A composition (symbol → count) and its energy in eV per atom, under its caller's key."""

    id: str
    composition: Mapping[str, int]
    energy_per_atom: float


@dataclass(frozen=True)
class Hull:
    """`above`: id → eV/atom above the hull, for phases of the whole system; `members`: ids on it."""

    above: dict[str, float]
    members: tuple[str, ...]


def missing_elements(phases: Sequence[Phase], system: Sequence[str]) -> list[str]:
    """Elements of the chemical system without an elemental phase: no hull can be drawn."""
    elemental = {next(iter(phase.composition)) for phase in phases if len(phase.composition) == 1}
    return sorted(set(system) - elemental)


def hull(phases: Sequence[Phase], system: Sequence[str]) -> Hull:
    """The convex hull of all phases that lie in the chemical system; raises ValueError without elemental phases."""
    inside = [phase for phase in phases if set(phase.composition) <= set(system)]
    entries = {phase.id: _entry(phase) for phase in inside}
    diagram = PhaseDiagram(list(entries.values()))
    stable = {id(entry) for entry in diagram.stable_entries}
    above = {key: _above(diagram, entry) for key, entry in entries.items()}
    return Hull(above, tuple(key for key, entry in entries.items() if id(entry) in stable))


def _above(diagram: PhaseDiagram, entry: PDEntry) -> float:
    energy = diagram.get_e_above_hull(entry, allow_negative=True, check_stable=False)
    if energy is None:
        raise ValueError(f"{entry.name} lies outside the phase diagram")
    return float(energy)


def _entry(phase: Phase) -> PDEntry:
    composition = Composition(dict(phase.composition))
    return PDEntry(composition, phase.energy_per_atom * composition.num_atoms, name=phase.id)
