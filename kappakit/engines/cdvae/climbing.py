"""Gradient search in the latent space: towards few atoms and many operations, held back by distance from the bank."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from kappakit.engines.cdvae.backbone import perceptron
from kappakit.engines.cdvae.bank import Bank
from kappakit.engines.cdvae.precision import single_precision

HIDDEN, FIT_STEPS, FIT_RATE, DECAY = 64, 300, 1e-2, 1.0
NARROWEST = 1e-6


def simplicity(atoms: np.ndarray, operations: np.ndarray) -> np.ndarray:
    """log2(operations / atoms) of primitive cells, (m,): high for few atoms and many operations."""
    return np.log2(operations / atoms)


class Surrogate(nn.Module):
    """Simplicity from a latent vector: one hidden layer, fitted to the means of a bank."""

    @single_precision()
    def __init__(self, bank: Bank, seed: int) -> None:
        super().__init__()
        known = torch.tensor(simplicity(bank.atoms, bank.operations), dtype=torch.float32)
        self.means = means = torch.tensor(bank.means, dtype=torch.float32)
        self.sharpness = torch.tensor(bank.widths, dtype=torch.float32).pow(-2)
        self.heights = 0.5 * (self.sharpness.log() - self.sharpness * means.square()).sum(1)
        self.centre, self.spread = means.mean(0), means.std(0) + NARROWEST
        self.offset, self.scale = known.mean(), known.std() + NARROWEST
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.layers = perceptron(means.shape[1], HIDDEN, 1)
        optimiser = torch.optim.AdamW(self.parameters(), FIT_RATE, weight_decay=DECAY)
        for _ in range(FIT_STEPS):
            optimiser.zero_grad()
            mse_loss((self(means) - self.offset) / self.scale, (known - self.offset) / self.scale).backward()
            optimiser.step()
        self.requires_grad_(False)

    def forward(self, z: Tensor) -> Tensor:
        """(b,) for latent vectors (b, latent)."""
        return self.offset + self.scale * self.layers((z - self.centre) / self.spread).squeeze(-1)

    def penalty(self, z: Tensor) -> Tensor:
        """(b,) how far from the bank: minus the log density of its posteriors together, a dimension, and a constant."""
        squares = z.square() @ self.sharpness.T - 2.0 * z @ (self.sharpness * self.means).T
        return -torch.logsumexp(self.heights - 0.5 * squares, 1) / z.shape[1]


def climb(surrogate: Surrogate, start: np.ndarray, *, steps: int, rate: float, penalty: float) -> np.ndarray:
    """Latent vectors (b, latent) of higher predicted simplicity, by Adam from `start`; `penalty` holds them back."""
    z = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    optimiser = torch.optim.Adam([z], lr=rate)
    for _ in range(steps):
        optimiser.zero_grad()
        (penalty * surrogate.penalty(z) - surrogate(z)).sum().backward()
        optimiser.step()
    return z.detach().numpy()
