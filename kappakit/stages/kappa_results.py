"""From a phono3py calculation that holds its forces to the ConductivityOutputs: shared by the two stages that do so."""

from __future__ import annotations

import lzma
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import phono3py
from phono3py import Phono3py
from phono3py.file_IO import write_fc2_to_hdf5, write_fc3_to_hdf5, write_FORCES_FC2, write_FORCES_FC3

from kappakit.adaptive_force_constants import ForceConstantFit, force_constants
from kappakit.conductivity import LBTE, Conductivity, below_rta, nearest
from kappakit.convergence import MeshStep, convergence
from kappakit.crystals import Crystal
from kappakit.displacements import SYMPREC, crystal_of
from kappakit.errors import Rejected
from kappakit.phonons import (
    IMAGINARY,
    BandPath,
    DynamicalStability,
    Sampling,
    band_path,
    density_of_states,
    harmonic,
    stability,
)
from kappakit.ports import Evaluation, Interactions, Potential, Progress
from kappakit.protocol import ConductivitySettings
from kappakit.stages.contracts import Bands, Dos, Fit, ModeData, PhononVerdict, Tensor
from kappakit.stages.mesh_refinement import BoltzmannEquation, Refined, repeat
from kappakit.symmetry import find_symmetry

ENGINE_VERSION = f"phono3py {phono3py.__version__}"
YAML, FC2, FC3 = "phono3py_disp.yaml", "fc2.hdf5", "fc3.hdf5"
FORCES_FC3, FORCES_FC2 = "FORCES_FC3.xz", "FORCES_FC2.xz"
EXACT_ANGLE = -1.0
"""spglib: angles are judged by the distance tolerance alone."""
NAC_NOT_NEEDED, NAC_MISSING, NAC_INCLUDED = "not needed", "missing", "included"
NO_KAPPA = "imaginary modes: no κ_L was computed"
NOT_FITTED = "the fit to {} random supercells still gets {:.1%} of the forces of those left out wrong"
FORCES, FORCE_CONSTANTS = "forces", "force constants"
TOO_COARSE = "LBTE lies below RTA along a direction: the mesh is too coarse for it"


@dataclass(frozen=True, eq=False)
class Phonons:
    """Harmonic results in the contracts' shapes."""

    bands: Bands
    dos: Dos
    verdict: PhononVerdict

    @property
    def imaginary(self) -> bool:
        return self.verdict.dynamical == IMAGINARY


@dataclass(frozen=True, eq=False)
class Solutions:
    """What the Boltzmann equation gave: one Tensor a method, the modes of RTA, remarks for people."""

    tensors: tuple[Tensor, ...] = ()
    modes: ModeData | None = None
    notes: tuple[str, ...] = ()


LbteChoice = Callable[[float, MeshStep], tuple[Sequence[float], str]]
"""(largest principal κ_L by RTA at the ranked temperature, its last mesh) → (temperatures of LBTE or none, a note)."""


def phonons_of(phonopy: Any, mesh: Sampling, tolerance: float) -> Phonons:
    """Bands, density of states and verdict of a harmonic calculation; `mesh` a length in Å or three numbers."""
    path: BandPath = band_path(phonopy)
    found: DynamicalStability = stability(phonopy, mesh, path, tolerance)
    frequencies, total = density_of_states(phonopy, mesh)
    return Phonons(
        Bands(path.distances, path.frequencies, path.ticks, path.breaks),
        Dos(frequencies, total),
        PhononVerdict(
            found.dynamical, found.lowest_commensurate, found.lowest_mesh, found.lowest_path, found.acoustic_lowest
        ),
    )


def harmonic_of(calculation: Phono3py) -> Any:
    """phonopy's calculation with the FC2 of a phono3py one."""
    matrix = calculation.phonon_supercell_matrix
    return harmonic(
        calculation.unitcell,
        calculation.supercell_matrix if matrix is None else matrix,
        calculation.primitive_matrix,
        calculation.fc2,
        calculation.nac_params,
    )


def equation_of(
    calculation: Phono3py, settings: ConductivitySettings, interactions: Interactions, progress: Progress
) -> BoltzmannEquation:
    """The Boltzmann equation of a calculation that holds its force constants."""
    cell = named_cell(crystal_of(calculation.primitive))
    return BoltzmannEquation(calculation, settings, interactions, cell, progress)


def with_lbte(equation: BoltzmannEquation, rta: Refined, lbte: LbteChoice) -> Solutions:
    """RTA's tensor, and LBTE on its last two meshes where `lbte` chooses it."""
    if rta.tensor is None:
        return Solutions(notes=rta.notes)
    modes = ModeData(**vars(rta.modes)) if rta.modes else None
    temperature = equation.settings.temperature
    wanted, note = lbte(largest_principal(rta.tensor, temperature), rta.steps[-1])
    notes = (*rta.notes, note) if note else rta.notes
    if not wanted:
        return Solutions((_tensor_record(rta),), modes, notes)
    full = repeat(equation, LBTE, [step.mesh for step in rta.steps[-2:]], wanted)
    notes = (*notes, *full.notes)
    if full.tensor is None:
        return Solutions((_tensor_record(rta),), modes, notes)
    if below_rta(full.tensor, rta.tensor, temperature):
        notes = (*notes, TOO_COARSE)
    return Solutions((_tensor_record(rta), _tensor_record(full)), modes, notes)


def largest_principal(found: Conductivity, temperature: float) -> float:
    """W/(m·K) at the temperature nearest to the given one."""
    return float(found.principal[nearest(found.temperatures, temperature), 0])


def named_cell(primitive: Crystal) -> np.ndarray:
    """(3, 3) Å: lattice vectors of the conventional cell in the primitive cell's own axes, which [uvw] counts.

    The cell itself where the conventional one is turned against it (a cell that was not standardised).
    """
    try:
        conventional = find_symmetry(primitive, symprec=SYMPREC, angle_tolerance=EXACT_ANGLE).conventional.cell
    except Rejected:
        return primitive.cell
    counted = np.linalg.solve(conventional.T, primitive.cell.T) * 6
    return conventional if np.allclose(counted, np.rint(counted), atol=1e-3) else primitive.cell


def nac_word(primitive: Crystal, *, born: bool) -> str:
    """The non-analytical correction of polar crystals: 'included', 'missing' or 'not needed' (one element)."""
    if born:
        return NAC_INCLUDED
    return NAC_NOT_NEEDED if len(primitive.composition) == 1 else NAC_MISSING


def write_files(calculation: Phono3py) -> dict[str, str]:
    """Write what another phono3py reads, into the current folder; kind → path."""
    calculation.save(YAML, settings={"force_sets": False, "displacements": True})
    files = {"phono3py_yaml": YAML, "fc2": FC2, "fc3": FC3, "forces": FORCES_FC3}
    write_fc2_to_hdf5(calculation.fc2, filename=FC2, p2s_map=calculation.phonon_primitive.p2s_map)
    write_fc3_to_hdf5(
        calculation.fc3,
        fc3_nonzero_indices=calculation.fc3_nonzero_indices,
        filename=FC3,
        p2s_map=calculation.primitive.p2s_map,
    )
    write_FORCES_FC3(calculation.dataset)
    _compress("FORCES_FC3", FORCES_FC3)
    if calculation.phonon_dataset is not None:
        write_FORCES_FC2(calculation.phonon_dataset)
        _compress("FORCES_FC2", FORCES_FC2)
        files["forces_fc2"] = FORCES_FC2
    return files


def _compress(source: str, target: str) -> None:
    """phono3py writes random displacements under its own file name alone."""
    with open(source, "rb") as plain, lzma.open(target, "wb") as stream:
        shutil.copyfileobj(plain, stream)
    Path(source).unlink()


def _tensor_record(found: Refined) -> Tensor:
    return Tensor(**vars(found.tensor), steps=found.steps, convergence=convergence(found.steps))


def force_constants_timed(
    primitive: Crystal, settings: ConductivitySettings, potential: Potential, progress: Progress, watch: Stopwatch
) -> tuple[Phono3py, ForceConstantFit]:
    """Displace, evaluate, solve or fit; the watch is told of the forces and of the rest."""
    evaluated: Any = _Timed(potential)
    calculation, fit = force_constants(primitive, settings, evaluated, progress)
    watch.part(FORCE_CONSTANTS)
    watch.moved(FORCE_CONSTANTS, FORCES, evaluated.seconds)
    return calculation, fit


def fit_record(fit: ForceConstantFit, settings: ConductivitySettings) -> Fit:
    """What is kept of a fit: the last of its checks."""
    if not fit.checks:
        return Fit(settings.displacements, fit.supercells)
    last = fit.checks[-1]
    return Fit(settings.displacements, fit.supercells, fit.unknowns, last.part, last.error, last.change)


def fit_notes(fit: ForceConstantFit) -> tuple[str, ...]:
    """A remark where the last check did not pass."""
    last = fit.checks[-1] if fit.checks else None
    return () if last is None or last.passed else (NOT_FITTED.format(last.supercells, last.error),)


class _Timed:
    """A potential whose evaluations are timed; nothing else of it is asked for."""

    def __init__(self, potential: Potential) -> None:
        self._potential = potential
        self.seconds = 0.0

    def evaluate(self, crystals: Sequence[Crystal]) -> list[Evaluation]:
        start = perf_counter()
        found = self._potential.evaluate(crystals)
        self.seconds += perf_counter() - start
        return found


class Stopwatch:
    """Seconds since it was made, and of the parts that it was told of."""

    def __init__(self) -> None:
        self._start = self._lap = perf_counter()
        self.parts: dict[str, float] = {}

    def part(self, name: str) -> None:
        """What was done since the last part, or since the start, was `name`."""
        now = perf_counter()
        self.parts[name] = self.parts.get(name, 0.0) + now - self._lap
        self._lap = now

    def moved(self, source: str, target: str, seconds: float) -> None:
        """`seconds` of one part belong to another, which stands first."""
        self.parts = {target: self.parts.get(target, 0.0) + seconds, **self.parts}
        self.parts[source] -= seconds

    @property
    def seconds(self) -> float:
        return perf_counter() - self._start
