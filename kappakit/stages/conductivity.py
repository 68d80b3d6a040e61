"""κ_L of one crystal from a potential: force constants, phonons, and the Boltzmann equation where they are real."""

from __future__ import annotations

from collections.abc import Sequence

from kappakit.conductivity import temperatures_with, threads
from kappakit.convergence import MeshStep
from kappakit.displacements import SYMPREC, measured_force_noise
from kappakit.errors import Rejected
from kappakit.estimates import cost
from kappakit.meshes import grid_of
from kappakit.ports import Engines
from kappakit.protocol import ConductivitySettings
from kappakit.stages.contracts import ConductivityInputs, ConductivityOutputs, Residuals
from kappakit.stages.kappa_results import (
    ENGINE_VERSION,
    EXACT_ANGLE,
    NO_KAPPA,
    LbteChoice,
    Phonons,
    Solutions,
    Stopwatch,
    equation_of,
    fit_notes,
    fit_record,
    force_constants_timed,
    harmonic_of,
    nac_word,
    phonons_of,
    with_lbte,
    write_files,
)
from kappakit.stages.mesh_refinement import BoltzmannEquation, refine
from kappakit.symmetry import find_symmetry

PHONONS, BOLTZMANN = "phonons", "Boltzmann equation"


def run(inputs: ConductivityInputs, settings: ConductivitySettings, *, engines: Engines) -> ConductivityOutputs:
    """FC2 and FC3 by finite displacements, then phonons; RTA on a mesh that a test finds long enough, and perhaps LBTE,
    unless a mode is imaginary."""
    watch = Stopwatch()
    potential = engines.potential(inputs.potential)
    calculation, fit = force_constants_timed(inputs.primitive, settings, potential, engines.progress, watch)
    left, noise = fit.residuals, measured_force_noise(calculation, potential)
    phonons = phonons_of(harmonic_of(calculation), settings.mesh_length, settings.imaginary_tolerance)
    watch.part(PHONONS)
    equation = equation_of(calculation, settings, engines.interactions(settings.interaction), engines.progress)
    solutions = _solutions(inputs, equation, phonons, watch)
    watch.part(BOLTZMANN)
    return ConductivityOutputs(
        id=inputs.id,
        primitive=inputs.primitive,
        verdict=phonons.verdict,
        bands=phonons.bands,
        dos=phonons.dos,
        tensors=solutions.tensors,
        modes=solutions.modes,
        residuals=Residuals(left.asr_fc2, left.asr_fc3, left.permutation_fc2, left.permutation_fc3, noise),
        notes=(*_symmetry_notes(inputs), *fit_notes(fit), *solutions.notes),
        nac=nac_word(inputs.primitive, born=False),
        files=write_files(calculation),
        engine_version=f"{ENGINE_VERSION}, {equation.interactions.version}, {potential.version}",
        seconds=watch.seconds,
        parts=watch.parts,
        fit=fit_record(fit, settings),
    )


def lbte_choice(inputs: ConductivityInputs, equation: BoltzmannEquation, watch: Stopwatch) -> LbteChoice:
    """Decides on LBTE once RTA is done: which temperatures fit into the time left, judged by RTA's own time.

    'auto' asks for a three-dimensional crystal whose RTA reaches the protocol's limit. Where κ_L(T) does not fit, the
    ranked temperature alone is tried; where that does not fit either, none and a note.
    """
    settings = equation.settings
    temperatures = temperatures_with(settings.temperature)

    def choose(largest: float, step: MeshStep) -> tuple[Sequence[float], str]:
        if inputs.lbte == "no" or (inputs.lbte == "auto" and not _wants_lbte(inputs, settings, largest)):
            return (), ""
        left = inputs.minutes - watch.seconds / 60
        for wanted in (temperatures, (settings.temperature,)):
            minutes = _expected_minutes(equation, step, len(wanted))
            if minutes <= left:
                return wanted, ""
        return (), f"LBTE expected to take {minutes:.1f} min, more than the {max(left, 0.0):.1f} min left"

    return choose


def _wants_lbte(inputs: ConductivityInputs, settings: ConductivitySettings, largest: float) -> bool:
    return inputs.dimensionality == 3 and largest >= settings.lbte_above


def _expected_minutes(equation: BoltzmannEquation, step: MeshStep, temperatures: int) -> float:
    """Expected LBTE time on a mesh, scaled by how RTA measured there compares with its own estimate."""
    expected = cost(equation.calculation, grid_of(step.mesh), temperatures=temperatures, threads=threads())
    return expected.lbte_seconds * (step.seconds / expected.rta_seconds) / 60


def _solutions(
    inputs: ConductivityInputs, equation: BoltzmannEquation, phonons: Phonons, watch: Stopwatch
) -> Solutions:
    if phonons.imaginary:
        return Solutions(notes=(NO_KAPPA,))
    temperatures = temperatures_with(equation.settings.temperature)
    rta = refine(equation, temperatures, lambda: 60 * inputs.minutes - watch.seconds)
    return with_lbte(equation, rta, lbte_choice(inputs, equation, watch))


def _symmetry_notes(inputs: ConductivityInputs) -> tuple[str, ...]:
    """A remark where the cell has more symmetry at the screen's tolerance than the calculation could use."""
    try:
        loose = find_symmetry(inputs.primitive, symprec=inputs.symprec, angle_tolerance=EXACT_ANGLE)
        exact = find_symmetry(inputs.primitive, symprec=SYMPREC, angle_tolerance=EXACT_ANGLE)
    except Rejected as refused:
        return (str(refused),)
    if loose.number == exact.number:
        return ()
    return (f"{loose.symbol} at {inputs.symprec:g} Å, but calculated as {exact.symbol}, its symmetry at {SYMPREC:g} Å",)
