"""Sample: the most diverse crystals by farthest points, then the reference crystals that the protocol names."""

from __future__ import annotations

import numpy as np

from kappakit.errors import InputError
from kappakit.ports import Engines
from kappakit.protocol import SampleSettings
from kappakit.sampling import farthest_points, most_central, nearest_distance
from kappakit.stages.contracts import Pick, SampleInputs, SampleOutputs

FARTHEST, REFERENCE = "fps", "reference"


def run(inputs: SampleInputs, settings: SampleSettings, *, engines: Engines) -> SampleOutputs:
    """`count` farthest points of the given vectors; mandatory ids that were not among them follow.

    A pool smaller than `count` is taken whole, with a note. Raises InputError for an empty pool.
    """
    if not inputs.ids:
        raise InputError("there is no crystal to sample from")
    vectors = np.asarray(inputs.vectors, dtype=np.float64)
    picks = [
        Pick(inputs.ids[index], order, distance, FARTHEST)
        for order, (index, distance) in enumerate(farthest_points(vectors, settings.count, _first(inputs, settings)))
    ]
    picks += _references(inputs, vectors, picks)
    engines.progress(len(picks), len(picks), f"{len(picks)} crystals sampled")
    return SampleOutputs(tuple(picks), tuple(_notes(inputs, settings)))


def _first(inputs: SampleInputs, settings: SampleSettings) -> int:
    if settings.first == "lowest":
        return int(np.argmin(inputs.energies))
    return most_central(inputs.vectors)


def _references(inputs: SampleInputs, vectors: np.ndarray, picks: list[Pick]) -> list[Pick]:
    place = {key: index for index, key in enumerate(inputs.ids)}
    taken = [place[pick.id] for pick in picks]
    found: list[Pick] = []
    for key in dict.fromkeys(inputs.mandatory):
        if key in place and place[key] not in taken:
            distance = nearest_distance(vectors, place[key], taken)
            found.append(Pick(key, len(taken), distance, REFERENCE))
            taken.append(place[key])
    return found


def _notes(inputs: SampleInputs, settings: SampleSettings) -> list[str]:
    notes = []
    if settings.count > len(inputs.ids):
        notes.append(f"sample reduced from {settings.count} to {len(inputs.ids)}: the pool holds no more")
    missing = [key for key in inputs.mandatory if key not in inputs.ids]
    if missing:
        notes.append(f"not in the pool, so not in the sample: {', '.join(missing)}")
    return notes
