"""From noise to coordinates: annealed Langevin dynamics as published, a better annealing, and the probability flow.

With o = σ · score the denoised estimate is x + σ·o, and the flow is dx/dσ = −o (Y. Song et al., arXiv 2011.13456). A
Langevin step x + cσ·o + bσ·noise with b² = 2c, the published one at c = 1, keeps noise of width σ·√(2 / (2 − c)), not
σ; with b² = 2c − c² (an exact Ornstein–Uhlenbeck step) it keeps σ, which is what a network that is told the noise
expects. Atoms take their order between about 1 and 0.15 Å: that is where steps are worth their time.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import Tensor

Field = Callable[[Tensor, float], Tensor]
"""field(frac (b, n, 3), σ in Å) → o (b, n, 3)."""


@dataclass(frozen=True)
class Sampler:
    """How noise becomes a crystal.

    `levels` widths (Å) in geometric sequence from `largest` to `knee`, `tail` more to `smallest`. At each level `steps`
    Langevin steps of size `pull` (c above; one of full size in the tail), their noise `exact` or as published, times
    `warmth`: below 1 a crystal settles sooner, in fewer steps. `flow`: between levels an Euler step of the reverse
    diffusion with the share `churn` of fresh noise (0: deterministic). `denoise`: end on the denoised estimate.
    """

    name: str
    levels: int
    largest: float = 4.0
    knee: float = 0.02
    tail: int = 0
    smallest: float = 0.02
    steps: int = 1
    pull: float = 1.0
    warmth: float = 1.0
    exact: bool = True
    flow: bool = False
    churn: float = 0.0
    denoise: bool = True

    @property
    def calls(self) -> int:
        """Evaluations of the network for a crystal."""
        return self.steps * self.levels + self.tail + self.flow * (self.levels - 1) + self.denoise

    @property
    def draws(self) -> int:
        """Standard normal (n, 3) arrays that it takes."""
        return self.steps * self.levels + self.tail + (self.flow and self.churn > 0.0) * (self.levels - 1)

    def sigmas(self) -> list[float]:
        """The levels above the tail, largest first."""
        return _geometric(self.largest, self.knee, self.levels)

    def tail_sigmas(self) -> list[float]:
        """The levels of the tail."""
        return _geometric(self.knee, self.smallest, self.tail + 1)[1:]


def _geometric(first: float, last: float, count: int) -> list[float]:
    return [first * (last / first) ** (index / max(count - 1, 1)) for index in range(count)]


SAMPLERS: dict[str, Sampler] = {
    "annealed": Sampler("annealed", levels=30, largest=0.9, knee=0.15, tail=4, warmth=0.5),
    "fine": Sampler("fine", levels=90, largest=0.9, knee=0.15, tail=6, warmth=0.5),
    "flow": Sampler("flow", levels=40, steps=0, flow=True),
    "diffusion": Sampler("diffusion", levels=60, steps=0, flow=True, churn=1.0),
    "published": Sampler(
        "published",
        levels=50,
        largest=10.0,
        knee=0.01,
        smallest=0.01,
        steps=100,
        exact=False,
        denoise=False,
    ),
}
"""By name. annealed: the default; fine: slower, better; flow, diffusion: integrators; published: 5,000 calls."""


def sample(sampler: Sampler, field: Field, start: Tensor, inverse: Tensor, noises: Iterator[Tensor]) -> Tensor:
    """Fractional coordinates (b, n, 3) at the end, from uniform `start`; `inverse` (b, 3, 3) of the cells, 1/Å.

    `noises` gives `sampler.draws` standard normal (b, n, 3).
    """
    frac = start
    for sigma, lower in itertools.zip_longest(sampler.sigmas(), sampler.sigmas()[1:]):
        for _ in range(sampler.steps):
            frac = _langevin(sampler, field, frac, inverse, sigma, sampler.pull, next(noises))
        if sampler.flow and lower is not None:
            frac = _diffusion(field, frac, inverse, sigma, lower, sampler.churn, noises)
    for sigma in sampler.tail_sigmas():
        frac = _langevin(sampler, field, frac, inverse, sigma, 1.0, next(noises))
    if sampler.denoise:
        frac = _moved(frac, sampler.smallest * field(frac, sampler.smallest), inverse)
    return frac


def _moved(frac: Tensor, displacement: Tensor, inverse: Tensor) -> Tensor:
    moved = frac + displacement @ inverse
    return moved - moved.floor()


def _langevin(
    sampler: Sampler, field: Field, frac: Tensor, inverse: Tensor, sigma: float, pull: float, noise: Tensor
) -> Tensor:
    spread = sampler.warmth * (2.0 * pull - pull**2 * sampler.exact) ** 0.5
    return _moved(frac, sigma * (pull * field(frac, sigma) + spread * noise), inverse)


def _diffusion(
    field: Field, frac: Tensor, inverse: Tensor, sigma: float, lower: float, churn: float, noises: Iterator[Tensor]
) -> Tensor:
    """Down from σ to `lower`: below it first, then up again by fresh noise."""
    fresh = (churn * lower**2 * (1.0 - lower**2 / sigma**2)) ** 0.5
    below = (lower**2 - fresh**2) ** 0.5
    displacement = (sigma - below) * field(frac, sigma)
    if churn:
        displacement = displacement + fresh * next(noises)
    return _moved(frac, displacement, inverse)
