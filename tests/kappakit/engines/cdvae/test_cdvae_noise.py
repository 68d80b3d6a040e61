"""Noise on crystals, and the score of the wrapped normal against a sum over images by brute force."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from kappakit.engines.cdvae.configurations import CONFIGURATIONS, Noise
from kappakit.engines.cdvae.noise import (
    draw_sigma,
    draw_type_sigma,
    noisy_types,
    shortest_vectors,
    wrapped_mean,
)

CELLS = {
    "cube": 3.0 * np.eye(3),
    "skewed": np.array([[3.0, 0.0, 0.0], [2.4, 2.8, 0.0], [-1.5, 1.2, 3.1]]),
    "flat": np.array([[6.0, 0.0, 0.0], [2.9, 5.2, 0.0], [0.3, 0.2, 1.9]]),
}
UNIFORM = torch.linspace(0.0, 1.0, 10_001)[:-1]


def by_brute_force(difference: np.ndarray, cell: np.ndarray, sigma: float) -> np.ndarray:
    """σ times the gradient of the log of the wrapped normal, over 13³ images."""
    shifts = np.array(list(itertools.product(range(-6, 7), repeat=3)))
    vectors = (difference - np.round(difference))[None] + shifts
    vectors = vectors @ cell
    exponent = -0.5 * (vectors**2).sum(1) / sigma**2
    weight = np.exp(exponent - exponent.max())
    return (weight[:, None] * vectors).sum(0) / weight.sum() / sigma


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("sigma", [0.02, 0.3, 0.8, 1.5])
def test_the_wrapped_mean_is_the_sum_over_images(name: str, sigma: float) -> None:
    difference = np.random.default_rng(1).uniform(-2.0, 2.0, (6, 3))
    cell = torch.from_numpy(CELLS[name])[None]
    mask = torch.ones(1, 6, dtype=torch.bool)
    found = wrapped_mean(torch.from_numpy(difference)[None], cell, mask, torch.tensor([sigma], dtype=torch.float64))
    expected = [by_brute_force(row, CELLS[name], sigma) for row in difference]
    np.testing.assert_allclose(found[0].numpy(), expected, atol=5e-3)


def test_the_wrapped_mean_of_each_crystal_of_a_batch_is_its_own_and_padding_gets_none() -> None:
    difference = torch.from_numpy(np.random.default_rng(2).uniform(-1.0, 1.0, (2, 3, 3)))
    cells = torch.from_numpy(np.stack([CELLS["skewed"], CELLS["cube"]]))
    mask = torch.tensor([[True, True, False], [True, True, True]])
    sigma = torch.tensor([0.5, 0.2], dtype=torch.float64)
    together = wrapped_mean(difference, cells, mask, sigma)
    for row in (0, 1):
        alone = wrapped_mean(difference[row : row + 1], cells[row : row + 1], mask[row : row + 1], sigma[row : row + 1])
        torch.testing.assert_close(together[row], alone[0])
    assert float(together[0, 2].abs().max()) == 0.0


def test_where_the_noise_fills_the_cell_there_is_no_direction() -> None:
    difference = torch.full((1, 1, 3), 0.25, dtype=torch.float64)
    cell, mask = torch.from_numpy(CELLS["cube"])[None], torch.ones(1, 1, dtype=torch.bool)
    assert float(wrapped_mean(difference, cell, mask, torch.tensor([4.0], dtype=torch.float64)).abs().max()) == 0.0
    assert np.abs(by_brute_force(np.full(3, 0.25), CELLS["cube"], 4.0)).max() < 1e-5


def test_little_noise_makes_the_wrapped_mean_the_shortest_vector() -> None:
    difference = torch.tensor([[[0.1, -0.2, 0.9], [1.3, 0.4, -0.1]]], dtype=torch.float64)
    cell, mask = torch.from_numpy(CELLS["cube"])[None], torch.ones(1, 2, dtype=torch.bool)
    found = wrapped_mean(difference, cell, mask, torch.tensor([0.1], dtype=torch.float64))
    torch.testing.assert_close(found, shortest_vectors(difference, cell) / 0.1)


def test_the_widths_of_the_default_noise_lie_where_crystals_take_their_order() -> None:
    noise = CONFIGURATIONS["carbon"].noise
    sigma = draw_sigma(noise, UNIFORM)
    assert float(sigma.min()) >= noise.smallest - 1e-6
    assert float(sigma.max()) <= noise.largest + 1e-6
    between = float(((sigma >= noise.ordering_from) & (sigma <= noise.ordering_to)).float().mean())
    elsewhere = np.log(noise.ordering_to / noise.ordering_from) / np.log(noise.largest / noise.smallest)
    assert between == pytest.approx(noise.ordering + (1 - noise.ordering) * elsewhere, abs=1e-3)


def test_the_published_noise_has_fifty_levels() -> None:
    sigma = draw_sigma(CONFIGURATIONS["published"].noise, UNIFORM).unique()
    assert len(sigma) == 50
    assert [float(sigma[0]), float(sigma[-1])] == pytest.approx([0.01, 10.0], rel=1e-5)
    types = draw_type_sigma(CONFIGURATIONS["published"].noise, UNIFORM).unique()
    assert [len(types), float(types[0]), float(types[-1])] == pytest.approx([50, 0.01, 5.0], rel=1e-5)


@pytest.mark.parametrize("ordering", [0.0, 1.0])
def test_the_share_of_ordering_noise_may_be_none_or_all(ordering: float) -> None:
    noise = replace(Noise(), ordering=ordering)
    sigma = draw_sigma(noise, UNIFORM)
    low, high = (0.15, 0.8) if ordering else (0.02, 4.0)
    assert [float(sigma.min()), float(sigma.max())] == pytest.approx([low, high], rel=1e-2)


def test_types_are_drawn_from_one_hot_plus_noise_times_composition() -> None:
    count = 10_000
    types = torch.zeros(1, count, dtype=torch.long)
    drawn = noisy_types(types, torch.tensor([[0.5, 0.25, 0.25]]), torch.tensor([2.0]), UNIFORM[None])
    share = torch.bincount(drawn[0], minlength=3) / count
    assert share.tolist() == pytest.approx([2 / 3, 1 / 6, 1 / 6], abs=1e-3)


def test_types_of_an_element_stay_what_they_are() -> None:
    drawn = noisy_types(torch.zeros(1, 9, dtype=torch.long), torch.ones(1, 1), torch.tensor([5.0]), UNIFORM[None, :9])
    assert drawn.tolist() == [[0] * 9]
