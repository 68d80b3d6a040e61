"""Some out of many: evenly, or by distances between descriptor vectors (farthest points, neighbours). Numpy only.

Farthest point sampling: Y. Eldar et al., IEEE Trans. Image Process. 6, 1305 (1997).
"""

from __future__ import annotations

import numpy as np


def evenly(count: int, most: int) -> list[int]:
    """At most `most` of `count` indices, evenly spread, the first and the last among them."""
    return [int(index) for index in np.unique(np.linspace(0, count - 1, min(count, most)).astype(int))]


def farthest_points(vectors: np.ndarray, count: int, first: int) -> list[tuple[int, float | None]]:
    """Up to `count` of (n, d) vectors: each the farthest from those before it, with its distance to them.

    Starts at index `first`, whose distance is None; ties go to the lowest index.
    """
    vectors = np.asarray(vectors, dtype=np.float64)
    picks: list[tuple[int, float | None]] = [(first, None)]
    distance = _to(vectors, first)
    distance[first] = -1.0
    while len(picks) < min(count, len(vectors)):
        best = int(distance.argmax())
        picks.append((best, float(distance[best])))
        distance = np.minimum(distance, _to(vectors, best))
        distance[[index for index, _ in picks]] = -1.0
    return picks


def most_central(vectors: np.ndarray) -> int:
    """Index of the vector nearest to the mean of (n, d) vectors."""
    vectors = np.asarray(vectors, dtype=np.float64)
    return int(np.linalg.norm(vectors - vectors.mean(axis=0), axis=1).argmin())


def nearest(vectors: np.ndarray, centre: int, candidates: np.ndarray, k: int) -> list[tuple[int, float]]:
    """The k (or fewer) of the indices `candidates` nearest to `centre`, with distances; ties go to the lowest index."""
    candidates = np.sort(np.asarray(candidates, dtype=np.int64))
    distance = _to(np.asarray(vectors, dtype=np.float64), centre)[candidates]
    order = np.argsort(distance, kind="stable")[:k]
    return [(int(candidates[i]), float(distance[i])) for i in order]


def nearest_distance(vectors: np.ndarray, index: int, others: list[int]) -> float | None:
    """Distance of one vector to the nearest of the `others`; None where there are none."""
    if not others:
        return None
    return float(_to(np.asarray(vectors, dtype=np.float64), index)[others].min())


def _to(vectors: np.ndarray, index: int) -> np.ndarray:
    return np.linalg.norm(vectors - vectors[index], axis=1)
