"""Geometries for a training that has a teacher and no data set: reference crystals, strained and rattled."""

from __future__ import annotations

import numpy as np

from kappakit.crystals import Crystal
from kappakit.reference import reference_crystals
from kappakit.writing import extxyz

COPIES = 6
STRAIN = 0.03
"""Largest component of the random symmetric strain."""
RATTLE = 0.06
"""Standard deviation of the displacements, Å."""
MAX_ATOMS = 16


def teaching_set(*, species: frozenset[str], seed: int) -> str:
    """Extended XYZ text: each reference crystal of `species` (all when empty) and COPIES disturbed ones, one group."""
    random = np.random.default_rng(seed)
    frames = []
    for name, known in reference_crystals(species or None).items():
        if known.crystal.n_atoms <= MAX_ATOMS:
            crystals = [known.crystal, *(_disturbed(known.crystal, random) for _ in range(COPIES))]
            frames += [extxyz(crystal, {"group": name, "kind": "taught"}) for crystal in crystals]
    return "".join(frames)


def _disturbed(crystal: Crystal, random: np.random.Generator) -> Crystal:
    strain = random.uniform(-STRAIN, STRAIN, (3, 3))
    cell = crystal.cell @ (np.eye(3) + 0.5 * (strain + strain.T))
    shifts = random.normal(0.0, RATTLE, crystal.frac.shape) @ np.linalg.inv(cell)
    return Crystal(cell, crystal.frac + shifts, crystal.numbers)
