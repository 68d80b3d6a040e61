"""The supercells that a validation by DFT computes, and what both of its parts take."""

from __future__ import annotations

from phono3py import Phono3py
from phonopy import Phonopy

from kappakit.crystals import Crystal
from kappakit.displacements import crystal_of, displaced
from kappakit.errors import InputError, Rejected
from kappakit.ports import Engines
from kappakit.protocol import ConductivitySettings
from kappakit.stages.contracts import (
    ANHARMONIC,
    HARMONIC,
    PartSize,
    ValidationCellsInputs,
    ValidationCellsOutputs,
)
from kappakit.stages.kappa_plan import relaxed_primitive
from kappakit.supercells import asked_supercells, displaced_harmonic, forces_may_remain
from kappakit.symmetry import Symmetry, find_symmetry


def run(inputs: ValidationCellsInputs, settings: ConductivitySettings, *, engines: Engines) -> ValidationCellsOutputs:
    """Standardise (and relax, where a potential is given), displace, count.

    Raises InputError for a crystal that has no symmetry or does not relax.
    """
    try:
        found, energy = _cell(inputs, settings, engines)
    except Rejected as refused:
        raise InputError(f"it cannot be displaced: {refused}") from refused
    primitive = found.primitive
    calculations = {
        HARMONIC: displaced_harmonic(primitive, inputs.repeats, inputs.displacement),
        ANHARMONIC: displaced(primitive, settings),
    }
    chosen = calculations[inputs.part]
    asked = asked_supercells(chosen)
    engines.progress(1, 1, "supercells")
    return ValidationCellsOutputs(
        primitive=primitive,
        number=found.number,
        symbol=found.symbol,
        energy=energy,
        cells=asked.cells,
        labels=asked.labels,
        perfect=forces_may_remain(chosen),
        sizes=tuple(_size(part, calculation) for part, calculation in calculations.items()),
    )


def _cell(
    inputs: ValidationCellsInputs, settings: ConductivitySettings, engines: Engines
) -> tuple[Symmetry, float | None]:
    """The standardised primitive cell, and the potential's energy of it in eV/atom."""
    if inputs.potential is None:
        tolerances = {"symprec": inputs.symprec, "angle_tolerance": inputs.angle_tolerance}
        return find_symmetry(inputs.crystal, **tolerances), None
    potential = engines.potential(inputs.potential)
    relaxed = relaxed_primitive(
        inputs.crystal, potential, settings, symprec=inputs.symprec, angle_tolerance=inputs.angle_tolerance
    )
    return relaxed.after, relaxed.evaluation.energy / relaxed.after.primitive.n_atoms


def _size(part: str, calculation: Phonopy | Phono3py) -> PartSize:
    supercell: Crystal = crystal_of(calculation.supercell)
    return PartSize(part, len(asked_supercells(calculation).cells), supercell)
