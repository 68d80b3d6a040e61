"""Phonons, and κ_L of the anharmonic part, from the forces of somebody else's calculations, beside the potential's."""

from __future__ import annotations

from typing import Any

import numpy as np
from phonopy import Phonopy

from kappakit.conductivity import temperatures_with
from kappakit.crystals import Crystal
from kappakit.displacements import displaced, supercell_matrices
from kappakit.errors import Rejected
from kappakit.force_constants import solve_second_order
from kappakit.phonons import band_path, deviation, frequencies_at
from kappakit.ports import Engines, Potential
from kappakit.protocol import ConductivitySettings
from kappakit.stages.contracts import (
    ANHARMONIC,
    Bands,
    ConductivityOutputs,
    ValidateInputs,
    ValidateOutputs,
)
from kappakit.stages.force_sets import Wanted, second_order, third_order
from kappakit.stages.kappa_results import harmonic_of
from kappakit.supercells import asked_supercells, displaced_harmonic, forces_return
from kappakit.symmetry import find_symmetry

SYMPREC, ANGLE = 0.01, -1.0
"""Å; spglib judges angles by the distance tolerance alone. Two relaxed cells of one structure agree far better."""
ALIKE = 0.1
"""Largest relative difference of lengths, and of angles, at which the axes of two cells still correspond."""


def run(inputs: ValidateInputs, settings: ConductivitySettings, *, engines: Engines) -> ValidateOutputs:
    """Raises InputError for forces that are not those of the supercells."""
    by_dft, result = _by_dft(inputs, settings, engines)
    same = _one_structure(inputs.primitive, inputs.reference)
    overlay, apart = None, None
    if same and _alike(inputs.primitive, inputs.reference):
        potential = engines.potential(inputs.potential)
        overlay, apart = _beside(by_dft, _by_potential(inputs, settings, potential))
    verdict = result.verdict
    lowest = min(verdict.lowest_commensurate, verdict.lowest_mesh, verdict.lowest_path)
    return ValidateOutputs(result, overlay, apart, lowest, same)


def _by_dft(
    inputs: ValidateInputs, settings: ConductivitySettings, engines: Engines
) -> tuple[Any, ConductivityOutputs]:
    """(phonopy's calculation with its force constants, everything that follows from the forces)."""
    computed = [(cell.crystal, cell.forces) for cell in inputs.forces]
    if inputs.part == ANHARMONIC:
        third = displaced(inputs.primitive, settings)
        forces_return(third, computed, asked_supercells(third))
        temperatures = inputs.temperatures or tuple(temperatures_with(settings.temperature))
        wanted = Wanted(inputs.id, (), temperatures, inputs.lbte)
        result = third_order(third, wanted, settings, engines)
        return harmonic_of(third), result
    second = displaced_harmonic(inputs.primitive, inputs.repeats, inputs.displacement)
    forces_return(second, computed, asked_supercells(second))
    solve_second_order(second)
    return second, second_order(second, inputs.id, settings.mesh_length, settings)


def _by_potential(inputs: ValidateInputs, settings: ConductivitySettings, potential: Potential) -> Phonopy:
    """The potential's own phonons on its own cell, by the same supercell and displacement."""
    supercell: int | np.ndarray = inputs.repeats
    length = inputs.displacement
    if inputs.part == ANHARMONIC:
        _, supercell = supercell_matrices(inputs.reference, settings)
        length = settings.displacement
    calculation = displaced_harmonic(inputs.reference, supercell, length)
    asked = asked_supercells(calculation)
    found = potential.evaluate(asked.cells)
    computed = [(cell, evaluation.forces) for cell, evaluation in zip(asked.cells, found, strict=True)]
    forces_return(calculation, computed, asked)
    solve_second_order(calculation)
    return calculation


def _beside(by_dft: Any, by_potential: Phonopy) -> tuple[Bands, float]:
    """The potential's bands at the wave vectors of DFT's path, and how far apart the two are, THz."""
    path = band_path(by_dft)
    frequencies = frequencies_at(by_potential, path.q_points)
    return Bands(path.distances, frequencies, path.ticks, path.breaks), deviation(path.frequencies, frequencies)


def _one_structure(first: Crystal, second: Crystal) -> bool:
    """Whether both have one space group and as many atoms; what has no symmetry is no structure."""
    try:
        numbers = {find_symmetry(cell, symprec=SYMPREC, angle_tolerance=ANGLE).number for cell in (first, second)}
    except Rejected:
        return False
    return len(numbers) == 1 and first.n_atoms == second.n_atoms


def _alike(first: Crystal, second: Crystal) -> bool:
    shapes = [np.concatenate([cell.lengths, cell.angles]) for cell in (first, second)]
    return bool(np.all(np.abs(shapes[0] / shapes[1] - 1.0) < ALIKE))
