"""How many distinct crystals n draws would have shown: the fair way to compare sets of different size. Numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from math import lgamma

import numpy as np

_log_factorial = np.vectorize(lambda n: lgamma(n + 1.0), otypes=[float])


def rarefaction(sizes: Sequence[int], total: int, drawn: Sequence[int]) -> np.ndarray:
    """Expected number of distinct crystals among n of `total` drawn at random without replacement, for each n.

    `sizes`: how many copies each distinct crystal has among the `total`; crystals that do not count (rejected, known …)
    are simply not listed. Source: K. L. Heck, G. van Belle, D. Simberloff, Ecology 56, 1459 (1975).
    """
    if not len(sizes):
        return np.zeros(len(drawn))
    copies, kinds = np.unique(np.asarray(sizes, dtype=float), return_counts=True)
    return np.array([float((kinds * _seen(copies, float(total), float(n))).sum()) for n in drawn])


def _seen(copies: np.ndarray, total: float, n: float) -> np.ndarray:
    """1 − C(total − copies, n) / C(total, n): the probability that one of the copies is among n."""
    left = total - copies
    possible = left >= n
    log_missed = _log_choose(np.where(possible, left, n), n) - _log_choose(np.array([total]), n)
    return 1.0 - np.where(possible, np.exp(log_missed), 0.0)


def _log_choose(total: np.ndarray, n: float) -> np.ndarray:
    return _log_factorial(total) - _log_factorial(np.array([n])) - _log_factorial(total - n)
