"""κ_L on ever longer meshes from the same force constants, until the last step changes little or the time is up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from phono3py import Phono3py

from kappakit.conductivity import (
    RTA,
    Conductivity,
    Modes,
    mode_data,
    nearest,
    scattering_of,
    solve,
    tensor,
    threads,
)
from kappakit.convergence import Mesh, MeshStep, convergence
from kappakit.estimates import cost
from kappakit.meshes import distinct_meshes, grid_of
from kappakit.ports import Interactions, Progress
from kappakit.protocol import ConductivitySettings

NOT_FINITE = "{} gives no finite value on a mesh of {:.3g} Å: some modes find nothing to scatter with"
OUT_OF_TIME = (
    "the mesh was not refined beyond {:.3g} Å: the next step is expected to take {:.1f} min, {:.1f} min are left"
)
LONGEST = "the mesh was not refined beyond {:.3g} Å, the protocol's longest"
TITLES = {"rta": "relaxation time approximation", "lbte": "full solution"}


@dataclass(frozen=True, eq=False)
class Refined:
    """The tensor of the longest mesh (None: nowhere a finite one), every step, the modes of RTA, remarks."""

    tensor: Conductivity | None
    steps: tuple[MeshStep, ...] = ()
    modes: Modes | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class BoltzmannEquation:
    """All that stays the same from mesh to mesh. `named_cell` (3, 3) Å: what [uvw] counts."""

    calculation: Phono3py
    settings: ConductivitySettings
    interactions: Interactions
    named_cell: np.ndarray
    progress: Progress

    def on(self, mesh: Mesh, method: str, temperatures: Sequence[float]) -> Conductivity | None:
        """κ_L on one mesh; None where it has no finite value at the ranked temperature."""
        self.progress(0, 1, f"Boltzmann equation, {TITLES[method]}, mesh of {mesh.length:.3g} Å")
        scattering = scattering_of(self.settings)
        seconds = solve(self.calculation, method, mesh, temperatures, self.interactions, scattering)
        return tensor(
            self.calculation.thermal_conductivity,
            method,
            mesh,
            ranked=self.settings.temperature,
            named_cell=self.named_cell,
            seconds=seconds,
        )

    def modes(self, mesh: Mesh) -> Modes:
        """Of the RTA that was solved last."""
        return mode_data(self.calculation.thermal_conductivity, mesh, self.settings.temperature)

    def step(self, found: Conductivity) -> MeshStep:
        """What the convergence test keeps of a tensor."""
        kappa = found.kappa[nearest(found.temperatures, self.settings.temperature)]
        points = len(self.calculation.thermal_conductivity.grid_weights)
        return MeshStep(found.mesh, points, kappa, found.seconds)

    def expected_seconds(self, mesh: Mesh, temperatures: int) -> float:
        """RTA's time by the estimate for this machine's threads."""
        return cost(self.calculation, grid_of(mesh), temperatures=temperatures, threads=threads()).rta_seconds


def refine(equation: BoltzmannEquation, temperatures: Sequence[float], seconds_left: Callable[[], float]) -> Refined:
    """RTA on the settings' lengths. The two that test convergence always run; longer ones while they are needed, fit
    into the time left (s) and stay within the protocol's longest."""
    settings = equation.settings
    found = Refined(None)
    for mesh in distinct_meshes(equation.calculation, settings):
        if _converged(found.steps, settings):
            return found
        if len(found.steps) > 1 and (late := _too_late(equation, found.steps, mesh, len(temperatures), seconds_left())):
            return _noted(found, late)
        found = _with(found, equation, mesh, temperatures)
    done = _converged(found.steps, settings) or settings.mesh_step <= 1 or not found.steps
    return found if done else _noted(found, LONGEST.format(found.steps[-1].mesh.length))


def repeat(equation: BoltzmannEquation, method: str, meshes: Sequence[Mesh], temperatures: Sequence[float]) -> Refined:
    """κ_L on given meshes, shortest first, without a decision between them."""
    found = Refined(None)
    for mesh in meshes:
        found = _with(found, equation, mesh, temperatures, method)
    return found


def _with(
    found: Refined, equation: BoltzmannEquation, mesh: Mesh, temperatures: Sequence[float], method: str = RTA
) -> Refined:
    """One mesh more; one without a finite value leaves a remark alone."""
    solved = equation.on(mesh, method, temperatures)
    if solved is None:
        return _noted(found, NOT_FINITE.format(method.upper(), mesh.length))
    modes = equation.modes(mesh) if method == RTA else None
    return replace(found, tensor=solved, steps=(*found.steps, equation.step(solved)), modes=modes)


def _converged(steps: Sequence[MeshStep], settings: ConductivitySettings) -> bool:
    changed = convergence(steps)
    return changed is not None and changed.within(settings.mesh_change)


def _too_late(
    equation: BoltzmannEquation, steps: Sequence[MeshStep], mesh: Mesh, temperatures: int, left: float
) -> str:
    """Why the next mesh is not computed, '' where it is. The estimate is scaled by what the last mesh really took."""
    last = steps[-1]
    measured = last.seconds / equation.expected_seconds(last.mesh, temperatures)
    expected = measured * equation.expected_seconds(mesh, temperatures)
    return OUT_OF_TIME.format(last.mesh.length, expected / 60, max(left, 0.0) / 60) if expected > left else ""


def _noted(found: Refined, note: str) -> Refined:
    return replace(found, notes=(*found.notes, note))
