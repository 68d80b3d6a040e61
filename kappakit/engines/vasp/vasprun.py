"""The gate of every VASP result: a vasprun.xml becomes a DftResult only where it is whole and what was asked.

pymatgen reads it: it raises on a file that is cut off, where ASE's reader takes what is there without complaint.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.io.vasp.outputs import UnconvergedVASPWarning, Vasprun

from kappakit.crystals import Crystal
from kappakit.dft import RELAX, DftTask, k_mesh, method_digest, method_of
from kappakit.engines.vasp.differences import (
    NOT_CONVERGED,
    Difference,
    crystal_of,
    differences,
    matching,
    mesh_of,
    stress_of,
    tags,
)
from kappakit.engines.vasp.scan import outline
from kappakit.errors import InputError
from kappakit.ports import DftResult
from kappakit.vasp_files import Layout, layout

READER_ERRORS = (ArithmeticError, AssertionError, AttributeError, LookupError, SyntaxError, TypeError, ValueError)
"""What pymatgen raises on XML that is well-formed and no vasprun.xml (lxml's XMLSyntaxError is a SyntaxError)."""


class Differs(InputError):
    """A run that is not what was asked; `differences` as kappakit.engines.vasp.differences lists them."""

    def __init__(self, found: Sequence[Difference]) -> None:
        super().__init__("\n".join(text for _, text in found))
        self.differences = tuple(found)

    @property
    def unconverged(self) -> bool:
        """The right calculation, which did not get there."""
        return all(kind == NOT_CONVERGED for kind, _ in self.differences)


def checked(path: Path, task: DftTask) -> DftResult:
    """The result in the crystal's own order of atoms and lattice vectors.

    Raises InputError for a file that cannot be read whole, and Differs with every difference, one a line, for one that
    answers something else.
    """
    if task.settings.engine != "vasp":
        raise InputError(f"this calculation is asked of {task.settings.engine}, so a vasprun.xml is no answer to it")
    seen = outline(path)
    if not seen.calculations:
        raise InputError("the file holds no calculation: VASP stopped before its first energy")
    try:
        run = _read(path)
        found = differences(run, seen, task)
        if found:
            raise Differs(found)
        return _result(run, task)
    except READER_ERRORS as error:
        raise InputError(f"this is no whole vasprun.xml: {type(error).__name__}: {error}") from error


def _read(path: Path) -> Vasprun:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnconvergedVASPWarning)
        return Vasprun(str(path), parse_dos=False, parse_potcar_file=False, exception_on_bad_xml=True)


def _result(run: Vasprun, task: DftTask) -> DftResult:
    last = run.ionic_steps[-1]
    place = layout(task.crystal)
    order = _order(run, task, place)
    free, sigma0 = _energies(last)
    method = method_of(task.settings, engine_version=run.vasp_version.strip(), paw=_paw(run))
    crystal = _returned(crystal_of(last["structure"]), task.crystal, order, place)
    forces, stress = np.asarray(last["forces"], dtype=float)[order], stress_of(last)
    if not all(np.isfinite(values).all() for values in (free, sigma0, forces, stress)):
        raise ValueError("an energy, a force or a stress is not a finite number")
    mesh = mesh_of(run) or (0, 0, 0)
    return DftResult(
        crystal=crystal,
        energy=free,
        energy_sigma0=sigma0,
        forces=forces,
        stress=stress,
        k_mesh=(mesh[place.axes[0]], mesh[place.axes[1]], mesh[place.axes[2]]),
        method=method,
        method_sha256=method_digest(method),
        version=_version(run),
        iterations=len(last["electronic_steps"]),
        steps=len(run.ionic_steps) - 1,
        magnetic_moment=_magnetic_moment(run),
        gap=_gap(run),
        notes=_notes(run, task),
    )


def _order(run: Vasprun, task: DftTask, place: Layout) -> np.ndarray:
    """(n,) the file's index of each atom of the crystal."""
    in_file = matching(place.written(task.crystal), crystal_of(run.initial_structure))
    if in_file is None:
        raise ValueError("the atoms cannot be told apart")
    order = np.empty_like(in_file)
    order[place.atoms] = in_file
    return order


def _returned(end: Crystal, asked: Crystal, order: np.ndarray, place: Layout) -> Crystal:
    """The end in the order of `asked`, each atom in the image nearest to where it began."""
    axes = list(place.axes)
    frac = end.frac[order][:, axes]
    return Crystal(end.cell[axes], frac - np.round(frac - asked.frac), asked.numbers)


def _energies(step: dict[str, Any]) -> tuple[float, float]:
    """Free energy and that for σ → 0, eV. The latter is wrong in the block of an ionic step of VASP 5 (there it is
    the entropy's), and right in the last electronic step, which lacks corrections: so the difference is taken there."""
    free, electronic = float(step["e_fr_energy"]), step["electronic_steps"][-1]
    return free, free + float(electronic["e_0_energy"]) - float(electronic["e_fr_energy"])


def _paw(run: Vasprun) -> str:
    return "; ".join(sorted(run.potcar_symbols))


def _version(run: Vasprun) -> str:
    build = str(run.generator.get("subversion", "")).split()
    return f"VASP {run.vasp_version.strip()}" + (f" ({build[0]})" if build else "")


def _levels(run: Vasprun) -> tuple[np.ndarray, np.ndarray]:
    """Energies and occupations, each (spins, k points, bands); energies in eV."""
    by_spin = run.eigenvalues or {}
    both = np.array([by_spin[spin] for spin in sorted(by_spin, key=int, reverse=True)])
    return both[..., 0], both[..., 1]


def _magnetic_moment(run: Vasprun) -> float | None:
    """Of the cell, μ_B, from the occupations (vasprun.xml has no total); None without spin."""
    if not run.eigenvalues or tags(run).get("ISPIN", 1) != 2:
        return None
    _, occupations = _levels(run)
    by_point = (occupations[0] - occupations[1]).sum(axis=1)
    return float(by_point @ np.array(run.actual_kpoints_weights))


def _gap(run: Vasprun) -> float | None:
    """Smallest gap on the mesh, eV, 0.0 for a metal: between the levels that the electrons fill at every k point and
    those above. Occupations would mislead: smearing leaves some above the gap."""
    electrons = round(float(tags(run).get("NELECT", 0.0)))
    if not run.eigenvalues or not electrons:
        return None
    energies, _ = _levels(run)
    levels = np.concatenate([energies[0], energies[-1]], axis=1)
    levels.sort(axis=1)
    if levels.shape[1] <= electrons:
        return None
    return max(0.0, float(levels[:, electrons].min() - levels[:, electrons - 1].max()))


def _notes(run: Vasprun, task: DftTask) -> tuple[str, ...]:
    notes = []
    if float(tags(run)["EDIFF"]) < task.settings.energy_tolerance * 0.999:
        notes.append(f"EDIFF was {tags(run)['EDIFF']:g} eV, tighter than asked")
    if mesh_of(run) != k_mesh(layout(task.crystal).written(task.crystal).cell, task.settings.k_spacing):
        notes.append("the k mesh was denser than asked")
    if task.task == RELAX:
        notes.append("plane waves and k mesh are those of the first cell, as VASP keeps them in a relaxation")
    return tuple(notes)
