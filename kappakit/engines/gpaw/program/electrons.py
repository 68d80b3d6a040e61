"""GPAW's calculator for a task, and what is read from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.units import Ha
from gpaw import GPAW, PW

XC: dict[str, dict[str, Any]] = {
    # Its PAW sets are PBE's; more points than the default, or the kernel's table ends below the grid of long cells.
    "optB88-vdW": {"name": "optB88-vdW", "setup_name": "PBE", "Nr": 8192},
    "PBE": {"name": "PBE"},
    "LDA": {"name": "LDA"},
}
SMEARING: dict[str, dict[str, Any]] = {
    "fermi-dirac": {"name": "fermi-dirac"},
    # Methfessel and Paxton's order 0 is the Gaussian.
    "gaussian": {"name": "methfessel-paxton", "order": 0},
}
MOMENT = 0.5
"""μB on every atom where a spin-polarised calculation starts: small and parallel, so that it may grow or vanish."""
DEFAULT_TOLERANCE, DENSITY, EIGENSTATES = 1e-5, 1e-4, 4e-8
"""GPAW's own criteria for density (electrons a valence electron) and states (eV² each) go with 1e-5 eV in energy."""


def atoms_of(task: dict[str, Any]) -> Atoms:
    """The crystal, with initial moments where it is spin-polarised."""
    atoms = Atoms(task["numbers"], cell=task["cell"], scaled_positions=task["frac"], pbc=True)
    if task["settings"]["spin"]:
        atoms.set_initial_magnetic_moments([MOMENT] * len(atoms))
    return atoms


def calculator(task: dict[str, Any], log: Path, on_iteration: Callable[[int], None]) -> Any:
    """GPAW with the task's parameters; what it says is appended to `log`, every iteration of the SCF loop is told."""
    settings, run = task["settings"], task["run"]
    made = GPAW(
        mode=PW(settings["cutoff"]),
        xc=XC[settings["functional"]],
        kpts={"size": task["mesh"], "gamma": True},
        occupations={**SMEARING[settings["smearing"]], "width": settings["smearing_width"]},
        spinpol=settings["spin"],
        convergence=convergence(settings["energy_tolerance"]),
        mixer={"beta": run["mixing"]},
        maxiter=run["max_iterations"],
        txt=log.open("a", encoding="utf-8"),
        legacy_gpaw=False,
    )
    made.hooks["scf_step"] = lambda context: on_iteration(context.niter)
    return made


def convergence(tolerance: float) -> dict[str, float]:
    """Criteria from the energy's (eV a valence electron): below 1e-5 the density's and the states' shrink along.

    The energy's error is of second order in the density's, and of first order in the states' squared residuals.
    """
    ratio = min(1.0, tolerance / DEFAULT_TOLERANCE)
    return {"energy": tolerance, "density": DENSITY * ratio**0.5, "eigenstates": EIGENSTATES * ratio}


def facts(atoms: Atoms) -> dict[str, Any]:
    """JSON-ready: energies eV, forces eV/Å, stress (3, 3) eV/Å³, moment μB, gap eV, geometry."""
    calc: Any = atoms.calc
    return {
        "energy": float(atoms.get_potential_energy(force_consistent=True)),
        "energy_sigma0": float(atoms.get_potential_energy()),
        "forces": atoms.get_forces(apply_constraint=False).tolist(),
        "stress": atoms.get_stress(voigt=False, apply_constraint=False).tolist(),
        "magnetic_moment": float(atoms.get_magnetic_moment()) if calc.params.spinpol else None,
        "gap": gap(*calc.dft.ibzwfs.get_all_eigs_and_occs()),
        "cell": atoms.cell.array.tolist(),
        "frac": atoms.get_scaled_positions(wrap=False).tolist(),
    }


def gap(eigenvalues: np.ndarray, occupations: np.ndarray) -> float | None:
    """Smallest gap on the mesh in eV, from (spins, k, bands) in Hartree; 0 for a metal, None without an empty band.

    The empty bands are not converged by themselves, so it is good to some 0.01 eV.
    """
    filled = (occupations > 0.5 * occupations.max()).sum(axis=2)
    if (filled != filled[:, :1]).any():
        return 0.0
    counts = filled[:, 0]
    if (counts >= eigenvalues.shape[2]).any() or (counts == 0).any():
        return None
    top = max(bands[:, n - 1].max() for bands, n in zip(eigenvalues, counts, strict=True))
    bottom = min(bands[:, n].min() for bands, n in zip(eigenvalues, counts, strict=True))
    return max(0.0, float(bottom - top) * Ha)
