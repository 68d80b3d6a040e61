"""Crystals as the tensors that nequip's models read: neighbour lists by matscipy, several crystals in one graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matscipy.neighbours import neighbour_list
from nequip.data import AtomicDataDict as keys

from kappakit.crystals import Crystal
from kappakit.errors import InputError

Graph = dict[str, torch.Tensor]


@dataclass(frozen=True, eq=False)
class Neighbours:
    """One crystal's directed edges. positions (n, 3) Å; cell (3, 3) Å; types (n,); edges (2, m); shifts (m, 3) in
    lattice vectors: edge k runs from atom edges[0, k] to the image shifts[k] of atom edges[1, k]."""

    positions: np.ndarray
    cell: np.ndarray
    types: np.ndarray
    edges: np.ndarray
    shifts: np.ndarray


def neighbours(crystal: Crystal, cutoff: float, species: Sequence[str]) -> Neighbours:
    """All edges shorter than `cutoff` Å; raises InputError for an element outside `species`."""
    unknown = sorted(set(crystal.symbols) - set(species))
    if unknown:
        raise InputError(f"the potential knows {', '.join(species)}, not {', '.join(unknown)}")
    types = np.array([species.index(s) for s in crystal.symbols], dtype=np.int64)
    positions = np.array(crystal.positions)
    i, j, shifts = neighbour_list(
        "ijS", cutoff=float(cutoff), positions=positions, cell=np.array(crystal.cell), pbc=np.array([True] * 3)
    )
    edges = np.stack([i, j]).astype(np.int64)
    return Neighbours(positions, np.array(crystal.cell), types, edges, shifts.astype(np.float64))


def graph(parts: Sequence[Neighbours]) -> Graph:
    """One batch of crystals: contiguous float64 and int64 tensors on the CPU."""
    counts = [len(p.types) for p in parts]
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    arrays = {
        keys.POSITIONS_KEY: np.concatenate([p.positions for p in parts]),
        keys.EDGE_INDEX_KEY: np.concatenate([p.edges + s for p, s in zip(parts, starts, strict=True)], axis=1),
        keys.ATOM_TYPE_KEY: np.concatenate([p.types for p in parts]),
        keys.CELL_KEY: np.stack([p.cell for p in parts]),
        keys.EDGE_CELL_SHIFT_KEY: np.concatenate([p.shifts for p in parts]),
        keys.BATCH_KEY: np.repeat(np.arange(len(parts)), counts),
        keys.NUM_NODES_KEY: np.array(counts, dtype=np.int64),
    }
    return {key: torch.from_numpy(np.ascontiguousarray(array)) for key, array in arrays.items()}


def padding(cutoff: float, atoms: int, edges: int) -> Neighbours:
    """A crystal of `atoms` atoms and `edges` edges without interaction: every edge is twice the cutoff long.

    It fills a batch up to a fixed size, which a captured CUDA graph needs.
    """
    return Neighbours(
        positions=np.zeros((atoms, 3)),
        cell=np.eye(3) * 2.0 * cutoff,
        types=np.zeros(atoms, dtype=np.int64),
        edges=np.zeros((2, edges), dtype=np.int64),
        shifts=np.tile([1.0, 0.0, 0.0], (edges, 1)),
    )
