"""Screen: simple, symmetric crystals stay; each leaves with its symmetry, cells and dimensionality."""

from __future__ import annotations

from kappakit.errors import Rejected
from kappakit.ports import Engines
from kappakit.protocol import ScreenSettings
from kappakit.stages.contracts import Item, Refusal, ScreenInputs, ScreenOutputs, SymmetryFacts
from kappakit.symmetry import Symmetry, dimensionality, find_symmetry


def run(inputs: ScreenInputs, settings: ScreenSettings, *, engines: Engines) -> ScreenOutputs:
    """Facts of each crystal and whether it passes; a crystal without a symmetry is refused."""
    facts, refusals = [], []
    for done, item in enumerate(inputs.items, start=1):
        try:
            facts.append(_facts(item, settings))
        except Rejected as rejected:
            refusals.append(Refusal(item.id, rejected.reason, str(rejected)))
        engines.progress(done, len(inputs.items), "crystals screened")
    return ScreenOutputs(tuple(facts), tuple(refusals))


def _facts(item: Item, settings: ScreenSettings) -> SymmetryFacts:
    found = find_symmetry(item.crystal, symprec=settings.symprec, angle_tolerance=settings.angle_tolerance)
    reason = _missed(found, settings)
    return SymmetryFacts(
        id=item.id,
        number=found.number,
        symbol=found.symbol,
        point_group=found.point_group,
        operations=found.operations,
        n_primitive=found.primitive.n_atoms,
        crystal_system=found.crystal_system,
        wyckoff=found.wyckoff,
        primitive=found.primitive,
        conventional=found.conventional,
        dimensionality=dimensionality(found.primitive),
        passes=not reason,
        reason=reason,
    )


def _missed(found: Symmetry, settings: ScreenSettings) -> str:
    missed = []
    if found.primitive.n_atoms > settings.max_atoms:
        missed.append(f"{found.primitive.n_atoms} atoms in the primitive cell, at most {settings.max_atoms} are wanted")
    if found.operations < settings.min_operations:
        missed.append(f"{found.operations} symmetry operations, at least {settings.min_operations} are wanted")
    return "; ".join(missed)
