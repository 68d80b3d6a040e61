"""How well the estimate of κ_L that comes before any force constants orders what is computed later."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from apps.conductivity.models import KappaTensor
from apps.conductivity.selectors import full_label
from apps.reviews.selectors.parts import candidate_ref
from apps.reviews.tables import EstimatePoint, EstimateQuality


def estimate_quality(tensors: Iterable[KappaTensor]) -> EstimateQuality:
    """Estimates beside the κ_L of rankable tensors (RTA) with their plan and candidate, largest κ_L first."""
    judged = [tensor for tensor in tensors if tensor.rankable and tensor.phonons.plan.promise and tensor.largest > 0]
    points = tuple(map(_point, sorted(judged, key=lambda t: (-t.largest, t.candidate_id))))
    return EstimateQuality(points, rank_correlation([p.promise for p in points], [p.kappa for p in points]))


def _point(tensor: KappaTensor) -> EstimatePoint:
    named = candidate_ref(tensor.candidate)
    promise = tensor.phonons.plan.promise
    return EstimatePoint(named.id, named.index, named.name, promise, tensor.largest, full_label(tensor))


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Spearman's ρ: Pearson's correlation of the ranks, equal values sharing their mean rank.

    None for fewer than two pairs, or where all values of one side are equal. C. Spearman, Am. J. Psychol. 15, 72
    (1904).
    """
    a, b = _ranks(first), _ranks(second)
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    return float(np.corrcoef(a, b)[0, 1])


def _ranks(values: Sequence[float]) -> np.ndarray:
    """From 1 on; ties share their mean."""
    _, places, counts = np.unique(np.asarray(values, float), return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]
