"""Integration weights of phono3py's linear tetrahedron method, for some triplets of a grid point at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import phonors
from phono3py.phonon3.triplets import _average_weights_over_degenerate_sets as average_over_degenerate_sets
from phonopy.phonon.tetrahedron_method import get_tetrahedra_relative_gr_grid_address


@dataclass(frozen=True, eq=False)
class Tetrahedra:
    """The tetrahedra around a grid point and what phono3py's kernel asks of the grid, gathered once a calculation."""

    interaction: Any
    addresses: np.ndarray

    def weights(self, numbers: np.ndarray, kinds: int) -> tuple[np.ndarray, np.ndarray]:
        """((kinds, t, f, b, b) weights per THz, (t, f, b, b) 1 where all of them are zero) of the chosen triplets.

        kinds: 2 for linewidths, 3 with the one of the collision matrix; f: bands of q0.
        """
        pp = self.interaction
        triplets = np.ascontiguousarray(pp.get_triplets_at_q()[0][numbers])
        frequencies, grid = pp.phonons.frequencies, pp.bz_grid
        points = np.array(frequencies[pp.grid_point][pp.band_indices], dtype="double")
        bands = frequencies.shape[1]
        g = np.zeros((kinds, len(triplets), len(points), bands, bands))
        zero = np.zeros(g.shape[1:], dtype="byte")
        phonors.triplets_integration_weights(
            g,
            zero,
            points,
            self.addresses,
            grid.D_diag,
            triplets,
            frequencies,
            frequencies,
            grid.addresses,
            grid.gp_map,
            grid.store_dense_gp_map * 1 + 1,
            kinds,
        )
        if pp.average_degenerate_weights:
            average_over_degenerate_sets(g, zero, triplets, pp.phonons.degenerate_ids)
        return g, zero


def tetrahedra(interaction: Any) -> Tetrahedra:
    """Of the interaction's grid, averaged over the point group where its options say so."""
    addresses = get_tetrahedra_relative_gr_grid_address(interaction.bz_grid, interaction.symmetrize_tetrahedra)
    return Tetrahedra(interaction, addresses)
