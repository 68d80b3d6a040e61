"""Where latent vectors come from: the normal prior, a mixture fitted to the bank, the bank's posteriors, between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kappakit.engines.cdvae.bank import Bank
from kappakit.errors import InputError
from kappakit.mixtures import Mixture, fit_mixture

NORMAL, MIXTURE, POSTERIOR, BETWEEN = "normal", "mixture", "posterior", "between"
NEAREST = 8
"""A latent vector between two crystals lies on the way to one of so many nearest."""
COMPONENTS = 24
VARIANCE = 0.995
"""Share of the bank's variance that the mixture's subspace keeps."""


@dataclass(frozen=True, eq=False)
class LatentDraws:
    """What is random in b latent vectors: `choices` (b, 3) uniform, `normals` (b, latent) standard normal."""

    choices: np.ndarray
    normals: np.ndarray


class Prior:
    """A named way to draw latent vectors. `temperature` scales the spread about what is drawn from."""

    def __init__(self, kind: str, bank: Bank, temperature: float) -> None:
        if kind not in (NORMAL, MIXTURE, POSTERIOR, BETWEEN):
            raise InputError(f"no prior {kind!r}")
        if kind != NORMAL and len(bank) < 2:
            raise InputError("no training crystal is so small and symmetric: ask for more atoms or less symmetry")
        self.kind, self.bank, self.temperature = kind, bank, temperature

    def draw(self, draws: LatentDraws) -> np.ndarray:
        """(b, latent)."""
        if self.kind == NORMAL:
            return self.temperature * draws.normals
        if self.kind == MIXTURE:
            return self._mixture.draw(draws.choices[:, 0], draws.normals, self.temperature)
        first = _index(draws.choices[:, 0], len(self.bank))
        return self._centres(first, draws.choices) + self.temperature * self.bank.widths[first] * draws.normals

    def _centres(self, first: np.ndarray, choices: np.ndarray) -> np.ndarray:
        means = self.bank.means
        if self.kind == POSTERIOR:
            return means[first]
        other = np.array([_neighbour(means, a, u) for a, u in zip(first, choices[:, 1], strict=True)])
        share = choices[:, 2:3]
        return (1.0 - share) * means[first] + share * means[other]

    @cached_property
    def _mixture(self) -> Mixture:
        return fit_mixture(self.bank.means, components=min(COMPONENTS, len(self.bank) // 4 + 1), variance=VARIANCE)


class Around:
    """Latent vectors about chosen crystals: one: its neighbourhood; several: the way from the first to the last."""

    def __init__(self, means: np.ndarray, widths: np.ndarray, temperature: float, count: int) -> None:
        self.means, self.widths, self.temperature, self.count = means, widths, temperature, count

    def draw(self, draws: LatentDraws, indices: Sequence[int]) -> np.ndarray:
        """(b, latent) of the numbers `indices` of the sequence; several centres share `count` evenly."""
        place = (np.asarray(indices) + 0.5) / max(self.count, 1) * (len(self.means) - 1)
        left = np.minimum(place.astype(int), max(len(self.means) - 2, 0))
        right = np.minimum(left + 1, len(self.means) - 1)
        share = (place - left)[:, None]
        centre = (1.0 - share) * self.means[left] + share * self.means[right]
        width = (1.0 - share) * self.widths[left] + share * self.widths[right]
        return centre + self.temperature * width * draws.normals


def _index(uniform: np.ndarray, size: int) -> np.ndarray:
    return np.minimum((uniform * size).astype(int), size - 1)


def _neighbour(means: np.ndarray, first: int, uniform: float) -> int:
    squares = ((means - means[first]) ** 2).sum(1)
    near = np.argsort(squares, kind="stable")[1 : NEAREST + 1]
    return int(near[min(int(uniform * len(near)), len(near) - 1)])
