"""A generator's data set as one safetensors file beside its weights: what novelty and coverage are measured against."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from kappakit.crystals import Crystal
from kappakit.errors import InputError
from kappakit.ports import PARTS, TrainingCrystal

CRYSTALS = "crystals.safetensors"


def write_crystals(crystals: Sequence[TrainingCrystal], folder: Path) -> None:
    """Cells and fractional positions in single precision; sources as text."""
    sources = "\n".join(c.source.replace("\n", " ") for c in crystals)
    tensors: dict[str, np.ndarray] = {
        "counts": np.array([c.crystal.n_atoms for c in crystals], dtype=np.int32),
        "cells": np.stack([c.crystal.cell for c in crystals]).astype(np.float32),
        "frac": np.concatenate([c.crystal.frac for c in crystals]).astype(np.float32),
        "numbers": np.concatenate([c.crystal.numbers for c in crystals]).astype(np.uint8),
        "parts": np.array([PARTS.index(c.part) for c in crystals], dtype=np.uint8),
        "distinct": np.array([c.distinct for c in crystals], dtype=np.uint8),
        "sources": np.frombuffer(sources.encode(), dtype=np.uint8).copy(),
    }
    save_file(tensors, str(folder / CRYSTALS))


def read_crystals(folder: Path) -> list[TrainingCrystal]:
    """The data set of a stored generator; raises InputError for a missing or damaged file."""
    try:
        stored = load_file(str(folder / CRYSTALS))
        ends = np.cumsum(stored["counts"])[:-1]
        frac, numbers = np.split(stored["frac"], ends), np.split(stored["numbers"], ends)
        sources = stored["sources"].tobytes().decode().split("\n")
        rows = zip(stored["cells"], frac, numbers, stored["parts"], sources, stored["distinct"], strict=True)
        return [TrainingCrystal(Crystal(c, f, n), PARTS[int(p)], s, bool(d)) for c, f, n, p, s, d in rows]
    except (OSError, KeyError, ValueError, IndexError, SafetensorError) as error:
        raise InputError(f"{folder / CRYSTALS} holds no readable data set: {error}") from error
