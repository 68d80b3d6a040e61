"""Training batches: frames packed up to a number of edges, padded to one fixed size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from kappakit.engines.allegro.graphs import Graph, Neighbours, graph, neighbours, padding
from kappakit.ports import Evaluation, LabelledCrystal


@dataclass(frozen=True, eq=False)
class Prepared:
    """One frame with its neighbour list, computed once."""

    parts: Neighbours
    labels: Evaluation


@dataclass(frozen=True)
class Capacity:
    """Size of every batch, the padding crystal included."""

    frames: int
    atoms: int
    edges: int


@dataclass(frozen=True, eq=False)
class Batch:
    """inputs: the graph; energy (b, 1) eV per cell; forces (n, 3) eV/Å; stress (b, 3, 3) eV/Å³; weights: frame (b, 1),
    1 for a frame and 0 for padding; atom (n, 1) likewise; counts (b, 1) atoms of each frame (1 for padding)."""

    inputs: Graph
    targets: Graph


def prepare(frames: Sequence[LabelledCrystal], cutoff: float, species: Sequence[str]) -> list[Prepared]:
    """Neighbour lists of all frames."""
    return [Prepared(neighbours(f.crystal, cutoff, species), f.evaluation) for f in frames]


def edge_count(frame: Prepared) -> int:
    return int(frame.parts.edges.shape[1])


def packed(frames: Sequence[Prepared], order: Sequence[int], capacity: Capacity) -> Iterator[list[Prepared]]:
    """Frames in `order`, greedily filled into lists that fit `capacity` beside one padding crystal."""
    current: list[Prepared] = []
    for index in order:
        candidate = [*current, frames[index]]
        if current and not _fits(candidate, capacity):
            yield current
            candidate = [frames[index]]
        current = candidate
    if current:
        yield current


def _fits(frames: Sequence[Prepared], capacity: Capacity) -> bool:
    atoms = sum(len(f.parts.types) for f in frames)
    return len(frames) < capacity.frames and atoms < capacity.atoms and sum(map(edge_count, frames)) < capacity.edges


def capacity_for(frames: Sequence[Prepared], batch_edges: int) -> Capacity:
    """A capacity of `batch_edges` edges (at least the largest frame's) and the atoms and frames that go with it."""
    edges = max(batch_edges, max(map(edge_count, frames)) + 2)
    mean_edges = float(np.mean([edge_count(f) for f in frames]))
    mean_atoms = float(np.mean([len(f.parts.types) for f in frames]))
    atoms = max(int(1.3 * edges * mean_atoms / mean_edges), max(len(f.parts.types) for f in frames)) + 2
    return Capacity(int(1.5 * edges / mean_edges) + 3, atoms, edges)


def assemble(frames: Sequence[Prepared], cutoff: float, capacity: Capacity | None = None) -> Batch:
    """One batch; with a capacity it is padded to exactly that size."""
    parts = [f.parts for f in frames]
    labels = [f.labels for f in frames]
    if capacity is not None:
        parts, labels = _padded(parts, labels, cutoff, capacity)
    inputs = graph(parts)
    counts = np.array([max(len(p.types), 1) for p in parts], dtype=float)
    real = np.arange(len(parts)) < len(frames)
    targets = {
        "energy": np.array([[e.energy] for e in labels]),
        "forces": np.concatenate([e.forces for e in labels]),
        "stress": np.stack([e.stress for e in labels]),
        "frame_weight": real.astype(float)[:, None],
        "atom_weight": np.repeat(real, [len(p.types) for p in parts]).astype(float)[:, None],
        "counts": counts[:, None],
    }
    return Batch(inputs, {key: torch.from_numpy(np.ascontiguousarray(value)) for key, value in targets.items()})


def _padded(
    parts: list[Neighbours], labels: list[Evaluation], cutoff: float, capacity: Capacity
) -> tuple[list[Neighbours], list[Evaluation]]:
    missing_frames = capacity.frames - len(parts) - 1
    atoms = capacity.atoms - sum(len(p.types) for p in parts)
    edges = capacity.edges - sum(p.edges.shape[1] for p in parts)
    fill = [padding(cutoff, 0, 0)] * missing_frames + [padding(cutoff, atoms, edges)]
    blank = [Evaluation(0.0, np.zeros((len(p.types), 3)), np.zeros((3, 3))) for p in fill]
    return parts + fill, labels + blank
