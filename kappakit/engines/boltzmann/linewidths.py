"""Linewidths of one grid point after the other: chunks of triplets, all temperatures from the same sums."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from phono3py.conductivity.grid_point_data import ScatteringResult
from phono3py.phonon3.imag_self_energy import ImagSelfEnergy, average_by_degeneracy

from kappakit.engines.boltzmann.interaction import TorchInteraction
from kappakit.engines.boltzmann.occupations import occupations
from kappakit.engines.boltzmann.weights import Tetrahedra


class LinewidthSums:
    """Half linewidths γ(λ0) of one grid point, summed over portions of its triplets.

    γ = Σ w |Φ|² [(n1 + n2 + 1) g0 + (n1 − n2) g1], with phono3py's weights g0 and g1 of one kind of process each. The
    occupations depend on one band alone, so the sums over the other one are shared by all temperatures.
    """

    def __init__(self, interaction: TorchInteraction, temperatures: np.ndarray) -> None:
        self._pp, self._temperatures = interaction, temperatures
        shape = len(temperatures), len(interaction.band_indices)
        self._total = torch.zeros(shape, dtype=torch.float64, device=interaction.device)

    def add(self, numbers: np.ndarray, strengths: torch.Tensor, g: torch.Tensor) -> None:
        """Triplets by their numbers (t,): strengths (t, b, f, b) eV², weights (at least 2, t, b, f, b) per THz.

        Overwrites both.
        """
        triplets, multiplicity = self._pp.get_triplets_at_q()[:2]
        assert triplets is not None
        assert multiplicity is not None
        strengths *= self._pp.tensor(multiplicity[numbers])[:, None, None, None]
        created, absorbed = g[0].mul_(strengths), g[1].mul_(strengths)
        by_second = [part.sum(dim=3) for part in (created, absorbed)]
        by_third = [part.sum(dim=1) for part in (created, absorbed)]
        second = self._occupied(triplets[numbers, 1])
        third = self._occupied(triplets[numbers, 2])
        self._total += torch.einsum("xtj,tjf->xf", second, by_second[0] + by_second[1])
        self._total += torch.einsum("xtk,tfk->xf", third, by_third[0] - by_third[1])
        self._total += by_second[0].sum(dim=(0, 1))

    def linewidths(self) -> np.ndarray:
        """(temperatures, f) THz, averaged over degenerate bands."""
        assert self._pp.phonons is not None
        degenerate = self._pp.phonons.degenerate_ids[self._pp.grid_point]
        return average_by_degeneracy(self._total.cpu().numpy() * unit(self._pp), self._pp.band_indices, degenerate)

    def _occupied(self, points: np.ndarray) -> torch.Tensor:
        assert self._pp.phonons is not None
        frequencies = self._pp.phonons.frequencies[points]
        return self._pp.tensor(occupations(frequencies, self._temperatures, self._pp.cutoff_frequency))


class TorchScatteringSolver:
    """Implements phono3py's ScatteringSolver for RTACalculator."""

    gamma_N = gamma_U = gamma_detail_at_q = None
    is_full_pp = False

    def __init__(self, interaction: TorchInteraction, tetrahedra: Tetrahedra, temperatures: np.ndarray) -> None:
        self._pp, self._tetrahedra, self._temperatures = interaction, tetrahedra, temperatures

    def compute(self, grid_point: int) -> ScatteringResult:
        """gamma (1, temperatures, bands of q0) THz."""
        self._pp.set_grid_point(grid_point)
        sums = LinewidthSums(self._pp, self._temperatures)
        for numbers in self._pp.portions():
            chosen, g = self._tetrahedra.weights(numbers, 2)
            if len(chosen):
                sums.add(chosen, self._pp.strengths(chosen), self._pp.tensor(g))
        return ScatteringResult(gamma=sums.linewidths()[None])


def unit(interaction: Any) -> float:
    """From eV² / THz to THz, as phono3py's ImagSelfEnergy converts."""
    return ImagSelfEnergy(interaction).unit_conversion_factor
