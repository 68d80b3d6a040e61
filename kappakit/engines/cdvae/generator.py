"""CdvaeGenerator: a stored CDVAE as `kappakit.ports.Generator`, with its latent space's tools."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from kappakit.crystals import Crystal
from kappakit.engines.cdvae import network
from kappakit.engines.cdvae.bank import Bank, encoded
from kappakit.engines.cdvae.batches import niggli, store
from kappakit.engines.cdvae.crystal_file import read_crystals
from kappakit.engines.cdvae.decoding import Decoded, Decoding, Limits, Numbers
from kappakit.engines.cdvae.precision import single_precision
from kappakit.engines.cdvae.priors import Around, LatentDraws, Prior
from kappakit.engines.cdvae.samplers import SAMPLERS
from kappakit.errors import InputError
from kappakit.ports import TRAIN, GeneratedCrystal, GeneratorRef, Progress, TrainingCrystal
from kappakit.protocol import GenerateSettings
from kappakit.seeds import crystal_seed

VERSION = f"cdvae {network.FORMAT} (torch {version('torch')})"
AT_ONCE = {"cpu": 64, "cuda": 512}
"""Crystals of one size decoded together."""
RECONSTRUCTED = Limits(temperature=0.0, likeliest=True)


class CdvaeGenerator:
    """Crystal number i of a campaign comes from its own seed, a hash of (campaign seed, i).

    Batches change nothing but the rounding of sums: coordinates agree within 1e-3 of a lattice vector.
    """

    version = VERSION

    def __init__(self, folder: Path, *, name: str = "", device: str = "") -> None:
        """`device` 'cpu' or 'cuda'; '': a GPU where torch sees one. Raises InputError for a damaged folder."""
        self._folder = folder
        self.name = name or folder.name
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        loaded, extra = network.load(folder)
        self.network = loaded.to(self.device)
        self.sha256 = network.digest(folder)
        try:
            self.bank = Bank.from_tensors(extra)
        except KeyError as error:
            raise InputError(f"{folder} lacks the bank of latent vectors: {error}") from error

    @cached_property
    def species(self) -> tuple[str, ...]:
        """Chemical symbols that it knows."""
        return self.network.description.species

    @cached_property
    def _distinct(self) -> np.ndarray:
        """Which crystals of the bank are the first of their kind; raises InputError for another data set's file."""
        marks = np.array([given.distinct for given in self.training_set() if given.part == TRAIN], dtype=bool)
        if len(marks) != len(self.bank):
            raise InputError(f"{self._folder} holds {len(marks)} training crystals, its bank {len(self.bank)}")
        return marks

    def training_set(self) -> list[TrainingCrystal]:
        """The crystals that it learned from and those held out; raises InputError for a damaged file."""
        return read_crystals(self._folder)

    def file(self, name: str) -> Path | None:
        """A file that is stored beside the weights, None where there is none."""
        path = self._folder / name
        return path if path.exists() else None

    @single_precision()
    def generate(
        self,
        *,
        seed: int,
        start: int,
        count: int,
        settings: GenerateSettings,
        centres: Sequence[Crystal] = (),
        progress: Progress,
    ) -> list[GeneratedCrystal]:
        """Crystals of the sequence, or about and between `centres`.

        Raises InputError for an unknown sampler or prior, an element that the network does not know, and limits that
        no cell of it fits.
        """
        indices = range(start, start + count)
        if not indices:
            return []
        if settings.min_volume > settings.max_volume:
            raise InputError("the smallest volume of a generated crystal is above the largest")
        numbers = [Numbers.of(crystal_seed(seed, index), self.network.architecture.latent) for index in indices]
        z = self._latents(numbers, indices, settings, centres)
        limits = Limits(
            settings.min_atoms,
            settings.max_atoms,
            settings.min_volume,
            settings.max_volume,
            settings.lattice_temperature,
        )
        made = self._decode(z, numbers, limits, settings, progress)
        return [
            GeneratedCrystal(found.crystal, index, drawn.seed, latent.astype(np.float32), found.distance)
            for found, index, drawn, latent in zip(made, indices, numbers, z, strict=True)
        ]

    @single_precision()
    def reconstruct(
        self, crystals: Sequence[Crystal], *, seed: int, settings: GenerateSettings, progress: Progress
    ) -> list[Crystal]:
        """Each crystal encoded, one sample of its posterior decoded again: likeliest number of atoms and lattice."""
        if not crystals:
            return []
        means, widths = self.encode(crystals)
        numbers = [Numbers.of(crystal_seed(seed, i), self.network.architecture.latent) for i in range(len(crystals))]
        z = means + widths * np.stack([n.latent for n in numbers])
        return [found.crystal for found in self._decode(z, numbers, RECONSTRUCTED, settings, progress)]

    def _decode(
        self, z: np.ndarray, numbers: Sequence[Numbers], limits: Limits, settings: GenerateSettings, progress: Progress
    ) -> list[Decoded]:
        if settings.sampler not in SAMPLERS:
            raise InputError(f"no sampler {settings.sampler!r}; there are {', '.join(SAMPLERS)}")
        sampler, batch = SAMPLERS[settings.sampler], AT_ONCE[self.device.type]
        decoding = Decoding(self.network, z, numbers, limits=limits, sampler=sampler, batch=batch)
        return decoding.run(settings.tries, lambda done, note: progress(done, len(z), f"crystals {note}"))

    @single_precision()
    def encode(self, crystals: Sequence[Crystal]) -> tuple[np.ndarray, np.ndarray]:
        """Means and widths (m, latent) of the crystals' posteriors; raises InputError for an unknown element."""
        unknown = sorted({s for c in crystals for s in c.symbols} - set(self.species))
        if unknown:
            raise InputError(f"{self.name} knows {', '.join(self.species)}, not {', '.join(unknown)}")
        if not crystals:
            return np.zeros((0, self.network.architecture.latent)), np.zeros((0, self.network.architecture.latent))
        reduced = [niggli(crystal) for crystal in crystals]
        return encoded(self.network, store(reduced, self.species).to(self.device))

    def _latents(
        self, numbers: Sequence[Numbers], indices: Sequence[int], settings: GenerateSettings, centres: Sequence[Crystal]
    ) -> np.ndarray:
        draws = LatentDraws(np.stack([n.prior for n in numbers]), np.stack([n.latent for n in numbers]))
        if centres:
            means, widths = self.encode(centres)
            return Around(means, widths, settings.temperature, settings.count).draw(draws, indices)
        return self._prior(settings).draw(draws)

    def _prior(self, settings: GenerateSettings) -> Prior:
        bank = self.bank.only(self._distinct) if settings.distinct else self.bank
        if settings.simple:
            bank = bank.simple(settings.max_atoms, settings.simple_operations)
        return Prior(settings.prior, bank, settings.temperature)


def load(ref: GeneratorRef) -> CdvaeGenerator:
    """The generator of a reference; raises InputError for damaged weights or a digest that differs."""
    generator = CdvaeGenerator(Path(ref.folder), name=ref.name)
    if ref.sha256 and ref.sha256 != generator.sha256:
        raise InputError(f"the weights in {ref.folder} are not those of {ref.name}: their sha256 differs")
    return generator
