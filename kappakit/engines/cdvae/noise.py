"""Noise on coordinates and types, and what the decoder is to say of it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from kappakit.engines.cdvae.batches import Batch
from kappakit.engines.cdvae.configurations import Noise
from kappakit.engines.cdvae.geometry import images, spacings

FLAT = 0.6
"""σ over the longest lattice vector from which the wrapped normal is flat to a part in a thousand."""
WIDTH = 3.5
"""Images within so many σ count."""


def draw_sigma(noise: Noise, uniform: Tensor) -> Tensor:
    """(b,) widths in Å for uniform numbers (b,) in [0, 1)."""
    if noise.levels:
        share = torch.floor(uniform * noise.levels) / max(noise.levels - 1, 1)
        return _log_between(noise.smallest, noise.largest, share)
    ordering = uniform < noise.ordering
    inner = _log_between(noise.ordering_from, noise.ordering_to, uniform / max(noise.ordering, 1e-9))
    rest = (uniform - noise.ordering) / max(1.0 - noise.ordering, 1e-9)
    return torch.where(ordering, inner, _log_between(noise.smallest, noise.largest, rest))


def _log_between(low: float, high: float, share: Tensor) -> Tensor:
    return torch.exp(math.log(low) + share * math.log(high / low))


def draw_type_sigma(noise: Noise, uniform: Tensor) -> Tensor:
    """(b,) widths of the types' noise, without unit."""
    share = uniform if not noise.levels else torch.floor(uniform * noise.levels) / max(noise.levels - 1, 1)
    return _log_between(noise.types_smallest, noise.types_largest, share)


def disturbed(batch: Batch, cells: Tensor, displacements: Tensor) -> Tensor:
    """Fractional coordinates after displacements (b, n, 3) in Å in the lattice `cells`, wrapped into the cell."""
    moved = batch.frac + displacements @ torch.linalg.inv(cells)
    return moved - moved.floor()


def shortest_vectors(difference: Tensor, cells: Tensor) -> Tensor:
    """(b, n, 3) in Å: fractional differences wrapped and turned Cartesian (the published target, in reduced cells)."""
    return (difference - difference.round()) @ cells


def wrapped_mean(difference: Tensor, cells: Tensor, mask: Tensor, sigma: Tensor) -> Tensor:
    """σ times the score of the wrapped normal, (b, n, 3): the mean of (image of the true position − noisy one) / σ.

    Images are weighted by their Gaussian of width `sigma` (b,) Å; zero where the wrapped normal is flat.
    """
    b, n = mask.shape
    flat = sigma > FLAT * cells.norm(dim=2).amax(1)
    reach = torch.ceil(WIDTH * sigma[:, None] / spacings(cells) + 0.5).long()
    reach = torch.where(flat[:, None], torch.zeros_like(reach), reach)
    atoms = (mask & ~flat[:, None]).reshape(-1).nonzero()[:, 0]
    owners = atoms // n
    wrapped = (difference - difference.round()).reshape(-1, 3)[atoms]
    thing, shift = images(reach, owners)
    vectors = torch.bmm((wrapped[thing] + shift).unsqueeze(1), cells[owners[thing]]).squeeze(1)
    exponent = -0.5 * vectors.square().sum(1) / sigma[owners[thing]].square()
    top = exponent.new_full((len(atoms),), -torch.inf).scatter_reduce(0, thing, exponent, "amax")
    weight = torch.exp(exponent - top[thing])
    total = weight.new_zeros(len(atoms)).index_add_(0, thing, weight)
    mean = weight.new_zeros(len(atoms), 3).index_add_(0, thing, weight[:, None] * vectors) / total[:, None]
    out = difference.new_zeros(b * n, 3)
    out[atoms] = mean / sigma[owners][:, None]
    return out.reshape(b, n, 3)


def noisy_types(types: Tensor, composition: Tensor, sigma: Tensor, uniform: Tensor) -> Tensor:
    """Types (b, n) drawn from one-hot + σ · composition (b, s), normalised; `uniform` (b, n) in [0, 1)."""
    one_hot = torch.nn.functional.one_hot(types, composition.shape[1]).to(composition.dtype)
    share = one_hot + sigma[:, None, None] * composition[:, None, :]
    cumulative = (share / share.sum(-1, keepdim=True)).cumsum(-1)
    return (uniform[..., None] > cumulative[..., :-1]).sum(-1)
