"""κ_L and phonons from a folder of force sets that were made elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from phono3py import Phono3py
from phonopy import Phonopy
from phonopy.file_IO import write_force_constants_to_hdf5

from kappakit.conductivity import RTA
from kappakit.convergence import SPACING
from kappakit.displacements import crystal_of
from kappakit.force_constants import harmonic_residuals, produce
from kappakit.force_files import has_third_order, read_harmonic, read_third_order
from kappakit.meshes import given_mesh
from kappakit.phonons import Sampling
from kappakit.ports import Engines
from kappakit.protocol import ConductivitySettings
from kappakit.stages.contracts import ConductivityOutputs, ForceSetInputs, Residuals
from kappakit.stages.kappa_results import (
    ENGINE_VERSION,
    FC2,
    NO_KAPPA,
    LbteChoice,
    Solutions,
    Stopwatch,
    equation_of,
    harmonic_of,
    nac_word,
    phonons_of,
    with_lbte,
    write_files,
)
from kappakit.stages.mesh_refinement import BoltzmannEquation, Refined, refine, repeat

NO_THIRD_ORDER = "no third-order forces: phonons only"
PHONOPY_YAML = "phonopy.yaml"


def run(inputs: ForceSetInputs, settings: ConductivitySettings, *, engines: Engines) -> ConductivityOutputs:
    """κ_L by RTA and, if asked, LBTE at the given temperatures; phonons alone where only FORCE_SETS is given.

    Raises InputError for a folder that holds no force sets or such as do not fit together.
    """
    folder = Path(inputs.folder)
    if has_third_order(folder):
        wanted = Wanted(folder.name, inputs.mesh, inputs.temperatures, inputs.lbte)
        return third_order(read_third_order(folder), wanted, settings, engines)
    return second_order(read_harmonic(folder), folder.name, sampling(inputs.mesh, settings), settings)


@dataclass(frozen=True)
class Wanted:
    """Of the Boltzmann equation: `mesh` three numbers, one length in Å or () for the settings' own; temperatures K
    (none: the settings' own), LBTE too; `id` of the crystal."""

    id: str
    mesh: tuple[float, ...] = ()
    temperatures: tuple[float, ...] = ()
    lbte: bool = False


def sampling(mesh: Sequence[float], settings: ConductivitySettings) -> Sampling:
    """phonopy's mesh for the density of states: the three numbers asked for, or a length in Å."""
    if len(mesh) == 3:
        return [int(number) for number in mesh]
    return mesh[0] if mesh else settings.mesh_length


def third_order(
    calculation: Phono3py, wanted: Wanted, settings: ConductivitySettings, engines: Engines
) -> ConductivityOutputs:
    """Phonons and κ_L of a calculation that holds its forces; writes its files into the current folder.

    A mesh of three numbers is taken as it is; a length is tested for convergence and refined.
    """
    watch = Stopwatch()
    left = produce(calculation, settings.fc3_cutoff)
    phonons = phonons_of(harmonic_of(calculation), sampling(wanted.mesh, settings), settings.imaginary_tolerance)
    primitive = crystal_of(calculation.primitive)
    temperatures = tuple(sorted({*wanted.temperatures} or {settings.temperature}))
    equation = equation_of(calculation, settings, engines.interactions(settings.interaction), engines.progress)
    solutions = Solutions(notes=(NO_KAPPA,))
    if not phonons.imaginary:
        rta = _rta(equation, wanted.mesh, temperatures)
        solutions = with_lbte(equation, rta, _chosen(temperatures if wanted.lbte else ()))
    return ConductivityOutputs(
        id=wanted.id,
        primitive=primitive,
        verdict=phonons.verdict,
        bands=phonons.bands,
        dos=phonons.dos,
        tensors=solutions.tensors,
        modes=solutions.modes,
        residuals=Residuals(left.asr_fc2, left.asr_fc3, left.permutation_fc2, left.permutation_fc3, 0.0),
        notes=solutions.notes,
        nac=nac_word(primitive, born=calculation.nac_params is not None),
        files=write_files(calculation),
        engine_version=ENGINE_VERSION,
        seconds=watch.seconds,
    )


def _rta(equation: BoltzmannEquation, mesh: Sequence[float], temperatures: Sequence[float]) -> Refined:
    if len(mesh) == 3:
        numbers = [int(number) for number in mesh]
        return repeat(equation, RTA, [given_mesh(equation.calculation, numbers)], temperatures)
    if mesh:
        settings = replace(equation.settings, mesh_rule=SPACING, mesh_length=mesh[0])
        equation = replace(equation, settings=settings)
    return refine(equation, temperatures, lambda: math.inf)


def second_order(phonopy: Phonopy, key: str, mesh: Sampling, settings: ConductivitySettings) -> ConductivityOutputs:
    """Phonons of a calculation that holds its force constants; writes its files into the current folder."""
    watch = Stopwatch()
    phonons = phonons_of(phonopy, mesh, settings.imaginary_tolerance)
    primitive = crystal_of(phonopy.primitive)
    fc2 = np.asarray(phonopy.force_constants)
    sum_rule, permutation = harmonic_residuals(fc2, phonopy.primitive)
    write_force_constants_to_hdf5(fc2, filename=FC2, p2s_map=phonopy.primitive.p2s_map)
    phonopy.save(PHONOPY_YAML, settings={"force_sets": True, "displacements": True})
    return ConductivityOutputs(
        id=key,
        primitive=primitive,
        verdict=phonons.verdict,
        bands=phonons.bands,
        dos=phonons.dos,
        tensors=(),
        modes=None,
        residuals=Residuals(sum_rule, 0.0, permutation, 0.0, 0.0),
        notes=(NO_THIRD_ORDER,),
        nac=nac_word(primitive, born=phonopy.nac_params is not None),
        files={"phonopy_yaml": PHONOPY_YAML, "fc2": FC2},
        engine_version=ENGINE_VERSION,
        seconds=watch.seconds,
    )


def _chosen(temperatures: Sequence[float]) -> LbteChoice:
    return lambda largest, step: (temperatures, "")
