"""Integration weights for some triplets of a grid point at a time: what the tetrahedron method needs of the grid."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
import torch
from phonopy.phonon.tetrahedron_method import get_tetrahedra_relative_gr_grid_address

from kappakit.engines.boltzmann.tetrahedron import average, fill


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
        self._held = np.empty(0)

    def weights(self, numbers: np.ndarray, kinds: int) -> tuple[np.ndarray, np.ndarray]:
        """((t,) numbers of triplets that can conserve energy, (kinds, t, b, f, b) their weights per THz), of the given.

        Axes: band of q1, of q0, of q2. kinds: 2 for linewidths, 3 with the one of the collision matrix. The next call
        overwrites the weights.
        """
        pp = self._pp
        triplets = pp.get_triplets_at_q()[0][numbers]
        points = np.ascontiguousarray(pp.phonons.frequencies[pp.grid_point][pp.band_indices])
        bands = pp.phonons.frequencies.shape[1]
        g = self._array((kinds, len(triplets), bands, len(points), bands))
        allowed = np.empty(len(triplets), dtype=bool)
        second, third = self._surroundings(triplets[:, 1], 1), self._surroundings(triplets[:, 2], -1)
        degenerate = pp.phonons.degenerate_ids if pp.average_degenerate_weights else None

        def run(part: slice) -> None:
            fill(g[:, part], allowed[part], points, second[part], third[part], self._corners, self._centre)
            if degenerate is not None:
                average(g[:, part], degenerate[triplets[part, 1]], degenerate[triplets[part, 2]])

        _in_threads(run, len(triplets))
        return (numbers, g) if allowed.all() else (numbers[allowed], np.ascontiguousarray(g[:, allowed]))

    def _array(self, shape: tuple[int, ...]) -> np.ndarray:
        if self._held.size < prod(shape):
            self._held = np.empty(prod(shape))
        return self._held[: prod(shape)].reshape(shape)

    def _surroundings(self, points: np.ndarray, sign: int) -> np.ndarray:
        """(t, b, c) THz: frequencies at grid points moved by ± the tetrahedra's steps; negative ones count as 0."""
        grid = self._pp.bz_grid
        moved = np.mod(grid.addresses[points][:, None] + sign * self._around[None], self._divisions)
        first, second, _ = self._divisions
        numbers = moved[..., 0] + first * (moved[..., 1] + second * moved[..., 2])
        found = np.maximum(self._pp.phonons.frequencies[grid.grg2bzg[numbers]], 0.0)
        return np.ascontiguousarray(found.transpose(0, 2, 1))


def _in_threads(run: Any, size: int) -> None:
    """Halves, thirds, … of a range, one for each thread that torch may use."""
    threads = min(torch.get_num_threads(), size)
    bounds = np.linspace(0, size, threads + 1).astype(int)
    parts = [slice(begin, end) for begin, end in pairwise(bounds)]
    if threads == 1:
        run(parts[0])
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, parts))
