"""Linewidths of one grid point after the other: chunks of triplets, all temperatures from the same sums."""

from __future__ import annotations

from typing import Any

import numpy as np
from phono3py.conductivity.grid_point_data import ScatteringResult
from phono3py.phonon3.imag_self_energy import ImagSelfEnergy, average_by_degeneracy

from kappakit.engines.boltzmann.interaction import TorchInteraction
from kappakit.engines.boltzmann.memory import device_memory
from kappakit.engines.boltzmann.occupations import occupations
from kappakit.engines.boltzmann.weights import Elements, Tetrahedra


class LinewidthSums:
    """Half linewidths γ(λ0) of one grid point, summed over portions of its triplets.

    γ = Σ w |Φ|² [(n1 + n2 + 1) g0 + (n1 − n2) g1], with phono3py's weights g0 and g1 of one kind of process each. The
    occupations depend on one band alone, so the sums over the other one are shared by all temperatures.
    """

    def __init__(self, interaction: TorchInteraction, temperatures: np.ndarray) -> None:
        self._pp, self._temperatures = interaction, temperatures
        self._total = np.zeros((len(temperatures), len(interaction.band_indices)))

    def add(self, elements: Elements, strengths: np.ndarray) -> None:
        """Elements with their strengths (e,) eV²."""
        triplets, multiplicity = self._pp.get_triplets_at_q()[:2]
        assert triplets is not None
        assert multiplicity is not None
        weighted = strengths * multiplicity[elements.numbers][elements.triplet]
        created, absorbed = elements.weights[0] * weighted, elements.weights[1] * weighted
        by_second = self._summed(elements, elements.second, created + absorbed)
        by_third = self._summed(elements, elements.third, created - absorbed)
        _, second, third = triplets[elements.numbers].T
        self._total += np.einsum("xtj,tjf->xf", self._occupied(second), by_second, optimize=True)
        self._total += np.einsum("xtk,tkf->xf", self._occupied(third), by_third, optimize=True)
        self._total += np.bincount(elements.first, created, minlength=self._total.shape[1])

    def _summed(self, elements: Elements, bands: np.ndarray, values: np.ndarray) -> np.ndarray:
        """(t, b, f): values (e,) added up over the other band."""
        shape = len(elements.numbers), 3 * len(self._pp.primitive), self._total.shape[1]
        places = (elements.triplet * shape[1] + bands) * shape[2] + elements.first
        return np.bincount(places, values, minlength=int(np.prod(shape))).reshape(shape)

    def linewidths(self) -> np.ndarray:
        """(temperatures, f) THz, averaged over degenerate bands."""
        assert self._pp.phonons is not None
        degenerate = self._pp.phonons.degenerate_ids[self._pp.grid_point]
        return average_by_degeneracy(self._total * unit(self._pp), self._pp.band_indices, degenerate)

    def _occupied(self, points: np.ndarray) -> np.ndarray:
        assert self._pp.phonons is not None
        frequencies = self._pp.phonons.frequencies[points]
        return occupations(frequencies, self._temperatures, self._pp.cutoff_frequency)


class TorchScatteringSolver:
    """Implements phono3py's ScatteringSolver for RTACalculator."""

    gamma_N = gamma_U = gamma_detail_at_q = None
    is_full_pp = False

    def __init__(self, interaction: TorchInteraction, tetrahedra: Tetrahedra, temperatures: np.ndarray) -> None:
        self._pp, self._tetrahedra, self._temperatures = interaction, tetrahedra, temperatures

    @device_memory()
    def compute(self, grid_point: int) -> ScatteringResult:
        """gamma (1, temperatures, bands of q0) THz."""
        self._pp.set_grid_point(grid_point)
        sums = LinewidthSums(self._pp, self._temperatures)
        for numbers in self._pp.portions():
            elements = self._tetrahedra.elements(numbers, 2)
            if len(elements.numbers):
                sums.add(elements, self._pp.strengths_of(elements))
        return ScatteringResult(gamma=sums.linewidths()[None])


def unit(interaction: Any) -> float:
    """From eV² / THz to THz, as phono3py's ImagSelfEnergy converts."""
    return ImagSelfEnergy(interaction).unit_conversion_factor
