"""Relaxation of cell and positions within the crystal's symmetry; each step is kept, so that it can be taken up."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.constraints import FixSymmetry
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS
from ase.units import GPa

STEPS = 200
"""Most ionic steps of a relaxation, all attempts together."""
SYMPREC = 1e-4
"""Å; a crystal that comes from a relaxation has its symmetry exactly."""
MAX_STEP = 0.05
"""Å of an atom in one step."""


class NotRelaxed(Exception):
    """The steps are used up."""


def relax(
    atoms: Atoms, task: dict[str, Any], checkpoint: Path, on_step: Callable[[int, float, float], None]
) -> tuple[int, int]:
    """Relax in place by BFGS on cell and positions; returns (steps in all, of them in earlier attempts).

    Raises NotRelaxed after STEPS. `on_step` is told the step, the largest force in eV/Å and stress in GPa.
    """
    earlier = _taken_up(atoms, task, checkpoint)
    atoms.set_constraint(FixSymmetry(atoms, symprec=SYMPREC))
    limits = task["settings"]["relax_force"], task["settings"]["relax_stress"]
    cell_and_atoms: Any = FrechetCellFilter(atoms)
    with BFGS(cell_and_atoms, logfile=None, maxstep=MAX_STEP) as optimiser:
        for _ in optimiser.irun(fmax=0.0, steps=STEPS - earlier):
            steps = earlier + optimiser.nsteps
            _keep(atoms, task, checkpoint, steps)
            force, stress = _residues(atoms)
            on_step(steps, force, stress)
            if force <= limits[0] and stress <= limits[1]:
                return steps, earlier
    raise NotRelaxed(f"after {STEPS} steps the largest force is {force:.3g} eV/Å, the largest stress {stress:.3g} GPa")


def _residues(atoms: Atoms) -> tuple[float, float]:
    force = np.linalg.norm(atoms.get_forces(), axis=1).max()
    return float(force), float(np.abs(atoms.get_stress(voigt=False)).max() / GPa)


def _keep(atoms: Atoms, task: dict[str, Any], checkpoint: Path, steps: int) -> None:
    state = {
        "inputs": task["inputs"],
        "steps": steps,
        "cell": atoms.cell.array.tolist(),
        "frac": atoms.get_scaled_positions(wrap=False).tolist(),
    }
    partial = checkpoint.with_suffix(".part")
    partial.write_text(json.dumps(state))
    os.replace(partial, checkpoint)


def _taken_up(atoms: Atoms, task: dict[str, Any], checkpoint: Path) -> int:
    """Set the geometry that an earlier attempt reached; returns its steps. BFGS learns its Hessian anew."""
    if not checkpoint.exists():
        return 0
    state = json.loads(checkpoint.read_text())
    if state["inputs"] != task["inputs"]:
        return 0
    atoms.set_cell(state["cell"])
    atoms.set_scaled_positions(state["frac"])
    return min(int(state["steps"]), STEPS - 1)
