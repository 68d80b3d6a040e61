"""From noise to coordinates: the published annealed Langevin dynamics, and integrators of the same diffusion.

With o = σ · score the denoised estimate is x + σ·o, and the probability flow is dx/dσ = −o (Y. Song et al., arXiv
2011.13456; T. Karras et al., arXiv 2206.00364). The published step size equals σ² exactly, so that each of its hundred
steps a level jumps to the denoised estimate and forgets the last: fewer do as well.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import Tensor

from kappakit.errors import InputError

Field = Callable[[Tensor, float], Tensor]
"""field(frac (b, n, 3), σ in Å) → o (b, n, 3)."""


@dataclass(frozen=True)
class Sampler:
    """How noise becomes a crystal.

    `levels` of σ (Å), geometric from `largest` to `smallest`; `steps` Langevin steps a level; `churn` share of each
    level's variance that is fresh noise (0: the deterministic flow, 1: the full reverse diffusion); `second`: Heun's
    correction; `denoise`: end on the denoised estimate. Network calls: `calls`.
    """

    name: str
    kind: str = "flow"
    levels: int = 40
    largest: float = 4.0
    smallest: float = 0.02
    steps: int = 0
    churn: float = 0.0
    second: bool = False
    denoise: bool = True

    @property
    def calls(self) -> int:
        """Evaluations of the network a crystal."""
        if self.kind == "langevin":
            return self.levels * self.steps + self.denoise
        corrected = 2 if self.second else 1
        return (self.levels - 1) * (corrected + self.steps) + self.denoise

    @property
    def draws(self) -> int:
        """Normal (n, 3) arrays that it takes a crystal."""
        if self.kind == "langevin":
            return self.levels * self.steps
        return (self.levels - 1) * (self.steps + (1 if self.churn else 0))

    def sigmas(self) -> list[float]:
        """The levels, largest first."""
        last = max(self.levels - 1, 1)
        ratio = self.smallest / self.largest
        return [self.largest * ratio ** (i / last) for i in range(self.levels)]


SAMPLERS: dict[str, Sampler] = {
    "published": Sampler(
        "published", kind="langevin", levels=50, largest=10.0, smallest=0.01, steps=100, denoise=False
    ),
    "langevin": Sampler("langevin", kind="langevin", levels=50, steps=1),
    "flow": Sampler("flow", levels=40),
    "diffusion": Sampler("diffusion", levels=60, churn=1.0),
}


def sample(sampler: Sampler, field: Field, start: Tensor, inverse: Tensor, noises: Tensor) -> Tensor:
    """Fractional coordinates (b, n, 3) at the end, from uniform `start`; `inverse` (b, 3, 3) of the cells, 1/Å.

    `noises` (sampler.draws, b, n, 3) standard normal.
    """
    if sampler.kind == "langevin":
        return _langevin(sampler, field, start, inverse, iter(noises))
    if sampler.kind == "flow":
        return _flow(sampler, field, start, inverse, iter(noises))
    raise InputError(f"no sampler of kind {sampler.kind!r}")


def _moved(frac: Tensor, displacement: Tensor, inverse: Tensor) -> Tensor:
    moved = frac + displacement @ inverse
    return moved - moved.floor()


def _langevin(sampler: Sampler, field: Field, frac: Tensor, inverse: Tensor, noises: Iterator[Tensor]) -> Tensor:
    for sigma in sampler.sigmas():
        for _ in range(sampler.steps):
            # step size α = σ²: x + α·score + √(2α)·noise
            frac = _moved(frac, sigma * field(frac, sigma) + 2.0**0.5 * sigma * next(noises), inverse)
    return _denoised(sampler, field, frac, inverse)


def _flow(sampler: Sampler, field: Field, frac: Tensor, inverse: Tensor, noises: Iterator[Tensor]) -> Tensor:
    sigmas = sampler.sigmas()
    for sigma, lower in itertools.pairwise(sigmas):
        for _ in range(sampler.steps):
            frac = _moved(frac, 0.5 * sigma * field(frac, sigma) + sigma * next(noises), inverse)
        fresh = (sampler.churn * lower**2 * (1.0 - lower**2 / sigma**2)) ** 0.5
        target = (lower**2 - fresh**2) ** 0.5
        slope = field(frac, sigma)
        moved = _moved(frac, (sigma - target) * slope, inverse)
        if sampler.second:
            slope = 0.5 * (slope + field(moved, target))
            moved = _moved(frac, (sigma - target) * slope, inverse)
        frac = _moved(moved, fresh * next(noises), inverse) if sampler.churn else moved
    return _denoised(sampler, field, frac, inverse)


def _denoised(sampler: Sampler, field: Field, frac: Tensor, inverse: Tensor) -> Tensor:
    if not sampler.denoise:
        return frac
    return _moved(frac, sampler.smallest * field(frac, sampler.smallest), inverse)
