"""The bank: where the encoder puts the crystals of the training, beside what is known of each. It feeds the priors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from kappakit.crystals import Crystal
from kappakit.engines.cdvae.batches import Store, buckets
from kappakit.engines.cdvae.network import CrystalVae
from kappakit.errors import Rejected
from kappakit.symmetry import find_symmetry

PREFIX = "bank."
CHUNK = 64
SYMPREC, ANGLE_TOLERANCE = 0.1, 1.0
"""The paper's screen: Å and degrees."""


@dataclass(frozen=True, eq=False)
class Bank:
    """m training crystals: posterior means and widths (m, latent); atoms and operations of the primitive cell (m,)."""

    means: np.ndarray
    widths: np.ndarray
    atoms: np.ndarray
    operations: np.ndarray

    def simple(self, max_atoms: int, min_operations: int) -> Bank:
        """Those with few atoms and high symmetry."""
        return self.only((self.atoms <= max_atoms) & (self.operations >= min_operations))

    def only(self, kept: np.ndarray) -> Bank:
        """Those where `kept` (m,) is true."""
        return Bank(self.means[kept], self.widths[kept], self.atoms[kept], self.operations[kept])

    def __len__(self) -> int:
        return len(self.means)

    def tensors(self) -> dict[str, Tensor]:
        """To be stored beside the weights; half precision is far finer than the posterior's width."""
        return {
            PREFIX + "means": torch.from_numpy(self.means).half(),
            PREFIX + "widths": torch.from_numpy(self.widths).half(),
            PREFIX + "atoms": torch.from_numpy(self.atoms),
            PREFIX + "operations": torch.from_numpy(self.operations),
        }

    @classmethod
    def from_tensors(cls, tensors: dict[str, Tensor]) -> Bank:
        """The inverse; raises KeyError where the bank is missing."""
        means, widths = (tensors[PREFIX + name].float().numpy() for name in ("means", "widths"))
        return cls(means, widths, tensors[PREFIX + "atoms"].numpy(), tensors[PREFIX + "operations"].numpy())


@torch.no_grad()
def encoded(network: CrystalVae, crystals: Store) -> tuple[np.ndarray, np.ndarray]:
    """Posterior means and widths (m, latent) of stored crystals, in their order."""
    count = len(crystals.counts)
    means = np.zeros((count, network.architecture.latent), dtype=np.float32)
    widths = np.zeros_like(means)
    for home in buckets(crystals.counts.tolist()):
        for start in range(0, len(home.indices), CHUNK):
            some = home.indices[start : start + CHUNK]
            mean, log_variance = network.encode(crystals.batch(torch.from_numpy(some).to(crystals.counts.device)))
            means[some] = mean.cpu().numpy()
            widths[some] = torch.exp(0.5 * log_variance).cpu().numpy()
    return means, widths


def symmetry_facts(crystals: Sequence[Crystal]) -> tuple[np.ndarray, np.ndarray]:
    """Atoms of the primitive cell and operations of its point group (m,), one operation where spglib finds none."""
    facts = []
    for crystal in crystals:
        try:
            found = find_symmetry(crystal, symprec=SYMPREC, angle_tolerance=ANGLE_TOLERANCE)
            facts.append((found.primitive.n_atoms, found.operations))
        except Rejected:
            facts.append((crystal.n_atoms, 1))
    atoms, operations = zip(*facts, strict=True)
    return np.array(atoms, dtype=np.int32), np.array(operations, dtype=np.int32)
