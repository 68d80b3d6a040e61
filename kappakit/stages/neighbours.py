"""Neighbours: the crystals nearest to the good ones, which are calculated next."""

from __future__ import annotations

import numpy as np

from kappakit.ports import Engines
from kappakit.protocol import NeighbourSettings
from kappakit.sampling import nearest
from kappakit.stages.contracts import Neighbour, NeighboursInputs, NeighboursOutputs


def run(inputs: NeighboursInputs, settings: NeighbourSettings, *, engines: Engines) -> NeighboursOutputs:
    """The k nearest of each centre among the crystals that are neither centres nor excluded; overlaps are merged.

    Fewer than k reduce k with a note; a centre without a vector is left out with a note.
    """
    place = {key: index for index, key in enumerate(inputs.ids)}
    closed = set(inputs.centres) | set(inputs.exclude)
    pool = np.array([index for key, index in place.items() if key not in closed], dtype=np.int64)
    neighbours: list[Neighbour] = []
    for centre in (key for key in dict.fromkeys(inputs.centres) if key in place):
        found = nearest(inputs.vectors, place[centre], pool, settings.k)
        neighbours += [Neighbour(centre, inputs.ids[i], rank, d) for rank, (i, d) in enumerate(found, start=1)]
    merged = tuple(dict.fromkeys(neighbour.id for neighbour in neighbours))
    engines.progress(len(inputs.centres), len(inputs.centres), f"{len(merged)} neighbours found")
    return NeighboursOutputs(tuple(neighbours), merged, tuple(_notes(inputs, settings.k, len(pool))))


def _notes(inputs: NeighboursInputs, k: int, pool: int) -> list[str]:
    notes = []
    if pool < k and inputs.centres:
        notes.append(f"neighbours reduced from {k} to {pool} each: no more crystals are left")
    missing = [key for key in dict.fromkeys(inputs.centres) if key not in inputs.ids]
    if missing:
        notes.append(f"not on the map, so without neighbours: {', '.join(missing)}")
    return notes
