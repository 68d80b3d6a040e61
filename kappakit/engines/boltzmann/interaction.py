"""phono3py's Interaction with the strengths computed by torch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from phono3py.phonon3.interaction import Interaction

from kappakit.engines.boltzmann.amplitudes import factors, squares
from kappakit.engines.boltzmann.buffers import Buffers
from kappakit.engines.boltzmann.lattice import lattice_terms
from kappakit.engines.boltzmann.terms import legs, shortest_triplets, sites
from kappakit.engines.boltzmann.threads import in_threads
from kappakit.engines.boltzmann.transform import LatticeTransform
from kappakit.engines.boltzmann.weights import Elements

CHUNK_BYTES = 24 * 1024**2
"""Of one complex array over triplets × bands³; five of its size are held. Larger ones leave the cache."""


class TorchInteraction(Interaction):
    """Interaction strengths as batched products of complex matrices in double precision.

    Where fc3 in phonon space is symmetrised after the transformation (`symmetrize_fc3q`) phono3py's own kernel runs.
    """

    def __init__(self, *given: Any, device: str = "cpu", **options: Any) -> None:
        super().__init__(*given, **options)
        self.device = torch.device(device)
        self._transform: LatticeTransform | None = None
        self._buffers = Buffers(self.device)

    def run(self, g_zero: np.ndarray | None = None) -> None:
        """Strengths (triplets, bands of q0, bands, bands) eV² of the grid point that was set, all of them in memory.

        Where g_zero (same shape) is not 0 a strength is not needed and may be anything; a triplet without any needed
        one is left zero.
        """
        if self._symmetrize_fc3q or self._constant_averaged_interaction is not None:
            super().run(g_zero)
            return
        if not self._phonon_all_done:
            self.run_phonon_solver()
        if self._triplets_at_q is None:
            raise RuntimeError("the grid point is not set")
        bands = 3 * len(self._primitive)
        shape = len(self._triplets_at_q), len(self._band_indices), bands, bands
        self._interaction_strength = np.zeros(shape)
        needed = np.arange(shape[0]) if g_zero is None else np.flatnonzero((g_zero == 0).any(axis=(1, 2, 3)))
        for part in self.chunks(needed):
            self._interaction_strength[part] = self.strengths(part).transpose(1, 2).cpu().numpy()
        self._g_zero = g_zero

    def portions(self) -> Iterator[np.ndarray]:
        """The numbers of all triplets of the grid point in portions that memory allows."""
        assert self._triplets_at_q is not None
        return self.chunks(np.arange(len(self._triplets_at_q)))

    def chunks(self, triplets: np.ndarray) -> Iterator[np.ndarray]:
        """The numbers of triplets in portions that memory allows."""
        bands = 3 * len(self._primitive)
        size = max(1, CHUNK_BYTES // (16 * bands * bands * len(self._band_indices)))
        return (triplets[start : start + size] for start in range(0, len(triplets), size))

    def strengths(self, numbers: np.ndarray) -> torch.Tensor:
        """(t, b, bands of q0, b) eV² of some triplets of the grid point, by their numbers.

        Axes: band of q1, of q0, of q2. The next call may overwrite what this one returned.
        """
        half = self._half(numbers)
        whole = self._buffers.get("whole", tuple(half.shape), torch.complex128)
        count, bands = half.shape[:2]
        turned = self._modes(self._third(numbers))
        torch.bmm(half.view(count, -1, bands), turned, out=whole.view(count, -1, bands))
        squared = torch.mul(whole.real, whole.real, out=self._buffers.get("squared", whole.shape, torch.float64))
        squared.addcmul_(whole.imag, whole.imag)
        first, second, third = (self.tensor(found) for found in self._scales(numbers))
        squared *= second[:, :, None, None] * first[None, None, :, None]
        squared *= third[:, None, None, :]
        return squared

    def strengths_of(self, elements: Elements) -> np.ndarray:
        """(e,) eV²: those of single elements, which on a CPU are few enough to be worth picking."""
        where = elements.triplet, elements.second, elements.first, elements.third
        if self.device.type != "cpu":
            return self.strengths(elements.numbers)[tuple(self.tensor(index) for index in where)].cpu().numpy()
        half = torch.view_as_real(self._half(elements.numbers)).flatten(-2).numpy()
        real, imaginary = factors(self._modes(self._third(elements.numbers)).numpy())
        found = np.empty(len(elements.triplet))
        in_threads(
            lambda part: squares(found[part], half, real, imaginary, *(index[part] for index in where)), len(found)
        )
        first, second, third = self._scales(elements.numbers)
        found *= first[elements.first]
        found *= second[elements.triplet, elements.second]
        found *= third[elements.triplet, elements.third]
        return found

    def _half(self, numbers: np.ndarray) -> torch.Tensor:
        """(t, b, f, b): FC3 in modes of q1 and q0, in Cartesian components of the third atom."""
        assert self._triplets_at_q is not None
        second = self._triplets_at_q[numbers, 1]
        at_q0 = self._first()
        count, bands = len(numbers), 3 * len(self._primitive)
        shape = count, bands, at_q0.shape[1], bands
        lattice, half = (self._buffers.get(name, shape, torch.complex128) for name in ("lattice", "half"))
        addresses, modes, transform = self._bz_grid.addresses[second], self._modes(second), self._lattice()

        def run(part: slice) -> None:
            transform.second(at_q0, addresses[part], lattice[part])
            given, out = (array[part].view(part.stop - part.start, bands, -1) for array in (lattice, half))
            torch.bmm(modes[part].transpose(1, 2), given, out=out)

        if self.device.type == "cpu":
            in_threads(run, count)
        else:
            run(slice(0, count))
        return half

    def _third(self, numbers: np.ndarray) -> np.ndarray:
        assert self._triplets_at_q is not None
        return self._triplets_at_q[numbers, 2]

    def _scales(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What the frequencies contribute: of q0 (f,) with the unit, of q1 (t, b), of q2 (t, b)."""
        assert self._triplets_at_q is not None
        first = self._inverse(np.array([self.grid_point]))[0, self._band_indices] * self._unit_conversion
        _, second, third = self._triplets_at_q[numbers].T
        return first, self._inverse(second), self._inverse(third)

    def tensor(self, values: np.ndarray) -> torch.Tensor:
        """On the device of the interaction."""
        return torch.as_tensor(values, device=self.device)

    def set_grid_point(self, grid_point: int, store_triplets_map: bool = False) -> None:
        """Set the q0 of the triplets.

        On the zone's surface the first points of its triplets are equivalent to it by reciprocal lattice vectors. Its
        own eigenvectors stand for theirs, which span the same degenerate sets, so that FC3 is summed once.
        """
        super().set_grid_point(grid_point, store_triplets_map=store_triplets_map)
        self.grid_point = grid_point
        self._at_q0: torch.Tensor | None = None

    def _first(self) -> torch.Tensor:
        """FC3 summed over the first phonon, once a grid point."""
        if self._at_q0 is None:
            q = self._bz_grid.QDinv @ self._bz_grid.addresses[self.grid_point]
            modes = self._modes(np.array([self.grid_point]))[0][:, self.tensor(self._band_indices)]
            self._at_q0 = self._lattice().first(q, modes)
        return self._at_q0

    def _lattice(self) -> LatticeTransform:
        if self._transform is None:
            where, atoms = sites(self._primitive), len(self._primitive)
            rows = self._p2s if len(self._fc3) == self._fc3.shape[1] else slice(None)
            kept = np.argwhere(self._fc3_nonzero_indices[rows])
            parts = list(legs(where, kept, self._all_shortest if self._make_r0_average else None))
            elements = self._fc3[rows][tuple(kept.T)]
            divisions = self._bz_grid.D_diag
            terms = lattice_terms(elements, parts, atoms, self._bz_grid.Q, divisions)
            self._transform = LatticeTransform(terms, atoms, divisions, self.device)
        return self._transform

    def _modes(self, points: np.ndarray) -> torch.Tensor:
        """(t, b, b): eigenvectors with the phases of the atoms' positions and 1 / √mass; columns are bands."""
        assert self._phonons is not None
        q = self._bz_grid.addresses[points] @ self._bz_grid.QDinv.T
        factors = np.exp(2j * np.pi * q @ self._primitive.scaled_positions.T) / np.sqrt(self._masses)
        found = self._phonons.eigenvectors[points] * np.repeat(factors, 3, axis=1)[:, :, None]
        return torch.as_tensor(found, device=self.device)

    def _inverse(self, points: np.ndarray) -> np.ndarray:
        """(t, b): 1 / frequency, 0 for modes at or below the cutoff."""
        assert self._phonons is not None
        frequencies = self._phonons.frequencies[points]
        above = frequencies > self._cutoff_frequency
        return np.where(above, 1 / np.where(above, frequencies, 1.0), 0.0)

    def _get_all_shortest(self) -> None:
        self._all_shortest = shortest_triplets(sites(self._primitive), self._primitive, self._symprec)
