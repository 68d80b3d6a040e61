"""From labelled frames to a network's description: neighbours, energy scale and shift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from nequip.data import AtomicDataDict as keys

from kappakit.engines.allegro import network
from kappakit.engines.allegro.batches import Prepared, assemble, prepare
from kappakit.engines.allegro.configurations import Architecture
from kappakit.errors import InputError
from kappakit.ports import LabelledCrystal

CHUNK = 16


@dataclass(frozen=True, eq=False)
class Start:
    """Stored weights from which a training starts: state by name, the description that they learned with, sha256."""

    state: dict[str, torch.Tensor]
    description: network.Description
    sha256: str


def stored_start(folder: Path, architecture: Architecture) -> Start:
    """The stored model in `folder`; raises InputError for a damaged one or one of another architecture."""
    stored, description = network.load(folder, dtype="float32")
    if description.architecture != architecture:
        raise InputError(f"the weights in {folder} are of another architecture than the configuration's")
    state = {key: value for key, value in stored.state_dict().items() if value.numel()}
    return Start(state, description, network.digest(folder))


def species_of(frames: Sequence[LabelledCrystal]) -> tuple[str, ...]:
    """Chemical symbols that occur, sorted."""
    return tuple(sorted({symbol for frame in frames for symbol in frame.crystal.symbols}))


def describe(
    frames: Sequence[LabelledCrystal], architecture: Architecture, seed: int, start: Start | None = None
) -> tuple[network.Description, list[Prepared]]:
    """Description for a training on `frames`, and the prepared frames.

    The energy scale is the root mean square force component (eV/Å · Å); the shift makes the untrained network's mean
    energy per atom that of the labels. From a `start` both are its own, whose weights mean nothing with others.
    Raises InputError for an element that the start does not know.
    """
    if start is not None:
        return start.description, prepare(frames, architecture.cutoff, start.description.species)
    species = species_of(frames)
    prepared = prepare(frames, architecture.cutoff, species)
    atoms = sum(f.crystal.n_atoms for f in frames)
    edges = sum(p.parts.edges.shape[1] for p in prepared)
    forces = np.concatenate([f.evaluation.forces for f in frames])
    scale = max(float(np.sqrt(np.mean(forces**2))), 0.1)
    plain = network.Description(architecture, species, edges / atoms, scale, (0.0,) * len(species))
    return network.with_shift(plain, _mean_offset(plain, prepared, seed)), prepared


def _mean_offset(description: network.Description, prepared: Sequence[Prepared], seed: int) -> float:
    """Mean of (label − untrained network) in eV/atom."""
    untrained = network.build(description, dtype="float32", seed=seed).eval()
    offsets = []
    for start in range(0, len(prepared), CHUNK):
        batch = assemble(prepared[start : start + CHUNK], description.architecture.cutoff)
        out = untrained(dict(batch.inputs))
        offsets.append((batch.targets["energy"] - out[keys.TOTAL_ENERGY_KEY].detach()) / batch.targets["counts"])
    return float(torch.cat(offsets).mean())
