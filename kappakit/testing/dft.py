"""A DftCode without DFT: the analytic potential's numbers at once, and every class of failure on demand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from kappakit.crystals import Crystal
from kappakit.dft import RETRIES, DftTask, k_mesh
from kappakit.engines.surrogate import answer, result
from kappakit.errors import DftFailure
from kappakit.ports import DftResult, Progress
from kappakit.protocol import DftRunSettings
from kappakit.testing.potentials import FakePotential

MARKS = {kind: 0.111 + 0.001 * number for number, kind in enumerate(sorted(RETRIES))}
"""Class of failure → fractional coordinate of the first atom along a that brings it about."""
ONCE, ALWAYS = 0.333, 0.444
"""Its coordinate along b: whether only the first attempt in a folder fails so, or each."""
LEAST = {"not_converged": ("max_iterations", 20), "walltime": ("walltime", 1.0), "memory": ("memory", 1.0)}
"""Below these run settings an attempt fails by the class; what kappakit.dft.next_try raises helps."""


class SimulatedDft:
    """Implements kappakit.ports.DftCode; `version` says that it is simulated."""

    name = "simulated"

    def version(self) -> str:
        """Never taken for DFT."""
        return "simulated"

    def run(self, task: DftTask, run: DftRunSettings, folder: Path, progress: Progress) -> DftResult:
        """The analytic potential's answer; raises DftFailure where crystal or run settings ask for it."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "simulated.txt").write_text("simulated\n")
        _fail_by_settings(run)
        _fail_by_crystal(task.crystal, folder)
        crystal, found, steps = answer(task, FakePotential())
        progress(1, 1, "simulated")
        made = result(task, crystal, found, steps=steps, version="simulated", method_version="simulated")
        mesh = k_mesh(task.crystal.cell, task.settings.k_spacing)
        return replace(made, k_mesh=mesh, notes=("simulated: no DFT",))


def doomed(crystal: Crystal, kind: str, *, always: bool = False) -> Crystal:
    """The crystal moved so that its calculation fails by the class `kind`, at the first attempt or at each."""
    shift = np.array([MARKS[kind], ALWAYS if always else ONCE, crystal.frac[0, 2]]) - crystal.frac[0]
    return Crystal(crystal.cell, crystal.frac + shift, crystal.numbers)


def _fail_by_settings(run: DftRunSettings) -> None:
    for kind, (name, least) in LEAST.items():
        if getattr(run, name) < least:
            raise DftFailure(kind, f"simulated: {name} is below {least:g}")


def _fail_by_crystal(crystal: Crystal, folder: Path) -> None:
    along_a, along_b = crystal.frac[0, :2] % 1.0
    for kind, mark in MARKS.items():
        if abs(along_a - mark) > 1e-6:
            continue
        failed = folder / f"failed-{kind}"
        if abs(along_b - ALWAYS) < 1e-6 or (abs(along_b - ONCE) < 1e-6 and not failed.exists()):
            failed.touch()
            raise DftFailure(kind, f"simulated failure of the class {kind}")
