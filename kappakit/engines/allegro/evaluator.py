"""Batched evaluation of a stored network, and the same network as torch-sim sees it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from nequip.data import AtomicDataDict as keys
from nequip.integrations.torchsim import NequIPTorchSimCalc
from nequip.integrations.utils import basic_transforms

from kappakit.crystals import Crystal
from kappakit.engines.allegro.graphs import Graph, Neighbours, graph, neighbours, padding
from kappakit.engines.allegro.network import Description
from kappakit.ports import Evaluation

CHUNK_EDGES = 3_000
"""Edges evaluated at once: small enough to stay in a laptop's caches (12,000 took twice as long)."""
PADDING_EDGES = 2


class PaddedModel(torch.nn.Module):
    """Appends one crystal without interaction to every batch and takes it off the result.

    Compiled code needs at least two crystals and two edges; so a single crystal, or one whose atoms are all out of
    reach of each other, takes the same way as any other.
    """

    def __init__(self, model: torch.nn.Module, cutoff: float) -> None:
        super().__init__()
        self.model = model
        self._dummy = graph([padding(cutoff, 1, PADDING_EDGES)])

    def forward(self, data: Graph) -> Graph:
        atoms, frames = len(data[keys.POSITIONS_KEY]), len(data[keys.NUM_NODES_KEY])
        out = self.model(self._joined(data, atoms, frames))
        return {
            keys.TOTAL_ENERGY_KEY: out[keys.TOTAL_ENERGY_KEY][:frames],
            keys.FORCE_KEY: out[keys.FORCE_KEY][:atoms],
            keys.STRESS_KEY: out[keys.STRESS_KEY][:frames],
        }

    def _joined(self, data: Graph, atoms: int, frames: int) -> Graph:
        offsets = {keys.EDGE_INDEX_KEY: atoms, keys.BATCH_KEY: frames}
        joined = {}
        for key, extra in self._dummy.items():
            dim = 1 if key == keys.EDGE_INDEX_KEY else 0
            joined[key] = torch.cat([data[key], extra + offsets.get(key, 0)], dim).contiguous()
        return joined


class Evaluator:
    """Energies, forces, stresses of crystals by one model on the CPU."""

    def __init__(self, model: torch.nn.Module, description: Description) -> None:
        self.description = description
        self.model = PaddedModel(model, description.architecture.cutoff)

    def evaluate(self, crystals: Sequence[Crystal]) -> list[Evaluation]:
        """One Evaluation a crystal, in order; raises InputError for an unknown element."""
        cutoff, species = self.description.architecture.cutoff, self.description.species
        parts = (neighbours(crystal, cutoff, species) for crystal in crystals)
        return [evaluation for chunk in chunks(parts, CHUNK_EDGES) for evaluation in self._chunk(chunk)]

    def _chunk(self, parts: list[Neighbours]) -> list[Evaluation]:
        out = {key: value.detach().numpy() for key, value in self.model(graph(parts)).items()}
        ends = np.cumsum([len(p.types) for p in parts])[:-1]
        forces = np.split(out[keys.FORCE_KEY].astype(float), ends)
        stresses = out[keys.STRESS_KEY].astype(float)
        return [
            Evaluation(float(energy), force.copy(), 0.5 * (stress + stress.T))
            for energy, force, stress in zip(out[keys.TOTAL_ENERGY_KEY][:, 0], forces, stresses, strict=True)
        ]

    def torchsim_model(self) -> NequIPTorchSimCalc:
        """The model for torch-sim, neighbour lists by matscipy."""
        species = list(self.description.species)
        cutoff = self.description.architecture.cutoff
        transforms = basic_transforms({}, cutoff, species, {s: s for s in species}, neighborlist_backend="matscipy")
        return NequIPTorchSimCalc(self.model, device="cpu", transforms=transforms)


def chunks(parts: Iterator[Neighbours], most_edges: int) -> Iterator[list[Neighbours]]:
    """Crystals in order, together as long as they have at most `most_edges` edges; a larger one goes alone."""
    chunk: list[Neighbours] = []
    edges = 0
    for part in parts:
        if chunk and edges + part.edges.shape[1] > most_edges:
            yield chunk
            chunk, edges = [], 0
        chunk.append(part)
        edges += part.edges.shape[1]
    if chunk:
        yield chunk
