"""A potential that stands for DFT, declared as such on every record: for trials of a campaign and no more."""

from __future__ import annotations

from pathlib import Path

from kappakit.crystals import Crystal
from kappakit.dft import RELAX, DftTask, method_digest, surrogate_method, surrogate_version
from kappakit.errors import DftFailure, InputError
from kappakit.ports import DftResult, Evaluation, Potential, Progress
from kappakit.protocol import DftRunSettings
from kappakit.relaxation import relax_under_symmetry

SYMPREC = 1e-4
"""Å; a crystal that comes from a relaxation has its symmetry exactly."""
MAX_STEPS = 500
NO_MESH = (0, 0, 0)
"""Nothing is sampled."""


class SurrogateCode:
    """Implements kappakit.ports.DftCode over a Potential."""

    name = "surrogate"

    def __init__(self, potential: Potential) -> None:
        self._potential = potential

    def version(self) -> str:
        """The potential with its engine; says that it is no DFT."""
        return f"surrogate: {self._potential.name} ({self._potential.version}), no DFT"

    def run(self, task: DftTask, run: DftRunSettings, folder: Path, progress: Progress) -> DftResult:
        """The potential's answer; raises DftFailure 'input' where another potential was approved."""
        if task.oracle != self._potential.sha256:
            raise DftFailure("input", f"asked of the weights {task.oracle[:12]}, not of {self._potential.name}")
        crystal, found, steps = answer(task, self._potential)
        progress(1, 1, self._potential.name)
        return result(task, crystal, found, steps=steps, version=self.version(), method_version=self._method_version)

    @property
    def _method_version(self) -> str:
        return surrogate_version(self._potential.name, self._potential.engine)


def load(potential: Potential | None = None) -> SurrogateCode:
    """The registry's factory; raises InputError without the potential."""
    if potential is None:
        raise InputError("a surrogate is a potential that stands for DFT: say which one")
    return SurrogateCode(potential)


def answer(task: DftTask, potential: Potential) -> tuple[Crystal, Evaluation, int]:
    """(end, its evaluation, ionic steps); raises DftFailure 'not_converged' for a relaxation that does not end."""
    if task.task != RELAX:
        return task.crystal, potential.evaluate([task.crystal])[0], 0
    crystal, found, steps, converged = relax_under_symmetry(
        task.crystal,
        potential,
        symprec=SYMPREC,
        max_force=task.settings.relax_force,
        max_stress=task.settings.relax_stress,
        max_steps=MAX_STEPS,
    )
    if not converged:
        raise DftFailure("not_converged", f"not relaxed after {steps} steps")
    return crystal, found, steps


def result(
    task: DftTask, crystal: Crystal, found: Evaluation, *, steps: int, version: str, method_version: str
) -> DftResult:
    """An evaluation in the clothes of a DFT result: without electrons both energies are one."""
    method = surrogate_method(task.settings, version=method_version, oracle=task.oracle)
    return DftResult(
        crystal=crystal,
        energy=found.energy,
        energy_sigma0=found.energy,
        forces=found.forces,
        stress=found.stress,
        k_mesh=NO_MESH,
        method=method,
        method_sha256=method_digest(method),
        version=version,
        iterations=0,
        steps=steps,
        notes=("no DFT: a potential stands for it",),
    )
