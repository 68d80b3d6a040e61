"""The plane: any number of crystals, however alike, gets finite places."""

from __future__ import annotations

import numpy as np
import pytest

from kappakit.embedding import principal_plane, tsne


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 40])
def test_any_number_of_crystals_gets_a_place_and_a_note_where_the_map_is_reduced(n: int) -> None:
    plane = tsne(np.random.default_rng(0).normal(size=(n, 12)), perplexity=10.0, seed=0)
    assert plane.points.shape == (n, 2)
    assert np.isfinite(plane.points).all()
    assert plane.perplexity <= 10.0
    assert bool(plane.notes) == (n < 31)


def test_equal_crystals_get_finite_places() -> None:
    assert np.isfinite(tsne(np.ones((6, 5)), perplexity=10.0, seed=3).points).all()


def test_the_same_seed_gives_the_same_map() -> None:
    vectors = np.random.default_rng(1).normal(size=(20, 6))
    first, second = (tsne(vectors, perplexity=5.0, seed=4).points for _ in range(2))
    assert np.array_equal(first, second)


def test_clusters_stay_together() -> None:
    rng = np.random.default_rng(2)
    vectors = np.concatenate([rng.normal(scale=0.1, size=(15, 8)), 5 + rng.normal(scale=0.1, size=(15, 8))])
    points = tsne(vectors, perplexity=5.0, seed=0).points
    first, second = points[:15], points[15:]
    apart = np.linalg.norm(first.mean(axis=0) - second.mean(axis=0))
    assert apart > 2 * max(first.std(axis=0).max(), second.std(axis=0).max())


def test_principal_components_keep_the_distances_of_points_in_a_plane() -> None:
    points = np.random.default_rng(3).normal(size=(5, 2))
    basis, _ = np.linalg.qr(np.random.default_rng(4).normal(size=(6, 6)))
    plane = principal_plane(points @ basis[:2])
    for i in range(5):
        assert np.linalg.norm(plane - plane[i], axis=1) == pytest.approx(np.linalg.norm(points - points[i], axis=1))
