"""From latent vectors to crystals: number, lattice, types, coordinates; each crystal by its own random numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from kappakit.crystals import Crystal
from kappakit.elements import number_of
from kappakit.engines.cdvae.batches import Batch
from kappakit.engines.cdvae.network import CrystalVae
from kappakit.engines.cdvae.parts import Heads
from kappakit.engines.cdvae.samplers import Sampler, sample
from kappakit.errors import InputError

LATTICES = 16
"""Lattices drawn for a crystal before the last one is taken, whatever its volume."""
FEWEST = 8
"""Crystals decoded together at least: below, matrix products on a CPU round in another way."""
CONSISTENT = 1.3
"""Root mean square distance, in widths of the posterior, within which a crystal counts as the one that was meant."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """A crystal, and how far from its latent vector it is encoded again, in widths of its posterior (rms)."""

    crystal: Crystal
    distance: float


@dataclass(frozen=True)
class Limits:
    """What a crystal may be: atoms a cell, Å³/atom. Lattice `temperature` 0: the most likely one; `likeliest`: the
    most likely number of atoms too, as published reconstructions take them."""

    min_atoms: int = 1
    max_atoms: int = 10_000
    min_volume: float = 0.0
    max_volume: float = float("inf")
    temperature: float = 1.0
    likeliest: bool = False


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

    def noises(self, atoms: int, draws: int, attempt: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Uniform types (n,), uniform coordinates (n, 3) and normal displacements (draws, n, 3) of one attempt."""
        rng = np.random.default_rng([self.seed, 1 + attempt])
        return rng.random(atoms), rng.random((atoms, 3)), rng.standard_normal((draws, atoms, 3), dtype=np.float32)


class Decoding:
    """Latent vectors z (b, latent) on their way to crystals: number of atoms and lattice are drawn, then coordinates.

    `batch` crystals of one size are decoded at once; where a device's memory does not suffice, in halves.
    """

    def __init__(
        self,
        network: CrystalVae,
        z: np.ndarray,
        numbers: Sequence[Numbers],
        *,
        limits: Limits,
        sampler: Sampler,
        batch: int,
    ) -> None:
        self.network, self.sampler, self.size, self.asked = network, sampler, batch, len(z)
        enough = np.resize(np.arange(len(z)), max(len(z), FEWEST))
        self.numbers = [numbers[place] for place in enough.tolist()]
        self.z = torch.from_numpy(np.asarray(z, dtype=np.float32)[enough]).to(network.lattice_mean.device)
        self.heads = network.precise_heads
        with torch.no_grad():
            self.counts = _counts(self.heads, self.z.double(), self.numbers, limits)
            self.cells, self.meant = _cells(network, self.z.double(), self.counts, self.numbers, limits)

    def run(self, tries: int, progress: Callable[[int, str], None]) -> list[Decoded]:
        """One crystal a latent vector. What is not CONSISTENT is decoded again, `tries` times in all; the best stays.

        `progress(done, note)` is told how many are decoded for good.
        """
        best: dict[int, Decoded] = {}
        left = list(range(self.asked))
        for attempt in range(tries):
            for place, found in self._round(left, attempt):
                if place not in best or found.distance < best[place].distance:
                    best[place] = found
                done = sum(d.distance <= CONSISTENT for d in best.values()) if tries > 1 else len(best)
                progress(done, f"decoded, attempt {attempt + 1} of {tries}")
            left = [place for place in left if best[place].distance > CONSISTENT]
        progress(self.asked, "decoded")
        return [best[place] for place in range(self.asked)]

    def _round(self, places: Sequence[int], attempt: int) -> Iterator[tuple[int, Decoded]]:
        counts = [int(self.counts[place]) for place in places]
        for size in sorted(set(counts)):
            mine = [place for place, count in zip(places, counts, strict=True) if count == size]
            for start in range(0, len(mine), self.size):
                yield from self._halving(mine[start : start + self.size], size, attempt)

    def _halving(self, places: Sequence[int], atoms: int, attempt: int) -> Iterator[tuple[int, Decoded]]:
        try:
            made = self._of_one_size(places, atoms, attempt)
        except torch.OutOfMemoryError as error:
            if len(places) == 1:
                raise InputError(f"not one crystal of {atoms} atoms fits into the device's memory") from error
            made = None
        if made is not None:
            yield from zip(places, made, strict=False)
            return
        torch.cuda.empty_cache()
        half = len(places) // 2
        for part in (places[:half], places[half:]):
            yield from self._halving(part, atoms, attempt)

    @torch.no_grad()
    def _of_one_size(self, chosen: Sequence[int], atoms: int, attempt: int) -> list[Decoded]:
        places = np.resize(chosen, max(len(chosen), FEWEST)).tolist()
        device, network = self.z.device, self.network
        drawn = [self.numbers[place].noises(atoms, self.sampler.draws, attempt) for place in places]
        uniform, start, noises = (torch.from_numpy(np.stack(parts)).to(device) for parts in zip(*drawn, strict=True))
        z, cells = self.z[places], self.cells[places]
        composition = self.heads.composition(z.double()).softmax(-1).cumsum(-1)[:, None, :-1]
        types = (uniform[..., None] > composition).sum(-1)
        frac, types = coordinates(network, z, cells.float(), types, start.float(), noises.transpose(0, 1), self.sampler)
        distances = self._distances(places, frac, types)
        kinds = np.array([number_of(symbol) for symbol in network.description.species])
        rows = zip(*(t.cpu().numpy() for t in (cells, frac.double(), types, distances)), strict=True)
        return [Decoded(Crystal(cell, where, kinds[what]), float(far)) for cell, where, what, far in rows]

    def _distances(self, places: list[int], frac: Tensor, types: Tensor) -> Tensor:
        """(b,) as Decoded has them, in the lattices that were meant: what a drawn one differs by is no fault."""
        counts = torch.full((len(places),), frac.shape[1], device=frac.device)
        mask = torch.ones_like(types, dtype=torch.bool)
        mean, log_variance = self.network.encode(Batch(frac, self.meant[places].float(), types, mask, counts))
        return ((mean - self.z[places]).square() / log_variance.exp()).mean(1).sqrt()


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

    frac = sample(sampler, field, start, torch.linalg.inv(cells), iter(noises))
    return frac, state["types"]


def _counts(heads: Heads, z: Tensor, numbers: Sequence[Numbers], limits: Limits) -> np.ndarray:
    """(b,) atoms, drawn from the head within the limits."""
    logits = heads.number(z)
    allowed = torch.arange(logits.shape[1], device=z.device)
    allowed = (allowed >= max(1, limits.min_atoms)) & (allowed <= limits.max_atoms)
    if not bool(allowed.any()):
        largest = logits.shape[1] - 1
        raise InputError(f"the generator knows cells of 1 to {largest} atoms: none lies within the limits")
    logits = logits.masked_fill(~allowed, -torch.inf)
    if limits.likeliest:
        return np.asarray(logits.argmax(1).cpu().numpy())
    share = logits.softmax(1).cumsum(1).cpu().numpy()
    uniform = np.array([n.number for n in numbers])[:, None]
    drawn = (uniform * share[:, -1:] >= share).sum(1)
    return np.minimum(drawn, int(allowed.nonzero().max()))


def _cells(
    network: CrystalVae, z: Tensor, counts: np.ndarray, numbers: Sequence[Numbers], limits: Limits
) -> tuple[Tensor, Tensor]:
    """(b, 3, 3) Å twice: the first of a crystal's drawn lattices whose volume lies within the limits, and the centre of
    the component that it was drawn from."""
    atoms = torch.from_numpy(counts).to(z.device)
    mixture = network.precise_heads.lattices(z, atoms)
    if not limits.temperature:
        likeliest = network.cells(mixture.likeliest(), atoms)
        return likeliest, likeliest
    shares = mixture.log_weights.exp().cumsum(1)
    rows = torch.arange(len(z), device=z.device)
    chosen, meant = torch.zeros(2, len(z), 3, 3, dtype=z.dtype, device=z.device)
    left = torch.ones(len(z), dtype=torch.bool, device=z.device)
    for attempt in range(LATTICES):
        uniform = torch.tensor([n.components[attempt] for n in numbers], dtype=z.dtype, device=z.device)
        component = (uniform[:, None] >= shares).sum(1).clamp(max=shares.shape[1] - 1)
        normal = torch.from_numpy(np.stack([n.lattices[attempt] for n in numbers])).to(z.device)
        centre = mixture.means[rows, component]
        cells = network.cells(centre + limits.temperature * mixture.widths[rows, component] * normal, atoms)
        chosen[left], meant[left] = cells[left], network.cells(centre, atoms)[left]
        volume = torch.linalg.det(cells).abs() / atoms
        left &= ~((volume >= limits.min_volume) & (volume <= limits.max_volume))
        if not bool(left.any()):
            break
    return chosen, meant
