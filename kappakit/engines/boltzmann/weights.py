"""Integration weights for some triplets of a grid point at a time: what the tetrahedron method needs of the grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from phonopy.phonon.tetrahedron_method import get_tetrahedra_relative_gr_grid_address

from kappakit.engines.boltzmann.tetrahedron import collect
from kappakit.engines.boltzmann.threads import in_threads


@dataclass(frozen=True, eq=False)
class Elements:
    """What conserves energy: `numbers` (t,) of triplets of the grid point; of each element (e,) the position of its
    triplet among them and its bands of q1, q0, q2; `weights` (kinds, e) per THz."""

    numbers: np.ndarray
    triplet: np.ndarray
    second: np.ndarray
    first: np.ndarray
    third: np.ndarray
    weights: np.ndarray


class Tetrahedra:
    """The tetrahedra around a grid point, averaged over the point group where the interaction's options say so."""

    def __init__(self, interaction: Any) -> None:
        self._pp = interaction
        addresses = get_tetrahedra_relative_gr_grid_address(interaction.bz_grid, interaction.symmetrize_tetrahedra)
        around, corners = np.unique(addresses.reshape(-1, 3), axis=0, return_inverse=True)
        self._around = around
        self._corners = np.ascontiguousarray(corners.reshape(-1, 4), dtype=np.uint32)
        self._centre = int(np.flatnonzero((around == 0).all(axis=1))[0])
        self._divisions = np.asarray(interaction.bz_grid.D_diag)

    def elements(self, numbers: np.ndarray, kinds: int) -> Elements:
        """Of the triplets of these numbers; those without any are left out.

        kinds: 2 for linewidths, 3 with the one of the collision matrix.
        """
        pp = self._pp
        triplets = pp.get_triplets_at_q()[0][numbers]
        points = np.ascontiguousarray(pp.phonons.frequencies[pp.grid_point][pp.band_indices])
        second, third = self._surroundings(triplets[:, 1], 1), self._surroundings(triplets[:, 2], -1)
        sets = self._sets(triplets)
        shape = len(numbers), second.shape[1], len(points), second.shape[1]

        def run(part: slice) -> tuple[np.ndarray, np.ndarray]:
            room = (part.stop - part.start) * int(np.prod(shape[1:]))
            places, weights = np.empty(room, dtype=np.int64), np.empty((kinds, room))
            given = points, second[part], third[part], sets[:, part], self._corners, self._centre
            count = collect(places, weights, *given)
            return places[:count] + part.start * int(np.prod(shape[1:])), weights[:, :count]

        parts = in_threads(run, len(numbers))
        places = np.concatenate([part[0] for part in parts])
        triplet, second_band, first_band, third_band = np.unravel_index(places, shape)
        present, triplet = np.unique(triplet, return_inverse=True)
        weights = np.concatenate([part[1] for part in parts], axis=1)
        return Elements(numbers[present], triplet, second_band, first_band, third_band, weights)

    def _sets(self, triplets: np.ndarray) -> np.ndarray:
        """(2, t, b): lowest bands of the degenerate sets at q1 and q2; every band its own where none are averaged."""
        known = self._pp.phonons.degenerate_ids
        if not self._pp.average_degenerate_weights:
            known = np.broadcast_to(np.arange(known.shape[1]), known.shape)
        return np.ascontiguousarray(known[triplets[:, 1:].T])

    def _surroundings(self, points: np.ndarray, sign: int) -> np.ndarray:
        """(t, b, c) THz: frequencies at grid points moved by ± the tetrahedra's steps; negative ones count as 0."""
        grid = self._pp.bz_grid
        moved = np.mod(grid.addresses[points][:, None] + sign * self._around[None], self._divisions)
        first, second, _ = self._divisions
        numbers = moved[..., 0] + first * (moved[..., 1] + second * moved[..., 2])
        found = np.maximum(self._pp.phonons.frequencies[grid.grg2bzg[numbers]], 0.0)
        return np.ascontiguousarray(found.transpose(0, 2, 1))
