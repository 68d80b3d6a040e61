"""What sets of generated crystals are measured by: validity, coverage, densities, rarefaction, mixtures, seeds."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from kappakit.crystals import Crystal
from kappakit.errors import InputError
from kappakit.fingerprints import (
    COMPOSITION_LENGTH,
    STRUCTURE_LENGTH,
    Fingerprints,
    composition_fingerprint,
    fingerprints,
    structure_fingerprint,
)
from kappakit.generation import Coverage, CutOffs, coverage, density_wasserstein, is_plausible, is_valid
from kappakit.mixtures import fit_mixture
from kappakit.rarefaction import rarefaction
from kappakit.seeds import crystal_seed
from tests.kappakit.small_crystals import FCC


def diamond(a: float = 3.567, symbols: tuple[str, str] = ("C", "C")) -> Crystal:
    return Crystal.from_symbols(a * FCC, [[0.0, 0.0, 0.0], [0.25, 0.25, 0.25]], symbols)


def pair(distance: float, side: float = 6.0) -> Crystal:
    return Crystal(side * np.eye(3), [[0.0, 0.0, 0.0], [distance / side, 0.0, 0.0]], [6, 6])


def seen_by_brute_force(sizes: list[int], total: int, drawn: int) -> float:
    owners = [kind for kind, size in enumerate(sizes) for _ in range(size)]
    owners += [None] * (total - len(owners))
    draws = list(itertools.combinations(owners, drawn))
    return sum(len(set(draw) - {None}) for draw in draws) / len(draws)


@pytest.mark.parametrize(("sizes", "total"), [([1, 1, 1], 3), ([3, 2, 1], 9), ([5], 5), ([2, 2], 8)])
def test_rarefaction_is_the_mean_over_all_draws(sizes: list[int], total: int) -> None:
    drawn = range(total + 1)
    expected = [seen_by_brute_force(sizes, total, n) for n in drawn]
    np.testing.assert_allclose(rarefaction(sizes, total, drawn), expected, atol=1e-10)


def test_rarefaction_of_a_hundred_thousand_is_what_was_found_at_the_end_and_never_falls() -> None:
    sizes = [1] * 3000 + [7] * 2000 + [400] * 20
    curve = rarefaction(sizes, 100_000, [0, 1, 10, 1000, 50_000, 99_999, 100_000])
    assert curve[0] == 0.0
    assert curve[1] == pytest.approx(sum(sizes) / 100_000, rel=1e-4)
    assert curve[-1] == pytest.approx(len(sizes))
    assert (np.diff(curve) > 0).all()


def test_rarefaction_of_nothing_is_nothing() -> None:
    assert rarefaction([], 10, [0, 5, 10]).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(("distance", "valid"), [(0.49, False), (0.51, True), (1.5, True)])
def test_a_structure_is_valid_from_half_an_angstrom(distance: float, valid: bool) -> None:
    assert is_valid(pair(distance)) is valid


def test_a_compound_is_valid_where_its_charges_can_balance() -> None:
    assert is_valid(diamond(3.6, ("B", "N")))
    assert not is_valid(unbalanced())


def unbalanced() -> Crystal:
    return Crystal.from_symbols(4.0 * np.eye(3), [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0]], ["Na", "Cl", "Cl"])


@pytest.mark.parametrize(
    ("crystal", "plausible"),
    [(diamond(), True), (diamond(2.6), False), (diamond(5.5), False), (pair(1.2, 2.9), True), (pair(1.1, 2.9), False)],
    ids=["diamond", "dense", "thin", "bond", "short"],
)
def test_plausible_carbon_has_bonds_and_a_density_of_carbon(crystal: Crystal, plausible: bool) -> None:
    assert is_plausible(crystal) is plausible


def test_other_densities_may_be_asked_for() -> None:
    assert is_plausible(diamond(5.5), densities=(0.5, 4.0))


def test_the_wasserstein_distance_of_densities_is_in_grams_per_cubic_centimetre() -> None:
    dense, light = diamond(), diamond(3.8)
    assert density_wasserstein([dense], [light]) == pytest.approx(dense.density - light.density)
    assert density_wasserstein([dense, light], [light, dense]) == pytest.approx(0.0)
    assert dense.density == pytest.approx(3.515, abs=0.01)


def prints(*structures: float, composition: float = 0.0) -> Fingerprints:
    rows = np.zeros((len(structures), STRUCTURE_LENGTH))
    rows[:, 0] = structures
    return Fingerprints(rows, np.full((len(structures), COMPOSITION_LENGTH), composition))


def test_coverage_counts_test_crystals_found_and_generated_ones_near() -> None:
    assert coverage(prints(0.0, 0.1, 5.0), prints(0.0, 1.0)) == Coverage(recall=0.5, precision=2 / 3)
    assert coverage(prints(0.0, 0.1, 5.0), prints(0.0, 1.0), CutOffs(structure=4.5)) == Coverage(1.0, 1.0)


def test_a_generated_crystal_without_fingerprint_is_near_nothing_and_counts() -> None:
    assert coverage(prints(0.0, np.nan), prints(0.0)) == Coverage(recall=1.0, precision=0.5)
    assert coverage(prints(np.nan), prints(0.0)) == Coverage(0.0, 0.0)


def test_coverage_needs_the_composition_too() -> None:
    far = prints(0.0, composition=1.0)
    assert coverage(far, prints(0.0)) == Coverage(0.0, 0.0)
    assert coverage(far, prints(0.0), CutOffs(composition=12.0)) == Coverage(1.0, 1.0)


def test_fingerprints_are_what_their_names_say() -> None:
    crystals = [diamond(), diamond(3.6, ("B", "N"))]
    done: list[int] = []
    found = fingerprints(crystals, done.append)
    assert done == [1, 2]
    assert found.structures.shape == (2, STRUCTURE_LENGTH)
    np.testing.assert_allclose(found.structures[0], structure_fingerprint(diamond(3.7)), atol=1e-6)
    np.testing.assert_allclose(found.compositions[0], composition_fingerprint(pair(1.5)))
    assert (found.compositions[0] != found.compositions[1]).any()
    assert coverage(found, found) == Coverage(1.0, 1.0)


def test_no_crystals_have_no_fingerprints() -> None:
    found = fingerprints([])
    assert (found.structures.shape, found.compositions.shape) == ((0, STRUCTURE_LENGTH), (0, COMPOSITION_LENGTH))


def test_fingerprints_are_stored_and_read(tmp_path: Path) -> None:
    given = prints(0.5, np.nan, 2.0)
    given.compositions[2] = 7.0
    given.write(tmp_path / "prints.safetensors")
    again = Fingerprints.read(tmp_path / "prints.safetensors")
    np.testing.assert_array_equal(again.structures, given.structures)
    np.testing.assert_array_equal(again.compositions, given.compositions)


@pytest.mark.parametrize("damage", [None, b"", b"fingerprints"])
def test_damaged_fingerprints_are_refused(tmp_path: Path, damage: bytes | None) -> None:
    path = tmp_path / "prints.safetensors"
    if damage is not None:
        path.write_bytes(damage)
    with pytest.raises(InputError, match="holds no readable fingerprints"):
        Fingerprints.read(path)


def two_clouds(count: int = 600) -> np.ndarray:
    rng = np.random.default_rng(0)
    low, high = rng.normal(0.0, 0.1, (count // 3, 5)), rng.normal(4.0, 0.3, (2 * count // 3, 5))
    return np.concatenate([low, high])


def test_a_mixture_is_drawn_as_it_was_fitted() -> None:
    mixture = fit_mixture(two_clouds(), components=2, variance=1.0 - 1e-9)
    rng = np.random.default_rng(1)
    drawn = mixture.draw(rng.random(6000), rng.standard_normal((6000, 5)))
    high = drawn[drawn.mean(1) > 2.0]
    assert len(high) / 6000 == pytest.approx(2 / 3, abs=0.02)
    np.testing.assert_allclose(high.mean(0), 4.0, atol=0.05)
    np.testing.assert_allclose(high.std(0), 0.3, rtol=0.1)


def test_a_mixture_without_temperature_gives_the_centres() -> None:
    mixture = fit_mixture(two_clouds(), components=2, variance=1.0 - 1e-9)
    drawn = mixture.draw(np.array([0.0, 0.5, 1.0]), np.ones((3, 5)), temperature=0.0)
    assert len(np.unique(np.round(drawn, 9), axis=0)) == 2
    assert np.abs(drawn - np.round(drawn.mean(1) / 4.0)[:, None] * 4.0).max() < 0.1


def test_a_mixture_keeps_to_the_axes_along_which_points_vary() -> None:
    points = np.random.default_rng(0).normal(size=(50, 1)) * np.ones(7)
    mixture = fit_mixture(points, components=1, variance=0.99)
    assert mixture.axes.shape == (1, 7)
    drawn = mixture.draw(np.zeros(4), np.random.default_rng(1).normal(size=(4, 7)))
    assert np.abs(drawn - drawn[:, :1]).max() < 1e-9


def test_a_crystal_s_seed_follows_from_campaign_and_number() -> None:
    seeds = [crystal_seed(campaign, index) for campaign in (0, 1) for index in range(500)]
    assert len(set(seeds)) == 1000
    assert all(0 <= seed < 2**32 for seed in seeds)
    assert crystal_seed(0, 0) == seeds[0]
