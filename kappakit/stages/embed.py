"""Embed: one SOAP vector a crystal, and a plane to look at."""

from __future__ import annotations

import numpy as np

from kappakit.descriptors import soap, species_of
from kappakit.embedding import tsne
from kappakit.errors import InputError
from kappakit.ports import Engines
from kappakit.protocol import EmbedSettings
from kappakit.stages.contracts import EmbedInputs, EmbedOutputs

CHUNK = 64


def run(inputs: EmbedInputs, settings: EmbedSettings, *, engines: Engines) -> EmbedOutputs:
    """SOAP over the species of the whole pool, then t-SNE; a small pool reduces the perplexity with a note.

    Raises InputError for an empty pool.
    """
    if not inputs.items:
        raise InputError("there is no crystal to place on the map")
    descriptors = _descriptors(inputs, settings, engines)
    engines.progress(len(inputs.items), len(inputs.items), "laying out the plane")
    plane = tsne(descriptors, perplexity=settings.perplexity, seed=settings.seed)
    ids = tuple(item.id for item in inputs.items)
    return EmbedOutputs(ids, descriptors, plane.points, plane.perplexity, plane.notes)


def _descriptors(inputs: EmbedInputs, settings: EmbedSettings, engines: Engines) -> np.ndarray:
    crystals = [item.crystal for item in inputs.items]
    species = species_of(crystals)
    rows = []
    for start in range(0, len(crystals), CHUNK):
        rows.append(
            soap(
                crystals[start : start + CHUNK],
                species=species,
                r_cut=settings.r_cut,
                sigma=settings.sigma,
                n_max=settings.n_max,
                l_max=settings.l_max,
                average=settings.average,
                normalise=settings.normalise,
            )
        )
        engines.progress(min(start + CHUNK, len(crystals)), len(crystals), "SOAP vectors")
    return np.concatenate(rows)
