"""What a set of generated crystals is worth: validity, coverage, densities.

Definitions follow T. Xie et al., Crystal Diffusion Variational Autoencoder (ICLR 2022), where a figure is put beside a
published one; what counts for a search stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from scipy.stats import wasserstein_distance
from smact.screening import smact_validity

from kappakit.crystals import Crystal
from kappakit.fingerprints import Fingerprints
from kappakit.symmetry import shortest_distance

VALID_DISTANCE, VALID_VOLUME = 0.5, 0.1
"""Å between atoms and Å³ a cell from which a structure is valid (published): it proves little."""
CHEMICAL_DISTANCE = 1.15
"""Å; no carbon bond is shorter but the triple one's 1.20."""
DENSITIES = (1.5, 4.0)
"""g/cm³ between which carbon crystals lie."""


@dataclass(frozen=True)
class CutOffs:
    """Distances of fingerprints within which a crystal counts as covered (carbon and perovskites: 0.2 and 4)."""

    structure: float = 0.2
    composition: float = 4.0


@dataclass(frozen=True)
class Coverage:
    """`recall`: share of the test crystals with a generated one near; `precision`: share of all generated crystals,
    also those without a fingerprint, near a test crystal."""

    recall: float
    precision: float


def is_valid(crystal: Crystal) -> bool:
    """The published criterion: every distance above 0.5 Å, 0.1 Å³, and charges that can balance (SMACT)."""
    if crystal.volume < VALID_VOLUME or shortest_distance(crystal) <= VALID_DISTANCE:
        return False
    return len(crystal.composition) == 1 or bool(smact_validity(crystal.formula))


def is_plausible(crystal: Crystal, densities: tuple[float, float] = DENSITIES) -> bool:
    """Every distance at least 1.15 Å and a density (g/cm³) between those given, carbon's by default."""
    return densities[0] <= crystal.density <= densities[1] and shortest_distance(crystal) >= CHEMICAL_DISTANCE


def coverage(generated: Fingerprints, test: Fingerprints, cut_offs: CutOffs | None = None) -> Coverage:
    """Coverage by nearest fingerprints, structure and composition apart, as published."""
    cuts = cut_offs or CutOffs()
    made, known = _with_structure(generated), _with_structure(test)
    if not len(made.structures) or not len(known.structures):
        return Coverage(0.0, 0.0)
    found, hits = _near(known, made, cuts), _near(made, known, cuts)
    return Coverage(float(found.sum() / len(test.structures)), float(hits.sum() / len(generated.structures)))


def _with_structure(given: Fingerprints) -> Fingerprints:
    kept = np.isfinite(given.structures).all(axis=1)
    return Fingerprints(given.structures[kept], given.compositions[kept])


def _near(points: Fingerprints, others: Fingerprints, cuts: CutOffs) -> np.ndarray:
    """Which points have one of the others within both cut-offs, each by its own nearest."""
    structure, _ = cKDTree(others.structures).query(points.structures)
    composition, _ = cKDTree(np.unique(others.compositions, axis=0)).query(points.compositions)
    return np.asarray((structure <= cuts.structure) & (composition <= cuts.composition))


def density_wasserstein(generated: Sequence[Crystal], test: Sequence[Crystal]) -> float:
    """Wasserstein-1 distance of the densities, g/cm³."""
    return float(wasserstein_distance([c.density for c in generated], [c.density for c in test]))
