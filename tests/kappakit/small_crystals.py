"""Small rattled crystals of carbon and boron nitride, and a generator that learned from them for a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kappakit.crystals import Crystal
from kappakit.engines.cdvae.trainer import CdvaeTrainer
from kappakit.ports import GeneratorTrainingResult, Progress, SilentProgress, TrainingCrystal

FCC = np.array([[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]])
KINDS = (
    (2.2 * np.eye(3), [[0.0, 0.0, 0.0]]),
    (3.57 * FCC, [[0.0, 0.0, 0.0], [0.25, 0.25, 0.25]]),
    (np.diag([2.5, 2.5, 4.2]), [[0.0, 0.0, 0.0], [0.5, 0.5, 0.25], [0.5, 0.0, 0.5], [0.0, 0.5, 0.75]]),
)
"""Simple cubic, diamond, and a tetragonal cell of four atoms: cells in Å, fractional positions."""
STEPS = 24


def small_crystals(count: int, *, seed: int = 0, compounds: bool = True) -> list[Crystal]:
    """The kinds in turn; with `compounds` every other one is of boron and nitrogen."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        cell, frac = KINDS[number % len(KINDS)]
        symbols = ["B", "N"] * len(frac) if compounds and number % 2 else ["C"] * len(frac)
        strained = cell + rng.normal(0.0, 0.03, (3, 3))
        moved = np.array(frac) + rng.normal(0.0, 0.01, (len(frac), 3))
        made.append(Crystal.from_symbols(strained, moved, symbols[: len(frac)]))
    return made


def training_crystals(count: int = 40, *, compounds: bool = True) -> list[TrainingCrystal]:
    """Of ten crystals eight train, one validates, one tests."""
    parts = ["validation", "test", *["train"] * 8]
    crystals = small_crystals(count, compounds=compounds)
    return [TrainingCrystal(crystal, parts[i % 10], f"small#{i}") for i, crystal in enumerate(crystals)]


def train_tiny(
    folder: Path,
    crystals: list[TrainingCrystal] | None = None,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    **overrides: float | str,
) -> GeneratorTrainingResult:
    """The configuration tiny, a few steps of few crystals, on a CPU."""
    return CdvaeTrainer("cpu").train(
        training_crystals() if crystals is None else crystals,
        configuration="tiny",
        overrides={"steps": STEPS, "batch": 8, "validate_every": 8, **overrides},
        seed=seed,
        minutes=0.0,
        folder=folder,
        progress=progress or SilentProgress(),
    )
