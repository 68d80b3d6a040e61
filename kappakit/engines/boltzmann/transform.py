"""FC3 from the lattice to wave vectors: the first phonon once per q0, the second for many q1 at a time."""

from __future__ import annotations

import warnings

import numpy as np
import torch

from kappakit.engines.boltzmann.lattice import LatticeTerms

warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")


class LatticeTransform:
    """The sums over lattice vectors on one mesh, for n atoms and b = 3 n bands."""

    def __init__(self, terms: LatticeTerms, atoms: int, divisions: np.ndarray, device: torch.device) -> None:
        self._atoms, self._device = atoms, device
        self._folded = self._tensor(terms.folded / divisions)
        self._pairs = terms.pairs
        self._vectors = terms.vectors
        self._first = self._tensor(terms.first)
        self._starts = self._tensor(terms.starts)
        self._columns = self._tensor(np.arange(len(terms.values)))
        self._values = self._tensor(terms.values)

    def first(self, q: np.ndarray, modes: torch.Tensor) -> torch.Tensor:
        """(places, f, 3, 3): Σ over L_I and i at q0 = q in reduced coordinates for its modes (b, f)."""
        phases = 2 * np.pi * (self._vectors @ q)
        parts = [self._summed(part).view(self._atoms, -1, 3, 9) for part in (np.cos(phases), np.sin(phases))]
        whole = torch.complex(*(part.transpose(1, 2) for part in parts)).reshape(3 * self._atoms, -1)
        mixed = (modes.T @ whole).view(modes.shape[1], -1, 9)
        return mixed.transpose(0, 1).contiguous()

    def second(self, at_q0: torch.Tensor, addresses: np.ndarray, out: torch.Tensor) -> None:
        """(t, b, f, b) into `out`: Σ over L for grid addresses (t, 3) of q1, of what `first` returned.

        Components j, mode, k.
        """
        angles = 2 * np.pi * (self._tensor(addresses.astype(float)) @ self._folded.T)
        phases = torch.complex(torch.cos(angles), torch.sin(angles))
        n, modes = self._atoms, at_q0.shape[1]
        places = out.view(len(addresses), n, 3, modes, n, 3)
        for pair in range(n * n):
            part = slice(self._pairs[pair], self._pairs[pair + 1])
            block = phases[:, part] @ at_q0[part].view(-1, modes * 9)
            places[:, pair // n, :, :, pair % n] = block.view(-1, modes, 3, 3).transpose(1, 2)

    def _summed(self, phases: np.ndarray) -> torch.Tensor:
        """(n × places, 27): terms times a factor of their L_I, summed over it."""
        size = len(self._starts) - 1, len(self._values)
        factors = self._tensor(phases)[self._first]
        matrix = torch.sparse_csr_tensor(self._starts, self._columns, factors, size, check_invariants=False)
        return matrix @ self._values

    def _tensor(self, values: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(values, device=self._device)
