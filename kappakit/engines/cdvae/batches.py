"""Crystals as tensors: one flat store, and padded batches of crystals of like size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import spglib
import torch
from torch import Tensor

from kappakit.crystals import Crystal
from kappakit.engines.cdvae.geometry import cells_from_parameters, parameters_of, ragged

WASTE = 1.35
"""A bucket's largest crystal has at most this many times the atoms of its smallest."""


@dataclass(frozen=True, eq=False)
class Batch:
    """b crystals padded to n atoms: frac (b, n, 3), cells (b, 3, 3) Å, types (b, n), mask (b, n), counts (b,)."""

    frac: Tensor
    cells: Tensor
    types: Tensor
    mask: Tensor
    counts: Tensor

    def part(self, start: int, stop: int) -> Batch:
        """Some of the crystals."""
        return Batch(*(t[start:stop] for t in (self.frac, self.cells, self.types, self.mask, self.counts)))


@dataclass(frozen=True, eq=False)
class Store:
    """m crystals, atoms one after the other: counts (m,), frac (Σ, 3), types (Σ,), cells (m, 3, 3) Å, on one device."""

    counts: Tensor
    frac: Tensor
    types: Tensor
    cells: Tensor

    def batch(self, chosen: Tensor, atoms: int = 0) -> Batch:
        """The crystals `chosen` (b,), padded to their largest, or to `atoms`."""
        counts = self.counts[chosen]
        n = atoms or int(counts.max())
        first = torch.cumsum(self.counts, 0) - self.counts
        crystal, atom = ragged(counts)
        source = first[chosen][crystal] + atom
        frac = self.frac.new_zeros(len(chosen), n, 3)
        types = self.types.new_zeros(len(chosen), n)
        frac[crystal, atom] = self.frac[source]
        types[crystal, atom] = self.types[source]
        mask = torch.arange(n, device=counts.device)[None] < counts[:, None]
        return Batch(frac, self.cells[chosen], types, mask, counts)

    def to(self, device: torch.device) -> Store:
        """The same on another device."""
        return Store(*(t.to(device) for t in (self.counts, self.frac, self.types, self.cells)))


def niggli(crystal: Crystal) -> Crystal:
    """Niggli-reduced and turned so that a lies along x and b in the x-y plane: equal crystals look equal."""
    reduced = spglib.niggli_reduce(crystal.cell)
    cell = crystal.cell if reduced is None else reduced
    frac = crystal.positions @ np.linalg.inv(cell)
    lengths, angles = parameters_of(torch.tensor(np.array(cell))[None])
    return Crystal(cells_from_parameters(lengths, angles)[0].numpy(), frac - np.floor(frac), crystal.numbers)


def store(crystals: Sequence[Crystal], species: Sequence[str]) -> Store:
    """The crystals as they are, types numbered as in `species`."""
    number = {symbol: index for index, symbol in enumerate(species)}
    types = [number[symbol] for crystal in crystals for symbol in crystal.symbols]
    return Store(
        torch.tensor([c.n_atoms for c in crystals]),
        torch.from_numpy(np.concatenate([c.frac for c in crystals])).float(),
        torch.tensor(types),
        torch.from_numpy(np.stack([c.cell for c in crystals])).float(),
    )


@dataclass(frozen=True, eq=False)
class Bucket:
    """Indices of crystals of like size, and the atoms of the largest."""

    indices: np.ndarray
    atoms: int


def buckets(counts: Sequence[int]) -> list[Bucket]:
    """Crystals by size, small ones first."""
    sizes = np.asarray(counts)
    found: list[list[int]] = []
    for size in np.unique(sizes).tolist():
        if not found or size > WASTE * found[-1][0]:
            found.append([])
        found[-1].append(size)
    return [Bucket(np.flatnonzero(np.isin(sizes, group)), group[-1]) for group in found]


def epoch_batches(homes: Sequence[Bucket], size: int, seed: Sequence[int]) -> list[Bucket]:
    """Crystals shuffled within their buckets, cut into batches of one size a bucket, the batches shuffled.

    What does not fill a batch waits for another epoch: batches of one bucket all have one shape.
    """
    rng = np.random.default_rng(list(seed))
    made = []
    for home in homes:
        order = rng.permutation(home.indices)
        full = min(size, len(order))
        starts = range(0, len(order) - full + 1, full)
        made += [Bucket(order[start : start + full], home.atoms) for start in starts]
    return [made[index] for index in rng.permutation(len(made))]
