"""What a finished VASP run is held against: each function lists how it differs from what was asked.

A difference is (kind, text): 'input' where another calculation was made, 'not_converged' where the right one did not
get there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from pymatgen.io.vasp.outputs import Vasprun

from kappakit.crystals import Crystal
from kappakit.dft import RELAX, DftTask, k_mesh
from kappakit.engines.vasp.scan import Outline
from kappakit.units import ev_per_a3_from_gpa
from kappakit.vasp_files import FUNCTIONALS, ISMEAR, PAW_FAMILY, layout, paw_names

Difference = tuple[str, str]
INPUT, NOT_CONVERGED = "input", "not_converged"

LENGTH_TOLERANCE = 1e-4
"""Å, of lattice vectors and positions; vasprun.xml has eight decimals."""
TAG_TOLERANCE = 1e-6
PRINTED = 2e-8
"""eV: what two energies of eight decimals differ by through rounding alone."""
KBAR_IN_GPA = 0.1
PAW_TITLES = {"PBE": "PAW_PBE", "LDA": "PAW"}
"""Family of a PAW set → first word of its title."""
PAW_FUNCTIONAL = {"PAW_PBE": "PE", "PAW": "CA", "PAW_GGA": "91"}
"""First word of a PAW set's title → the GGA tag that holds where none is set ('--' in vasprun.xml)."""
DEFAULTS: dict[str, Any] = {"LUSE_VDW": False, "AGGAC": 1.0, "AGGAX": 1.0, "ALDAC": 1.0, "ALDAX": 1.0, "LASPH": False}
"""VASP's own, for tags that an older version does not print."""
OFF: dict[str, Any] = {
    "PSTRESS": 0.0,
    "LDAU": False,
    "LHFCALC": False,
    "LMETAGGA": False,
    "IVDW": 0,
    "LNONCOLLINEAR": False,
    "LSORBIT": False,
    "LSPIN_VDW": False,
    "LDIPOL": False,
    "LEPSILON": False,
    "ML_LMLFF": False,
    "NUPDOWN": -1.0,
    "EFIELD": 0.0,
    "LREAL": False,
}
"""Tags that would give another energy (PSTRESS adds p·V to it) and what they are where nobody sets them."""


def differences(run: Vasprun, seen: Outline, task: DftTask) -> list[Difference]:
    """All of them; empty: the run is what was asked."""
    checks: tuple[Callable[[Vasprun, DftTask], Iterator[Difference]], ...] = (
        _structure,
        _functional,
        _paw,
        _settings,
        _off,
        _k_points,
        _electronic,
        _ionic,
    )
    found = [difference for check in checks for difference in check(run, task)]
    return found + list(_completeness(run, seen))


def tags(run: Vasprun) -> Mapping[str, Any]:
    """What VASP used; of INCAR only what `parameters` does not list."""
    return {**DEFAULTS, **run.incar, **run.parameters}


def matching(asked: Crystal, found: Crystal) -> np.ndarray | None:
    """(n,) index in `found` of each atom of `asked`, both in one cell; None where they are not the same atoms within
    LENGTH_TOLERANCE after whole lattice vectors are taken off."""
    if asked.n_atoms != found.n_atoms or np.abs(asked.cell - found.cell).max() > LENGTH_TOLERANCE:
        return None
    shifts = asked.frac[:, None] - found.frac[None]
    distances = np.linalg.norm((shifts - np.round(shifts)) @ asked.cell, axis=2)
    distances[asked.numbers[:, None] != found.numbers[None]] = np.inf
    nearest: np.ndarray = distances.argmin(axis=1)
    good = distances.min(axis=1).max() <= LENGTH_TOLERANCE and len(set(nearest.tolist())) == asked.n_atoms
    return nearest if good else None


def crystal_of(structure: Any) -> Crystal:
    """A pymatgen Structure as a Crystal."""
    return Crystal(structure.lattice.matrix, structure.frac_coords, np.array(structure.atomic_numbers))


def _structure(run: Vasprun, task: DftTask) -> Iterator[Difference]:
    asked = layout(task.crystal).written(task.crystal)
    found = crystal_of(run.initial_structure)
    if asked.composition != found.composition:
        yield INPUT, f"structure: {found.formula} was computed, {asked.formula} is asked"
        return
    apart = np.abs(asked.cell - found.cell).max()
    if apart > LENGTH_TOLERANCE:
        yield INPUT, f"structure: the lattice vectors differ by up to {apart:.4f} Å"
    elif matching(asked, found) is None:
        yield INPUT, f"structure: atoms stand elsewhere (more than {LENGTH_TOLERANCE:g} Å away)"


def _functional(run: Vasprun, task: DftTask) -> Iterator[Difference]:
    used, functional = tags(run), task.settings.functional
    expected = DEFAULTS | FUNCTIONALS[functional] | {"LASPH": True}
    for name, value in expected.items():
        got = _gga(run) if name == "GGA" else used.get(name)
        if not _same(got, value):
            yield INPUT, f"functional: {name} = {_shown(got)}, {functional} takes {_shown(value)}"
    if "LUSE_VDW" in FUNCTIONALS[functional] and not _same(used.get("ZAB_VDW", -0.8491), -0.8491):
        yield INPUT, f"functional: ZAB_VDW = {used['ZAB_VDW']}, {functional} takes -0.8491"


def _gga(run: Vasprun) -> str:
    tag = str(tags(run).get("GGA", "--")).strip().upper()
    if tag != "--":
        return tag
    families = {title.split()[0] for title in run.potcar_symbols}
    return PAW_FUNCTIONAL.get(families.pop(), "--") if len(families) == 1 else "--"


def _paw(run: Vasprun, task: DftTask) -> Iterator[Difference]:
    family = PAW_TITLES[PAW_FAMILY[task.settings.functional]]
    wanted = [f"{family} {name}" for name in paw_names(task)]
    found = [" ".join(title.split()[:2]) for title in run.potcar_symbols]
    for title in sorted(set(found) - set(wanted)):
        yield INPUT, f"PAW set: {title!r} was taken, asked are {', '.join(wanted)}"


def _settings(run: Vasprun, task: DftTask) -> Iterator[Difference]:
    used, asked = tags(run), task.settings
    cutoff = used.get("ENMAX", used.get("ENCUT"))
    if not _same(cutoff, asked.cutoff):
        yield INPUT, f"cutoff: ENCUT = {_shown(cutoff)} eV, asked is {asked.cutoff:g}"
    if used.get("ISPIN", 1) != (2 if asked.spin else 1):
        yield INPUT, f"spin: ISPIN = {used.get('ISPIN', 1)}, asked is {2 if asked.spin else 1}"
    if used.get("ISMEAR") != ISMEAR[asked.smearing]:
        yield INPUT, f"smearing: ISMEAR = {used.get('ISMEAR')}, asked is {ISMEAR[asked.smearing]} ({asked.smearing})"
    if not _same(used.get("SIGMA"), asked.smearing_width):
        yield INPUT, f"smearing: SIGMA = {_shown(used.get('SIGMA'))} eV, asked is {asked.smearing_width:g}"
    if not str(used.get("PREC", "")).lower().startswith("accura"):
        yield INPUT, f"precision: PREC = {used.get('PREC')}, asked is Accurate"
    if not float(used.get("EDIFF", np.inf)) <= asked.energy_tolerance * (1.0 + TAG_TOLERANCE):
        yield INPUT, f"electronic tolerance: EDIFF = {used.get('EDIFF')}, asked is at most {asked.energy_tolerance:g}"


def _off(run: Vasprun, task: DftTask) -> Iterator[Difference]:
    used = tags(run)
    for name, value in OFF.items():
        if not _same(used.get(name, value), value):
            yield INPUT, f"other physics: {name} = {_shown(used[name])}, asked is {_shown(value)}"
    if "NELECT" in run.incar:
        yield INPUT, f"other physics: the number of electrons is set by hand (NELECT = {run.incar['NELECT']})"


def _k_points(run: Vasprun, task: DftTask) -> Iterator[Difference]:
    axes = list(layout(task.crystal).axes)
    asked = k_mesh(task.crystal.cell[axes], task.settings.k_spacing)
    mesh = mesh_of(run)
    if mesh is None:
        yield INPUT, f"k points: a list instead of a mesh; asked is a Γ-centred mesh of {_mesh(asked)}"
        return
    if any(has < wants for has, wants in zip(mesh, asked, strict=True)):
        yield INPUT, f"k points: a mesh of {_mesh(mesh)}, KSPACING = {task.settings.k_spacing:g} asks {_mesh(asked)}"
    points = np.array(run.actual_kpoints)
    if not (np.abs(points - np.round(points)).max(axis=1) < TAG_TOLERANCE).any():
        yield INPUT, "k points: the mesh is not centred on Γ"


def mesh_of(run: Vasprun) -> tuple[int, int, int] | None:
    """Divisions of the k mesh along the file's own lattice vectors; None for a list of points."""
    kpoints = run.kpoints.kpts
    if len(kpoints) != 1 or len(kpoints[0]) != 3 or not all(isinstance(n, int) and n > 0 for n in kpoints[0]):
        return None
    first, second, third = kpoints[0]
    return first, second, third


def _electronic(run: Vasprun, task: DftTask) -> Iterator[Difference]:
    steps = [step["e_fr_energy"] for step in run.ionic_steps[-1]["electronic_steps"] if "e_fr_energy" in step]
    if not run.converged_electronic:
        yield NOT_CONVERGED, f"electrons: not converged within NELM = {tags(run).get('NELM')} steps"
        return
    limit = task.settings.energy_tolerance
    if len(steps) < 2 or abs(steps[-1] - steps[-2]) > limit + PRINTED:
        yield NOT_CONVERGED, f"electrons: the last step still changed the energy by more than {limit:g} eV"


def _ionic(run: Vasprun, task: DftTask) -> Iterator[Difference]:
    if task.task != RELAX:
        if len(run.ionic_steps) != 1:
            yield INPUT, f"ionic steps: {len(run.ionic_steps)}, asked is one calculation at fixed geometry (NSW = 0)"
        return
    used, last = tags(run), run.ionic_steps[-1]
    if used.get("ISIF") != 3:
        yield INPUT, f"relaxation: ISIF = {used.get('ISIF')}, asked is 3 (cell and positions)"
    force = float(np.linalg.norm(last["forces"], axis=1).max())
    if not run.converged_ionic or force > task.settings.relax_force:
        yield NOT_CONVERGED, f"relaxation: forces up to {force:.4f} eV/Å, asked is {task.settings.relax_force:g}"
    stress = float(np.abs(last["stress"]).max()) * KBAR_IN_GPA
    if stress > task.settings.relax_stress:
        yield NOT_CONVERGED, f"relaxation: stress up to {stress:.3f} GPa, asked is {task.settings.relax_stress:g}"


def stress_of(step: Mapping[str, Any]) -> np.ndarray:
    """(3, 3) eV/Å³, positive = tension, from VASP's kbar, positive = compression."""
    kbar = np.asarray(step["stress"], dtype=float)
    symmetric: np.ndarray = -ev_per_a3_from_gpa(1.0) * KBAR_IN_GPA * (kbar + kbar.T) / 2.0
    return symmetric


def _completeness(run: Vasprun, seen: Outline) -> Iterator[Difference]:
    if not seen.finished:
        yield INPUT, "completeness: the run did not write its final structure, so it did not end by itself"
    if seen.calculations != len(run.ionic_steps):
        yield INPUT, f"completeness: {seen.calculations} ionic steps, {len(run.ionic_steps)} of them readable"


def _same(got: Any, value: Any) -> bool:
    if got is None or isinstance(value, str | bool) or isinstance(got, str | bool):
        return bool(got == value)
    return bool(abs(float(got) - value) <= TAG_TOLERANCE * max(1.0, abs(value)))


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return ".TRUE." if value else ".FALSE."
    return f"{value:g}" if isinstance(value, float) else str(value)


def _mesh(mesh: tuple[int, int, int]) -> str:
    return "×".join(map(str, mesh))
