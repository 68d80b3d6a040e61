"""From latent vectors to crystals: number, lattice, types, coordinates; each crystal by its own random numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from kappakit.crystals import Crystal
from kappakit.elements import number_of
from kappakit.engines.cdvae.network import CrystalVae
from kappakit.engines.cdvae.samplers import Sampler, sample
from kappakit.errors import InputError

LATTICES = 16
"""Lattices drawn for a crystal before the last one is taken, whatever its volume."""


@dataclass(frozen=True)
class Limits:
    """What a crystal may be: atoms a cell, Å³/atom. Lattice `temperature` 0: the most likely one."""

    min_atoms: int = 1
    max_atoms: int = 10_000
    min_volume: float = 0.0
    max_volume: float = float("inf")
    temperature: float = 1.0


@dataclass(frozen=True, eq=False)
class Numbers:
    """All that is random in one crystal: uniform numbers and standard normal ones, drawn once from its seed."""

    prior: np.ndarray
    latent: np.ndarray
    number: float
    components: np.ndarray
    lattices: np.ndarray
    seed: int

    @classmethod
    def of(cls, seed: int, latent: int) -> Numbers:
        """Of a seed, whatever the batch."""
        rng = np.random.default_rng([seed, 0])
        return cls(
            rng.random(3),
            rng.standard_normal(latent),
            float(rng.random()),
            rng.random(LATTICES),
            rng.standard_normal((LATTICES, 6)),
            seed,
        )

    def noises(self, atoms: int, draws: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Uniform types (n,), uniform coordinates (n, 3) and normal displacements (draws, n, 3)."""
        rng = np.random.default_rng([self.seed, 1])
        return rng.random(atoms), rng.random((atoms, 3)), rng.standard_normal((draws, atoms, 3), dtype=np.float32)


@torch.no_grad()
def decoded(
    network: CrystalVae, z: np.ndarray, numbers: Sequence[Numbers], limits: Limits, sampler: Sampler, batch: int
) -> Iterator[tuple[int, Crystal]]:
    """(place, crystal) for each latent vector of z (b, latent), crystals of one size together, `batch` at once at most.

    Where a device's memory does not suffice a batch is taken in halves.
    """
    device = network.lattice_mean.device
    latent = torch.from_numpy(np.asarray(z, dtype=np.float32)).to(device)
    counts = _counts(network, latent, numbers, limits)
    cells = _cells(network, latent, counts, numbers, limits)
    for size in np.unique(counts):
        places = np.flatnonzero(counts == size)
        for start in range(0, len(places), batch):
            yield from _halving(network, places[start : start + batch], int(size), latent, cells, numbers, sampler)


def most_likely(network: CrystalVae, z: Tensor, atoms: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Number of atoms (b,) and cells (b, 3, 3) Å of greatest probability, as published reconstructions take them."""
    counts = network.heads.number(z).argmax(1).clamp(min=1) if atoms is None else atoms
    return counts, network.cells(network.heads.lattices(z, counts).likeliest(), counts)


def coordinates(
    network: CrystalVae,
    z: Tensor,
    cells: Tensor,
    types: Tensor,
    start: Tensor,
    noises: Tensor,
    sampler: Sampler,
) -> tuple[Tensor, Tensor]:
    """Fractional coordinates (b, n, 3) and types (b, n) at the end of the sampler; all crystals have n atoms."""
    mask = torch.ones(start.shape[:2], dtype=torch.bool, device=start.device)
    noise = network.description.configuration.noise
    state = {"types": types}

    def field(frac: Tensor, sigma: float) -> Tensor:
        known = min(max(sigma, noise.smallest), noise.largest)
        width = torch.full((len(frac),), known, device=frac.device)
        out, logits = network.decoder(state["types"], mask, network.basis(frac, cells, mask), z, width)
        state["types"] = logits.argmax(-1)
        return out

    frac = sample(sampler, field, start, torch.linalg.inv(cells), noises)
    return frac, state["types"]


def _halving(
    network: CrystalVae,
    places: np.ndarray,
    size: int,
    z: Tensor,
    cells: Tensor,
    numbers: Sequence[Numbers],
    sampler: Sampler,
) -> Iterator[tuple[int, Crystal]]:
    try:
        made = _of_one_size(network, places, size, z, cells, numbers, sampler)
    except torch.OutOfMemoryError as error:
        if len(places) == 1:
            raise InputError(f"not even one crystal of {size} atoms fits into the device's memory") from error
        made = None
    if made is not None:
        yield from zip(places.tolist(), made, strict=True)
        return
    torch.cuda.empty_cache()
    half = len(places) // 2
    for part in (places[:half], places[half:]):
        yield from _halving(network, part, size, z, cells, numbers, sampler)


def _of_one_size(
    network: CrystalVae,
    places: np.ndarray,
    size: int,
    z: Tensor,
    cells: Tensor,
    numbers: Sequence[Numbers],
    sampler: Sampler,
) -> list[Crystal]:
    device = z.device
    drawn = [numbers[place].noises(size, sampler.draws) for place in places]
    uniform, start, noises = (np.stack(parts) for parts in zip(*drawn, strict=True))
    mine, box = z[places], cells[places]
    composition = network.heads.composition(mine).softmax(-1).cumsum(-1)[:, None, :-1]
    types = (torch.from_numpy(uniform).to(device).float()[..., None] > composition).sum(-1)
    frac, types = coordinates(
        network,
        mine,
        box,
        types,
        torch.from_numpy(start).float().to(device),
        torch.from_numpy(noises).to(device).transpose(0, 1).contiguous(),
        sampler,
    )
    kinds = np.array([number_of(symbol) for symbol in network.description.species])
    found = zip(box.double().cpu().numpy(), frac.double().cpu().numpy(), types.cpu().numpy(), strict=True)
    return [Crystal(cell, where, kinds[what]) for cell, where, what in found]


def _counts(network: CrystalVae, z: Tensor, numbers: Sequence[Numbers], limits: Limits) -> np.ndarray:
    """(b,) atoms, drawn from the head within the limits."""
    logits = network.heads.number(z).double()
    allowed = torch.arange(logits.shape[1], device=z.device)
    allowed = (allowed >= max(1, limits.min_atoms)) & (allowed <= limits.max_atoms)
    if not bool(allowed.any()):
        largest = logits.shape[1] - 1
        raise InputError(f"the generator knows cells of 1 to {largest} atoms: none lies within the limits")
    share = logits.masked_fill(~allowed, -torch.inf).softmax(1).cumsum(1).cpu().numpy()
    uniform = np.array([n.number for n in numbers])[:, None]
    drawn = (uniform * share[:, -1:] >= share).sum(1)
    return np.minimum(drawn, int(allowed.nonzero().max()))


def _cells(network: CrystalVae, z: Tensor, counts: np.ndarray, numbers: Sequence[Numbers], limits: Limits) -> Tensor:
    """(b, 3, 3) Å: for each crystal the first of its drawn lattices whose volume lies within the limits."""
    atoms = torch.from_numpy(counts).to(z.device)
    mixture = network.heads.lattices(z, atoms)
    if not limits.temperature:
        return most_likely(network, z, atoms)[1]
    shares = mixture.log_weights.exp().cumsum(1)
    rows = torch.arange(len(z), device=z.device)
    chosen = torch.zeros(len(z), 3, 3, device=z.device)
    open_ones = torch.ones(len(z), dtype=torch.bool, device=z.device)
    for attempt in range(LATTICES):
        uniform = torch.tensor([n.components[attempt] for n in numbers], device=z.device)
        component = (uniform[:, None] >= shares).sum(1).clamp(max=shares.shape[1] - 1)
        normal = torch.from_numpy(np.stack([n.lattices[attempt] for n in numbers])).float().to(z.device)
        width = limits.temperature * mixture.widths[rows, component]
        cells = network.cells(mixture.means[rows, component] + width * normal, atoms)
        chosen[open_ones] = cells[open_ones]
        volume = torch.linalg.det(cells).abs() / atoms
        open_ones &= ~((volume >= limits.min_volume) & (volume <= limits.max_volume))
        if not bool(open_ones.any()):
            break
    return chosen
