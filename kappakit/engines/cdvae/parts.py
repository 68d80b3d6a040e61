"""The three parts of the CDVAE: encoder, heads on the latent vector, decoder. Shapes are fixed by (b, n) alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import silu, softplus

from kappakit.engines.cdvae.backbone import Backbone, perceptron
from kappakit.engines.cdvae.configurations import Architecture

WAVES = 16
SLOWEST, FASTEST = 0.25, 16.0
LOG_VARIANCE = (-12.0, 4.0)
NARROWEST = 0.05
"""Smallest width of a lattice component, in standard deviations of the training lattices."""


@dataclass(frozen=True, eq=False)
class Mixture:
    """A Gaussian mixture over standardised lattices: log_weights (b, k), means and widths (b, k, 6)."""

    log_weights: Tensor
    means: Tensor
    widths: Tensor

    def log_densities(self, target: Tensor) -> Tensor:
        """(b, k) of each component at `target` (b, 6), a constant left out."""
        return -(0.5 * ((target[:, None] - self.means) / self.widths).square() + self.widths.log()).sum(-1)

    def likeliest(self) -> Tensor:
        """(b, 6) centre of the heaviest component."""
        best = self.log_weights.argmax(1)
        return self.means[torch.arange(len(best), device=best.device), best]


def cube_root(counts: Tensor, like: Tensor) -> Tensor:
    """(b, 1) N^(1/3)."""
    return counts[:, None].double().pow(1 / 3).to(like.dtype)


def without_drift(vectors: Tensor, mask: Tensor) -> Tensor:
    """Vectors (b, n, 3) less their mean over the atoms: where a crystal lies as a whole, nobody can know."""
    weight = mask[..., None].to(vectors.dtype)
    mean = (vectors * weight).sum(1, keepdim=True) / weight.sum(1, keepdim=True)
    return (vectors - mean) * weight


class Encoder(nn.Module):
    """Posterior over the latent space: invariant to rotation, translation and the order of atoms.

    Beside the mean over atoms, which no supercell changes, it sees the number of atoms and the lattice of the cell.
    """

    def __init__(self, a: Architecture, kinds: int, neighbours: float) -> None:
        super().__init__()
        self.kinds = nn.Embedding(kinds, a.features)
        self.backbone = Backbone(a.features, a.encoder_layers, a.radial, neighbours)
        self.pooled = perceptron(a.features, a.features, a.features)
        self.joined = perceptron(a.features + 7, 2 * a.features, 2 * a.features)
        self.mean = nn.Linear(2 * a.features, a.latent)
        self.log_variance = nn.Linear(2 * a.features, a.latent)

    def forward(
        self, types: Tensor, mask: Tensor, basis: Tensor, counts: Tensor, lattice: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Mean and log variance (b, latent); `lattice` (b, 6) standardised."""
        x, _ = self.backbone(self.kinds(types), basis)
        weight = mask[..., None].to(x.dtype)
        pooled = (self.pooled(x) * weight).sum(1) / weight.sum(1)
        joined = silu(self.joined(torch.cat([pooled, cube_root(counts, x), lattice], 1)))
        return self.mean(joined), self.log_variance(joined).clamp(*LOG_VARIANCE)


class Heads(nn.Module):
    """Number of atoms, composition and lattice from a latent vector."""

    def __init__(self, a: Architecture, kinds: int) -> None:
        super().__init__()
        self.components = a.components
        self.number = perceptron(a.latent, a.head, a.max_atoms + 1)
        self.composition = perceptron(a.latent, a.head, kinds)
        self.lattice = perceptron(a.latent + 1, a.head, 13 * a.components if a.components else 6)

    def forward(self, z: Tensor, counts: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Logits of number (b, max_atoms + 1) and composition (b, kinds), and the parts of lattices(z, counts)."""
        mixture = self.lattices(z, counts)
        return self.number(z), self.composition(z), mixture.log_weights, mixture.means, mixture.widths

    def lattices(self, z: Tensor, counts: Tensor) -> Mixture:
        """The lattice given z and the number of atoms; the plain regression is one component of width 1."""
        out = self.lattice(torch.cat([z, cube_root(counts, z)], 1))
        k = self.components
        if not k:
            return Mixture(out.new_zeros(len(z), 1), out[:, None, :], torch.ones_like(out)[:, None, :])
        weights, means, widths = out.split((k, 6 * k, 6 * k), 1)
        widths = NARROWEST + softplus(widths.reshape(-1, k, 6) - 1.0)
        return Mixture(weights.log_softmax(1), means.reshape(-1, k, 6), widths)


class Decoder(nn.Module):
    """The noise on a crystal, given its latent vector: equivariant under rotation, without drift."""

    waves: Tensor

    def __init__(self, a: Architecture, kinds: int, neighbours: float) -> None:
        super().__init__()
        self.told_noise = a.told_noise
        condition = 2 * a.features
        self.kinds = nn.Embedding(kinds, a.features)
        self.from_latent = nn.Linear(a.latent, condition)
        self.from_noise = perceptron(2 * WAVES, a.features, condition)
        self.start = nn.Linear(condition, a.features)
        self.backbone = Backbone(a.features, a.decoder_layers, a.radial, neighbours, condition)
        self.gate = perceptron(a.features, a.features, a.features)
        self.direction = nn.Linear(a.features, 1, bias=False)
        self.types = nn.Linear(a.features, kinds)
        waves = torch.exp(torch.linspace(math.log(SLOWEST), math.log(FASTEST), WAVES))
        self.register_buffer("waves", waves, persistent=False)

    def forward(self, types: Tensor, mask: Tensor, basis: Tensor, z: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
        """σ times the score (b, n, 3), without unit, and logits of the types (b, n, kinds)."""
        condition = self.from_latent(z)
        if self.told_noise:
            phase = torch.log(sigma.double()).to(z.dtype)[:, None] * self.waves
            condition = condition + self.from_noise(torch.cat([phase.sin(), phase.cos()], 1))
        condition = silu(condition)[:, None, :]
        x, v = self.backbone(self.kinds(types) + self.start(condition), basis, condition)
        out = self.direction(v * self.gate(x)[:, None]).squeeze(-1).transpose(1, 2)
        return without_drift(out, mask), self.types(x)
