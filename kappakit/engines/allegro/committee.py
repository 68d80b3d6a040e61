"""A committee of stored Allegro models: all members on one graph in one pass.

The members' parameters and buffers (among them each one's own energy scale, shift and mean number of neighbours) are
stacked along a first dimension, and torch.func maps the network over it: what depends on the geometry alone, distances,
spherical harmonics, radial functions, the ZBL repulsion, is computed once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from nequip.data import AtomicDataDict as keys
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.overrides import TorchFunctionMode

from kappakit.crystals import Crystal
from kappakit.engines.allegro.evaluator import PADDING_EDGES, chunks
from kappakit.engines.allegro.graphs import Graph, Neighbours, graph, neighbours, padding
from kappakit.engines.allegro.potential import AllegroPotential, load_uncompiled
from kappakit.errors import InputError
from kappakit.ports import CommitteeEvaluation, PotentialRef

CHUNK_EDGES = 3000
"""Edges evaluated at once by all members; measured as benchmarks/committee.py does."""

Pass = Callable[[Graph], tuple[torch.Tensor, torch.Tensor]]
"""graph → (dE/dx (m, n, 3), energies (m, crystals)) of m members."""


class OutOfPlaceScatter(TorchFunctionMode):
    """nequip sums over edges by scatter_add_ into fresh zeros, which vmap cannot map: the same, out of place."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.Tensor.scatter_add_:
            func = torch.Tensor.scatter_add
        return func(*args, **(kwargs or {}))


class AllegroCommittee:
    """Members of one architecture and species, in double precision, uncompiled. As kappakit.ports.Committee."""

    def __init__(self, members: Sequence[AllegroPotential]) -> None:
        """Raises InputError where the members do not fit together."""
        if not members:
            raise InputError("a committee has members")
        first = members[0].description
        if any((m.description.architecture, m.species) != (first.architecture, first.species) for m in members):
            raise InputError("the members of a committee are of one architecture and of the same elements")
        self._members, self.size = tuple(members), len(members)
        self._cutoff, self._species = first.architecture.cutoff, first.species
        self._pass = _batched([_energy_part(member.network) for member in members])

    def evaluate(self, crystals: Sequence[Crystal]) -> list[CommitteeEvaluation]:
        """All members on each crystal; raises InputError on an element that they do not know."""
        parts = [neighbours(crystal, self._cutoff, self._species) for crystal in crystals]
        return [found for chunk in chunks(iter(parts), CHUNK_EDGES) for found in self._chunk(chunk)]

    def member(self, index: int) -> AllegroPotential:
        """One member by itself, uncompiled."""
        return self._members[index]

    def _chunk(self, parts: list[Neighbours]) -> list[CommitteeEvaluation]:
        # The last crystal has no interaction: it keeps a chunk of isolated atoms from being one without edges.
        gradient, energies = self._pass(graph([*parts, padding(self._cutoff, 1, PADDING_EDGES)]))
        ends = np.cumsum([len(part.types) for part in parts])
        forces = np.split(-gradient.detach().numpy(), ends, axis=1)
        rows = energies.detach().numpy().T
        return [CommitteeEvaluation(rows[i].copy(), forces[i].copy()) for i in range(len(parts))]


def _energy_part(model: Any) -> torch.nn.Module:
    """nequip's model without its own derivatives: GraphModel → ForceStressOutput → the network of the energy."""
    inner: torch.nn.Module = model.model.func
    return inner


def _batched(networks: Sequence[torch.nn.Module]) -> Pass:
    """The energies' sum over crystals, differentiated by the positions, of all networks."""
    parameters, buffers = stack_module_state(list(networks))
    template = networks[0]

    def total(
        weights: dict[str, Any], constants: dict[str, Any], positions: torch.Tensor, data: Graph
    ) -> tuple[torch.Tensor, torch.Tensor]:
        out = functional_call(template, (weights, constants), (data | {keys.POSITIONS_KEY: positions},))
        energies = out[keys.TOTAL_ENERGY_KEY][:, 0]
        return energies.sum(), energies

    mapped = vmap(grad(total, argnums=2, has_aux=True), in_dims=(0, 0, None, None))
    weights = {name: value.detach() for name, value in parameters.items()}

    def run(data: Graph) -> tuple[torch.Tensor, torch.Tensor]:
        with OutOfPlaceScatter():
            gradient, energies = mapped(weights, buffers, data[keys.POSITIONS_KEY], data)
        return gradient, energies

    return run


def load(refs: Sequence[PotentialRef]) -> AllegroCommittee:
    """The committee of some stored models; raises InputError for damaged weights, a digest that differs, and members
    that do not fit together."""
    return AllegroCommittee([load_uncompiled(ref) for ref in refs])
