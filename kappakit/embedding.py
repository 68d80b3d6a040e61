"""A map of crystals: descriptor vectors laid out in a plane by t-SNE, by scikit-learn.

Source: L. van der Maaten, G. Hinton, J. Mach. Learn. Res. 9, 2579 (2008).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.manifold import TSNE

FEWEST_FOR_TSNE = 4
INITIAL_SPREAD = 1e-4
"""Standard deviation of the first axis at the start, as scikit-learn scales a start from principal components."""


@dataclass(frozen=True, eq=False)
class Plane:
    """points (n, 2) float64 without unit; `perplexity` as used (0 where no t-SNE ran); `notes` for people."""

    points: np.ndarray
    perplexity: float
    notes: tuple[str, ...] = ()


def tsne(vectors: np.ndarray, *, perplexity: float, seed: int) -> Plane:
    """Lay out (n, d) vectors. Fewer than 3 × perplexity + 1 of them reduce it; fewer than four get principal axes."""
    vectors = np.asarray(vectors, dtype=np.float64)
    n = len(vectors)
    if n < FEWEST_FOR_TSNE:
        note = f"{n} crystals are too few for t-SNE: the plane shows principal components"
        return Plane(principal_plane(vectors), 0.0, (note,))
    used = min(perplexity, (n - 1) / 3)
    notes = (f"perplexity reduced from {perplexity:g} to {used:.3g}: {n} crystals",) if used < perplexity else ()
    model = TSNE(n_components=2, perplexity=used, init=_start(vectors, seed), random_state=seed)
    return Plane(model.fit_transform(vectors).astype(np.float64), float(used), notes)


def principal_plane(vectors: np.ndarray) -> np.ndarray:
    """(n, 2): the first two principal components of (n, d) vectors, zeros where there are fewer; signs are fixed."""
    plane = np.zeros((len(vectors), 2))
    if len(vectors) < 2:
        return plane
    u, s, _ = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
    scores = (u * s)[:, :2]
    scores *= np.where(scores[np.abs(scores).argmax(axis=0), range(scores.shape[1])] < 0, -1.0, 1.0)
    plane[:, : scores.shape[1]] = scores
    return plane


def _start(vectors: np.ndarray, seed: int) -> np.ndarray:
    plane = principal_plane(vectors)
    spread = plane[:, 0].std()
    if spread < 1e-12:
        return np.random.default_rng(seed).normal(scale=INITIAL_SPREAD, size=plane.shape).astype(np.float32)
    return (plane / spread * INITIAL_SPREAD).astype(np.float32)
