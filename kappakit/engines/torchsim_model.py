"""Batched relaxation by torch-sim, for any torch-sim model; and any torch-sim model as a Potential."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version

import numpy as np
import torch
import torch_sim as ts
from torch_sim.models.interface import ModelInterface
from torch_sim.optimizers import UnitCellFireState, unit_cell_fire

from kappakit.crystals import Crystal
from kappakit.elements import ATOMIC_MASSES
from kappakit.errors import InputError
from kappakit.ports import Evaluation, Progress, RelaxedCrystal, TrustLimits
from kappakit.protocol import RelaxSettings
from kappakit.units import EV_PER_A3_IN_GPA, ev_per_a3_from_gpa

CHECK_EVERY = 5
"""Steps between two looks at which crystals are done."""
VOLUME_LIMITS = (1.0, 200.0)
"""Å³/atom; beyond, a relaxation is given up: the crystal has collapsed or evaporated."""


def state_of(crystals: Sequence[Crystal]) -> ts.SimState:
    """One torch-sim state of all crystals. A left-handed cell is turned through the origin: the same crystal."""
    cells = [_right_handed(c) for c in crystals]
    positions = np.concatenate([c.positions for c in crystals])
    counts = [c.n_atoms for c in crystals]
    numbers = np.concatenate([c.numbers for c in crystals])
    return ts.SimState(
        positions=torch.from_numpy(np.ascontiguousarray(positions)),
        masses=torch.tensor([ATOMIC_MASSES[z] for z in numbers], dtype=torch.float64),
        cell=torch.from_numpy(np.stack([c.T for c in cells])).contiguous(),
        pbc=True,
        atomic_numbers=torch.from_numpy(numbers),
        system_idx=torch.from_numpy(np.repeat(np.arange(len(crystals)), counts)),
    )


def _right_handed(crystal: Crystal) -> np.ndarray:
    return np.array(crystal.cell if np.linalg.det(crystal.cell) > 0.0 else -crystal.cell)


def relax(
    model: ModelInterface, crystals: Sequence[Crystal], settings: RelaxSettings, progress: Progress
) -> list[RelaxedCrystal]:
    """Relax all crystals together, cell and positions free; what has converged leaves the batch.

    Converged: largest force norm ≤ max_force and largest component of stress + pressure ≤ max_stress.
    """
    if not crystals:
        return []
    return _Relaxation(model, crystals, settings, progress).run()


class _Relaxation:
    def __init__(
        self, model: ModelInterface, crystals: Sequence[Crystal], settings: RelaxSettings, progress: Progress
    ) -> None:
        self._crystals, self._settings, self._progress = crystals, settings, progress
        self._done: dict[int, RelaxedCrystal] = {}
        self._left = list(range(len(crystals)))
        init, self._update = unit_cell_fire(model, scalar_pressure=ev_per_a3_from_gpa(settings.pressure))
        self._state: UnitCellFireState = init(state_of(crystals))

    def run(self) -> list[RelaxedCrystal]:
        self._collect(0)
        for step in range(1, self._settings.max_steps + 1):
            if not self._left:
                break
            self._state = self._update(self._state)
            if step % CHECK_EVERY == 0 or step == self._settings.max_steps or self._gone().any():
                self._collect(step)
        return [self._done[i] for i in range(len(self._crystals))]

    def _collect(self, step: int) -> None:
        converged, gone = self._converged(), self._gone()
        ended = converged | gone | (step >= self._settings.max_steps)
        indices = np.flatnonzero(ended)
        if not len(indices):
            return
        for index in map(int, indices):
            number = self._left[index]
            self._done[number] = self._result(number, index, step, bool(converged[index] and not gone[index]))
        kept = np.flatnonzero(~ended)
        self._left = [self._left[i] for i in kept]
        if len(kept):
            self._state = self._state[torch.from_numpy(kept)]
        self._progress(len(self._done), len(self._crystals), f"step {step}")

    def _converged(self) -> np.ndarray:
        norms = self._state.forces.norm(dim=1)
        count = len(self._left)
        largest = torch.zeros(count, dtype=norms.dtype).scatter_reduce(0, self._state.system_idx, norms, "amax")
        pressure = ev_per_a3_from_gpa(self._settings.pressure) * torch.eye(3, dtype=norms.dtype)
        stress = (self._state.stress + pressure).abs().amax((1, 2)) * EV_PER_A3_IN_GPA
        return ((largest <= self._settings.max_force) & (stress <= self._settings.max_stress)).numpy()

    def _gone(self) -> np.ndarray:
        counts = torch.bincount(self._state.system_idx)
        volume = torch.linalg.det(self._state.cell) / counts
        fine = torch.isfinite(self._state.energy) & (volume > VOLUME_LIMITS[0]) & (volume < VOLUME_LIMITS[1])
        finite = torch.isfinite(self._state.positions).all(1).to(torch.int64)
        return (~(fine & (torch.bincount(self._state.system_idx, finite) == counts))).numpy()

    def _result(self, number: int, index: int, step: int, converged: bool) -> RelaxedCrystal:
        start = self._crystals[number]
        mine = self._state.system_idx == index
        positions, forces = self._state.positions[mine].numpy(), self._state.forces[mine].numpy()
        cell, energy = self._state.cell[index].numpy().T, float(self._state.energy[index])
        if not (np.isfinite(positions).all() and np.isfinite(cell).all() and np.isfinite(energy)):
            return RelaxedCrystal(start, _nothing(start.n_atoms), step, False)
        cell = np.ascontiguousarray(cell if np.linalg.det(start.cell) > 0.0 else -cell)
        crystal = Crystal(cell, positions @ np.linalg.inv(cell), start.numbers)
        stress = self._state.stress[index].numpy()
        return RelaxedCrystal(crystal, Evaluation(energy, forces.copy(), stress.copy()), step, converged)


def _nothing(n_atoms: int) -> Evaluation:
    return Evaluation(float("nan"), np.full((n_atoms, 3), np.nan), np.full((3, 3), np.nan))


@dataclass
class TorchSimPotential:
    """Any torch-sim model as a Potential. Attributes as in kappakit.ports.Potential."""

    name: str
    engine: str
    model: ModelInterface
    species: tuple[str, ...] = ()
    trust: TrustLimits = field(default_factory=lambda: TrustLimits(min_distance=0.5, min_volume=1.0, max_volume=200.0))
    version: str = f"torch-sim {version('torch-sim-atomistic')}"
    sha256: str = ""
    compiled: bool = False
    trust_descriptors: np.ndarray | None = None

    @property
    def precision(self) -> str:
        return str(self.model.dtype).removeprefix("torch.")

    def evaluate(self, crystals: Sequence[Crystal]) -> list[Evaluation]:
        """Evaluate each crystal; raises InputError on an element it does not know."""
        self._check(crystals)
        return [self._evaluate(crystal) for crystal in crystals]

    def relax(self, crystals: Sequence[Crystal], settings: RelaxSettings, progress: Progress) -> list[RelaxedCrystal]:
        """Relax all crystals together."""
        self._check(crystals)
        return relax(self.model, crystals, settings, progress)

    def _evaluate(self, crystal: Crystal) -> Evaluation:
        out = {key: value.detach().numpy() for key, value in self.model(state_of([crystal])).items()}
        return Evaluation(float(out["energy"][0]), np.array(out["forces"]), np.array(out["stress"][0]))

    def _check(self, crystals: Sequence[Crystal]) -> None:
        unknown = {s for c in crystals for s in c.symbols} - set(self.species)
        if self.species and unknown:
            raise InputError(f"{self.name} knows {', '.join(self.species)}, not {', '.join(sorted(unknown))}")
