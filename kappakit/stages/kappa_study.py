"""κ_L of one crystal for one value of a convergence study: RTA on the one mesh of the settings' length."""

from __future__ import annotations

from kappakit.conductivity import RTA, nearest, temperatures_with
from kappakit.convergence import Mesh, rows_of
from kappakit.displacements import counts, undisplaced
from kappakit.meshes import irreducible_points, mesh_of
from kappakit.ports import Engines
from kappakit.protocol import ConductivitySettings
from kappakit.stages.conductivity import BOLTZMANN, PHONONS
from kappakit.stages.contracts import PhononVerdict, StudyInputs, StudyOutputs
from kappakit.stages.kappa_results import (
    ENGINE_VERSION,
    NO_KAPPA,
    Stopwatch,
    equation_of,
    fit_notes,
    force_constants_timed,
    harmonic_of,
    phonons_of,
)
from kappakit.stages.mesh_refinement import BoltzmannEquation, repeat


def run(inputs: StudyInputs, settings: ConductivitySettings, *, engines: Engines) -> StudyOutputs:
    """Force constants, phonons and, where no mode is imaginary, RTA. A mesh that is too large is refused first.

    Each point computes its own force constants, also where a study of the mesh would have the same for all: points do
    not depend on one another, and forces take a small part of the time.
    """
    watch = Stopwatch()
    potential = engines.potential(inputs.potential)
    mesh = mesh_of(undisplaced(inputs.primitive, settings), settings, settings.mesh_length)
    calculation, fit = force_constants_timed(inputs.primitive, settings, potential, engines.progress, watch)
    phonons = phonons_of(harmonic_of(calculation), settings.mesh_length, settings.imaginary_tolerance)
    watch.part(PHONONS)
    equation = equation_of(calculation, settings, engines.interactions(settings.interaction), engines.progress)
    principal, uvw, note = ((), (), NO_KAPPA) if phonons.imaginary else _solved(equation, mesh)
    watch.part(BOLTZMANN)
    asked = counts(calculation)
    return StudyOutputs(
        id=inputs.id,
        principal=principal,
        uvw=uvw,
        mesh=mesh,
        irreducible=irreducible_points(calculation, mesh),
        supercell=rows_of(calculation.supercell_matrix),
        supercells=asked.fc3 + asked.fc2 + asked.perfect,
        atoms_per_supercell=asked.atoms_fc3,
        evaluations=fit.evaluations,
        dynamical=phonons.verdict.dynamical,
        lowest=_lowest(phonons.verdict),
        note="; ".join([*fit_notes(fit), *([note] if note else [])]),
        engine_version=f"{ENGINE_VERSION}, {equation.interactions.version}, {potential.version}",
        parts=watch.parts,
        seconds=watch.seconds,
    )


def _solved(equation: BoltzmannEquation, mesh: Mesh) -> tuple[tuple[float, ...], tuple[str, ...], str]:
    """(principal values at the ranked temperature, their directions, remarks)."""
    temperature = equation.settings.temperature
    found = repeat(equation, RTA, [mesh], temperatures_with(temperature))
    note = "; ".join(found.notes)
    if found.tensor is None:
        return (), (), note
    row = found.tensor.principal[nearest(found.tensor.temperatures, temperature)]
    return tuple(float(value) for value in row), found.tensor.uvw, note


def _lowest(verdict: PhononVerdict) -> float:
    return min(verdict.lowest_commensurate, verdict.lowest_mesh, verdict.lowest_path)
