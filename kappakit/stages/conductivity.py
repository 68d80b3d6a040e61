"""κ_L of one crystal from a potential: force constants, phonons, and the Boltzmann equation where they are real."""

from __future__ import annotations

from collections.abc import Sequence

from phono3py import Phono3py

from kappakit.conductivity import temperatures_with, threads
from kappakit.displacements import SYMPREC, displaced, evaluate_displacements, measured_force_noise
from kappakit.errors import Rejected
from kappakit.estimates import cost
from kappakit.force_constants import produce
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
    conductivities,
    harmonic_of,
    nac_word,
    phonons_of,
    write_files,
)
from kappakit.symmetry import find_symmetry


def run(inputs: ConductivityInputs, settings: ConductivitySettings, *, engines: Engines) -> ConductivityOutputs:
    """FC2 and FC3 by finite displacements, then phonons; RTA and perhaps LBTE unless a mode is imaginary."""
    watch = Stopwatch()
    potential = engines.potential(inputs.potential)
    calculation = displaced(inputs.primitive, settings)
    evaluate_displacements(calculation, potential, engines.progress)
    noise = measured_force_noise(calculation, potential)
    left = produce(calculation)
    phonons = phonons_of(harmonic_of(calculation), inputs.mesh, settings.imaginary_tolerance)
    solutions = _solutions(inputs, settings, calculation, phonons, engines)
    return ConductivityOutputs(
        id=inputs.id,
        primitive=inputs.primitive,
        verdict=phonons.verdict,
        bands=phonons.bands,
        dos=phonons.dos,
        tensors=solutions.tensors,
        modes=solutions.modes,
        residuals=Residuals(left.asr_fc2, left.asr_fc3, left.permutation_fc2, left.permutation_fc3, noise),
        notes=(*_symmetry_notes(inputs), *solutions.notes),
        nac=nac_word(inputs.primitive, born=False),
        files=write_files(calculation),
        engine_version=f"{ENGINE_VERSION}, {potential.version}",
        seconds=watch.seconds,
    )


def lbte_choice(inputs: ConductivityInputs, settings: ConductivitySettings, calculation: Phono3py) -> LbteChoice:
    """Decides on LBTE once RTA is done: which temperatures fit into the time allowed, judged by RTA's own time.

    'auto' asks for a three-dimensional crystal whose RTA reaches the protocol's limit. Where κ_L(T) does not fit, the
    ranked temperature alone is tried; where that does not fit either, none and a note.
    """
    ranked = settings.temperature
    temperatures = temperatures_with(ranked)

    def choose(largest: float, rta_seconds: float) -> tuple[Sequence[float], str]:
        if inputs.lbte == "no" or (inputs.lbte == "auto" and not _wants_lbte(inputs, settings, largest)):
            return (), ""
        for wanted in (temperatures, (ranked,)):
            minutes = _expected_minutes(calculation, inputs, len(wanted), rta_seconds)
            if minutes <= inputs.lbte_max_minutes:
                return wanted, ""
        return (), f"LBTE expected to take {minutes:.1f} min, more than the {inputs.lbte_max_minutes:g} min allowed"

    return choose


def _wants_lbte(inputs: ConductivityInputs, settings: ConductivitySettings, largest: float) -> bool:
    return inputs.dimensionality == 3 and largest >= settings.lbte_above


def _expected_minutes(
    calculation: Phono3py, inputs: ConductivityInputs, temperatures: int, rta_seconds: float
) -> float:
    """Expected LBTE time, scaled by how RTA's measured time compares with its own estimate on this machine."""
    expected = cost(calculation, inputs.mesh, temperatures=temperatures, threads=threads())
    return expected.lbte_seconds * (rta_seconds / expected.rta_seconds) / 60


def _solutions(
    inputs: ConductivityInputs,
    settings: ConductivitySettings,
    calculation: Phono3py,
    phonons: Phonons,
    engines: Engines,
) -> Solutions:
    if phonons.imaginary:
        return Solutions(notes=(NO_KAPPA,))
    return conductivities(
        calculation,
        inputs.mesh,
        temperatures_with(settings.temperature),
        settings,
        lbte_choice(inputs, settings, calculation),
        engines.progress,
    )


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
