"""Farthest points and nearest neighbours, against definitions written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kappakit.sampling import farthest_points, most_central, nearest, nearest_distance

CLOUDS = arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(1, 4)), elements=st.floats(-10, 10, width=32))


@settings(deadline=None)
@given(vectors=CLOUDS, count=st.integers(1, 15))
def test_each_pick_is_the_farthest_from_all_before_it(vectors: np.ndarray, count: int) -> None:
    picks = farthest_points(vectors, count, 0)
    assert len(picks) == len({index for index, _ in picks}) == min(count, len(vectors))
    for place in range(1, len(picks)):
        before = [index for index, _ in picks[:place]]
        to_picks = np.linalg.norm(vectors[:, None] - vectors[before], axis=2).min(axis=1)
        rest = [i for i in range(len(vectors)) if i not in before]
        assert picks[place][1] == pytest.approx(to_picks[rest].max())
        assert to_picks[picks[place][0]] == pytest.approx(to_picks[rest].max())


def test_points_of_a_line_are_picked_from_its_ends() -> None:
    line = np.array([[0.0], [1.0], [2.0], [3.0], [10.0]])
    assert [index for index, _ in farthest_points(line, 3, most_central(line))] == [3, 4, 0]


@settings(deadline=None)
@given(vectors=CLOUDS, k=st.integers(0, 15))
def test_neighbours_come_in_order_and_none_is_nearer_than_they(vectors: np.ndarray, k: int) -> None:
    others = np.arange(1, len(vectors))
    found = nearest(vectors, 0, others, k)
    distances = [distance for _, distance in found]
    assert distances == sorted(distances)
    assert len(found) == min(k, len(others))
    left = set(others) - {index for index, _ in found}
    assert all(np.linalg.norm(vectors[i] - vectors[0]) >= max(distances, default=0.0) for i in left if k)


def test_the_distance_to_nothing_is_none() -> None:
    assert nearest_distance(np.zeros((2, 3)), 0, []) is None
