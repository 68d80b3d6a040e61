"""Rows of the collision matrix, one grid point after the other: chunks of triplets, all temperatures at once."""

from __future__ import annotations

import numpy as np
import torch
from phono3py.conductivity.lbte_collision_solver import LBTECollisionResult

from kappakit.engines.boltzmann.interaction import TorchInteraction
from kappakit.engines.boltzmann.linewidths import LinewidthSums, unit
from kappakit.engines.boltzmann.memory import device_memory
from kappakit.engines.boltzmann.occupations import inverse_sinh
from kappakit.engines.boltzmann.weights import Elements, Tetrahedra


class TorchCollisionSolver:
    """Stands for phono3py's LBTECollisionSolver in LBTECalculator.

    rotated (irreducible points, operations): grid points, in the generalized regular grid, that the star of each
    irreducible one consists of; rotations (operations, 3, 3): the same in Cartesian axes.
    """

    def __init__(
        self,
        interaction: TorchInteraction,
        tetrahedra: Tetrahedra,
        temperatures: np.ndarray,
        rotated: np.ndarray,
        rotations: np.ndarray,
    ) -> None:
        self._pp, self._tetrahedra, self._temperatures = interaction, tetrahedra, temperatures
        self._rotated, self._rotations = rotated, rotations

    @device_memory()
    def compute(self, grid_point: int) -> LBTECollisionResult:
        """gamma (1, temperatures, f) THz; collision_row (1, temperatures, f, 3, irreducible points, b, 3) THz."""
        self._pp.set_grid_point(grid_point, store_triplets_map=True)
        sums = LinewidthSums(self._pp, self._temperatures)
        rates = self._rates(sums)
        return LBTECollisionResult(gamma=sums.linewidths()[None], collision_row=self._row(rates)[None])

    def _rates(self, sums: LinewidthSums) -> torch.Tensor:
        """(2, triplets, temperatures, f, b) eV²/THz: |Φ|² g / sinh summed over the third phonon, or over the second."""
        triplets = self._pp.get_triplets_at_q()[0]
        assert triplets is not None
        bands = 3 * len(self._pp.primitive)
        rates = np.zeros((2, len(triplets), len(self._temperatures), len(self._pp.band_indices), bands))
        for numbers in self._pp.portions():
            elements = self._tetrahedra.elements(numbers, 3)
            if len(elements.numbers):
                strengths = self._pp.strengths_of(elements)
                collisions = strengths * elements.weights[2]
                rates[0, elements.numbers] = self._summed(elements, collisions, 2, elements.third, elements.second)
                rates[1, elements.numbers] = self._summed(elements, collisions, 1, elements.second, elements.third)
                sums.add(elements, strengths)
        return self._pp.tensor(rates)

    def _summed(
        self, elements: Elements, collisions: np.ndarray, slot: int, over: np.ndarray, left: np.ndarray
    ) -> np.ndarray:
        """(t, temperatures, f, b): collisions (e,) / sinh of the phonon in that slot, added up over its band."""
        triplets = self._pp.get_triplets_at_q()[0]
        assert triplets is not None
        factors = self._sinh(triplets[elements.numbers, slot])
        shape = len(elements.numbers), len(self._pp.band_indices), factors.shape[2]
        places = (elements.triplet * shape[1] + elements.first) * shape[2] + left
        found = np.empty((shape[0], len(factors), *shape[1:]))
        for number, factor in enumerate(factors):
            values = collisions * factor[elements.triplet, over]
            found[:, number] = np.bincount(places, values, minlength=int(np.prod(shape))).reshape(shape)
        return found

    def _sinh(self, points: np.ndarray) -> np.ndarray:
        assert self._pp.phonons is not None
        return inverse_sinh(self._pp.phonons.frequencies[points], self._temperatures, self._pp.cutoff_frequency)

    def _row(self, rates: torch.Tensor) -> np.ndarray:
        """(temperatures, f, 3, irreducible points, b, 3) THz: Σ over the star of each point, turned by its rotation."""
        triplet, swapped = self._triplet_of_points()
        rotations = self._pp.tensor(self._rotations.reshape(len(self._rotations), 9))
        row = torch.empty((len(self._rotated), *rates.shape[2:], 9), dtype=torch.float64, device=rates.device)
        for number, points in enumerate(self._rotated):
            found = rates[self._index(swapped[points]), self._index(triplet[points])]
            row[number] = torch.tensordot(found, rotations, dims=([0], [0]))
        shaped = row.view(*row.shape[:-1], 3, 3).permute(1, 2, 4, 0, 3, 5) * unit(self._pp)
        return shaped.contiguous().cpu().numpy()

    def _index(self, values: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(values, dtype=torch.int64, device=self._pp.device)

    def _triplet_of_points(self) -> tuple[np.ndarray, np.ndarray]:
        """For every point q1 of the grid: the number of the irreducible triplet that (q0, q1) belongs to, and whether
        q1 stands third in it."""
        _, _, of_point, of_star = self._pp.get_triplets_at_q()
        assert of_point is not None
        assert of_star is not None
        own, number = np.unique(of_point, return_inverse=True)
        return number, (own[number] != of_star).astype(np.int64)
