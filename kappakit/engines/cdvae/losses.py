"""The objective: what is lost on the way through the latent space, and the noise that the decoder must undo.

What needs no network (noise, geometry, targets) is a Task; the Objective is the rest, of fixed shapes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from kappakit.engines.cdvae.batches import Batch
from kappakit.engines.cdvae.configurations import TrainingSettings
from kappakit.engines.cdvae.network import CrystalVae
from kappakit.engines.cdvae.noise import (
    disturbed,
    draw_sigma,
    draw_type_sigma,
    noisy_types,
    shortest_vectors,
    wrapped_mean,
)
from kappakit.engines.cdvae.parts import Mixture, without_drift

TERMS = ("number", "lattice", "coordinates", "types", "composition", "kl")


class Task(NamedTuple):
    """One batch with its noise. types, seen (b, n), mask (b, n), counts (b,), basis and noisy_basis as
    geometry.neighbourhood gives them, target (b, 6) standardised lattices, latent (b, d) standard normal, sigma and
    types_sigma (b,), wanted (b, n, 3) σ times the score, without drift."""

    types: Tensor
    mask: Tensor
    counts: Tensor
    basis: Tensor
    target: Tensor
    latent: Tensor
    seen: Tensor
    noisy_basis: Tensor
    sigma: Tensor
    types_sigma: Tensor
    wanted: Tensor


@torch.no_grad()
def prepare(
    network: CrystalVae, batch: Batch, settings: TrainingSettings, generator: torch.Generator, *, lattice: str
) -> Task:
    """Noise, geometry and targets of a batch. `lattice`: which one the decoder sees, see TrainingSettings."""
    noise = network.description.configuration.noise
    b, n = batch.mask.shape
    here: dict[str, Any] = {"generator": generator, "device": batch.frac.device}
    batch = _varied(batch, settings, **here)
    target = network.standardised(batch.cells, batch.counts)
    latent = torch.randn(b, network.architecture.latent, **here)
    basis = network.basis(batch.frac, batch.cells, batch.mask)
    spread = settings.lattice_noise * torch.rand(b, 1, **here) * torch.randn(b, 6, **here)
    cells = _seen_cells(network, batch, basis, latent, target, target + spread, lattice)
    sigma = draw_sigma(noise, torch.rand(b, **here))
    frac = disturbed(batch, cells, sigma[:, None, None] * torch.randn(b, n, 3, **here))
    types_sigma = draw_type_sigma(noise, torch.rand(b, **here))
    return Task(
        types=batch.types,
        mask=batch.mask,
        counts=batch.counts,
        basis=basis,
        target=target,
        latent=latent,
        seen=noisy_types(batch.types, _composition(network, batch), types_sigma, torch.rand(b, n, **here)),
        noisy_basis=network.basis(frac, cells, batch.mask),
        sigma=sigma,
        types_sigma=types_sigma,
        wanted=without_drift(_target(noise.target, batch.frac - frac, cells, batch.mask, sigma), batch.mask),
    )


class Objective(nn.Module):
    """The unweighted terms (6,) of a Task's tensors, in the order of TERMS."""

    def __init__(self, network: CrystalVae) -> None:
        super().__init__()
        self.encoder, self.heads, self.decoder = network.encoder, network.heads, network.decoder

    def forward(self, *tensors: Tensor) -> Tensor:
        task = Task(*tensors)
        mean, log_variance = self.encoder(task.types, task.mask, task.basis, task.counts, task.target)
        z = mean + torch.exp(0.5 * log_variance) * task.latent
        number, composition, *mixture = self.heads(z, task.counts)
        out, logits = self.decoder(task.seen, task.mask, task.noisy_basis, z, task.sigma)
        terms = {
            "number": cross_entropy(number, task.counts),
            "lattice": _lattice_loss(Mixture(*mixture), task.target),
            "coordinates": _mean(0.5 * (out - task.wanted).square().sum(-1), task.mask),
            "types": _mean(_per_atom(logits, task.types) / task.types_sigma[:, None], task.mask),
            "composition": _mean(_per_atom(composition[:, None].expand_as(logits), task.types), task.mask),
            "kl": 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(1).mean(),
        }
        return torch.stack([terms[name] for name in TERMS])


def weights(settings: TrainingSettings, device: torch.device) -> Tensor:
    """(6,) the terms' weights."""
    return torch.tensor([getattr(settings, f"{name}_weight") for name in TERMS], device=device)


def _varied(batch: Batch, settings: TrainingSettings, **here: Any) -> Batch:
    """A slightly strained copy of each crystal."""
    if not settings.strain:
        return batch
    random = torch.randn(len(batch.cells), 3, 3, **here)
    strain = 0.5 * settings.strain * (random + random.transpose(1, 2))
    return Batch(batch.frac, batch.cells + batch.cells @ strain, batch.types, batch.mask, batch.counts)


def _seen_cells(
    network: CrystalVae, batch: Batch, basis: Tensor, latent: Tensor, target: Tensor, jittered: Tensor, lattice: str
) -> Tensor:
    if lattice == "true":
        return batch.cells
    if lattice == "jittered":
        return network.cells(jittered, batch.counts)
    mean, log_variance = network.encoder(batch.types, batch.mask, basis, batch.counts, target)
    z = mean + torch.exp(0.5 * log_variance) * latent
    return network.cells(network.heads.lattices(z, batch.counts).likeliest(), batch.counts)


def _composition(network: CrystalVae, batch: Batch) -> Tensor:
    """(b, kinds) shares of the elements."""
    present = one_hot(batch.types, len(network.description.species)) * batch.mask[..., None]
    return present.sum(1) / batch.counts[:, None]


def _target(kind: str, difference: Tensor, cells: Tensor, mask: Tensor, sigma: Tensor) -> Tensor:
    if kind == "wrapped":
        return wrapped_mean(difference, cells, mask, sigma)
    return shortest_vectors(difference, cells) / sigma[:, None, None]


def _lattice_loss(lattice: Mixture, target: Tensor) -> Tensor:
    """Mean over the six parameters: of the squared error, or of the negative log likelihood of a mixture."""
    if lattice.means.shape[1] == 1:
        return (lattice.means[:, 0] - target).square().mean()
    return -torch.logsumexp(lattice.log_weights + lattice.log_densities(target), 1).mean() / 6.0


def _per_atom(logits: Tensor, types: Tensor) -> Tensor:
    return cross_entropy(logits.transpose(1, 2), types, reduction="none")


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).sum() / mask.sum()
