"""Losses and held-out errors of a batch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from nequip.data import AtomicDataDict as keys

from kappakit.engines.allegro.batches import Batch
from kappakit.engines.allegro.configurations import TrainingSettings
from kappakit.engines.allegro.graphs import Graph

NORM_FLOOR = 1e-6
"""Smooths the norm of an error at zero, in eV, eV/Å and eV/Å³: its gradient stays finite."""


def loss(out: Graph, targets: Graph, settings: TrainingSettings) -> torch.Tensor:
    """Weighted sum of energy, force and stress errors, means over the real frames and atoms of the batch."""
    energy, forces, stress = _errors(out, targets)
    frame, atom = targets["frame_weight"], targets["atom_weight"]
    if settings.loss == "mse":
        terms = energy.square(), forces.square().mean(-1, keepdim=True), stress.square().mean((1, 2))[:, None]
    else:
        terms = _norm(energy), _norm(forces), _norm(stress.flatten(1))
    weights = settings.energy_weight, settings.force_weight, settings.stress_weight
    means = [(t * w).sum() / w.sum() for t, w in zip(terms, (frame, atom, frame), strict=True)]
    return sum((w * m for w, m in zip(weights, means, strict=True)), torch.zeros_like(means[0]))


def _norm(values: torch.Tensor) -> torch.Tensor:
    return (values.square().sum(-1, keepdim=True) + NORM_FLOOR**2).sqrt()


def _errors(out: Graph, targets: Graph) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    energy = (out[keys.TOTAL_ENERGY_KEY] - targets["energy"]) / targets["counts"]
    forces = out[keys.FORCE_KEY] - targets["forces"]
    return energy, forces, out[keys.STRESS_KEY] - targets["stress"]


@dataclass
class ErrorSums:
    """Running sums; energy eV/atom, forces eV/Å, stress eV/Å³."""

    energy: float = 0.0
    forces: float = 0.0
    stress: float = 0.0
    frames: int = 0
    components: int = 0

    def add(self, out: Graph, batch: Batch) -> None:
        """Add one batch without padding."""
        energy, forces, stress = _errors(out, batch.targets)
        self.energy += float(energy.detach().abs().sum())
        self.forces += float(forces.detach().square().sum())
        self.stress += float(stress.detach().abs().mean((1, 2)).sum())
        self.frames += len(energy)
        self.components += forces.numel()

    def means(self) -> tuple[float, float, float]:
        """Energy MAE meV/atom, force RMSE meV/Å, stress MAE eV/Å³."""
        n = max(self.frames, 1)
        return 1e3 * self.energy / n, 1e3 * (self.forces / max(self.components, 1)) ** 0.5, self.stress / n
