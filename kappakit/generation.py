"""What a set of generated crystals is worth: validity, coverage, uniqueness as a function of how many were made.

Definitions follow T. Xie et al., Crystal Diffusion Variational Autoencoder (ICLR 2022), where a figure is put beside a
published one; what counts for a search stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import gammaln
from scipy.stats import wasserstein_distance
from smact.screening import smact_validity

from kappakit.crystals import Crystal
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
    """Every distance at least 1.15 Å and a density (g/cm³) of the material's."""
    return densities[0] <= crystal.density <= densities[1] and shortest_distance(crystal) >= CHEMICAL_DISTANCE


def coverage(
    generated: Sequence[np.ndarray | None],
    generated_compositions: np.ndarray,
    test: np.ndarray,
    test_compositions: np.ndarray,
    cut_offs: CutOffs,
) -> Coverage:
    """Coverage by nearest fingerprints: structure and composition apart, as published."""
    kept = [i for i, found in enumerate(generated) if found is not None]
    if not kept:
        return Coverage(0.0, 0.0)
    structures = np.stack([np.asarray(generated[i]) for i in kept])
    compositions = generated_compositions[kept]
    found = _near(test, structures, cut_offs.structure) & _near(test_compositions, compositions, cut_offs.composition)
    hits = _near(structures, test, cut_offs.structure) & _near(compositions, test_compositions, cut_offs.composition)
    return Coverage(float(found.mean()), float(hits.sum() / len(generated)))


def _near(points: np.ndarray, others: np.ndarray, distance: float) -> np.ndarray:
    """Which points have one of the others within `distance`."""
    nearest, _ = cKDTree(others).query(points, k=1)
    return np.asarray(nearest <= distance)


def density_wasserstein(generated: Sequence[Crystal], test: Sequence[Crystal]) -> float:
    """Wasserstein-1 distance of the densities, g/cm³."""
    return float(wasserstein_distance([c.density for c in generated], [c.density for c in test]))


def rarefaction(sizes: Sequence[int], drawn: Sequence[int]) -> np.ndarray:
    """Expected number of distinct crystals among n drawn at random without replacement, for each n of `drawn`.

    `sizes`: how many copies each distinct crystal has. Source: K. L. Heck, G. van Belle, D. Simberloff, Ecology 56,
    1459 (1975).
    """
    copies = np.asarray(sizes, dtype=float)
    total = copies.sum()
    return np.array([_expected(copies, total, float(n)) for n in drawn])


def _expected(copies: np.ndarray, total: float, n: float) -> float:
    if n >= total:
        return float(len(copies))
    left = total - copies
    missed = np.where(
        left >= n,
        np.exp(_log_choose(np.maximum(left, n), n) - _log_choose(np.array(total), n)),
        0.0,
    )
    return float((1.0 - missed).sum())


def _log_choose(total: np.ndarray, n: float) -> np.ndarray:
    return np.asarray(gammaln(total + 1.0) - gammaln(n + 1.0) - gammaln(total - n + 1.0))
