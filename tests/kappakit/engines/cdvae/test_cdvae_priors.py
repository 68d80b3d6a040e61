"""Where latent vectors come from."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kappakit.engines.cdvae.bank import Bank, symmetry_facts
from kappakit.engines.cdvae.crystal_file import read_crystals, write_crystals
from kappakit.engines.cdvae.generator import CdvaeGenerator
from kappakit.engines.cdvae.priors import NEAREST, Around, LatentDraws, Prior
from kappakit.errors import InputError
from kappakit.ports import SilentProgress
from kappakit.protocol import GenerateSettings
from tests.kappakit.small_crystals import FCC, small_crystals

LATENT = 6
COUNT = 4000


def bank(size: int = 60) -> Bank:
    rng = np.random.default_rng(0)
    means = np.concatenate([rng.normal(-2.0, 0.2, (size // 2, LATENT)), rng.normal(2.0, 0.2, (size // 2, LATENT))])
    return Bank(means, np.full((size, LATENT), 0.1), np.arange(size) % 8 + 1, np.tile([1, 4, 48], size)[:size])


def draws(count: int = COUNT) -> LatentDraws:
    rng = np.random.default_rng(1)
    return LatentDraws(rng.random((count, 3)), rng.standard_normal((count, LATENT)))


def test_the_normal_prior_is_normal_at_its_temperature() -> None:
    z = Prior("normal", bank(), 0.5).draw(draws())
    assert z.mean() == pytest.approx(0.0, abs=0.02)
    assert z.std() == pytest.approx(0.5, rel=0.02)


def test_the_mixture_lies_where_the_crystals_lie() -> None:
    z = Prior("mixture", bank(), 1.0).draw(draws())
    low, high = z[z[:, 0] < 0], z[z[:, 0] > 0]
    assert len(low) == pytest.approx(COUNT / 2, rel=0.1)
    assert [low.mean(), high.mean()] == pytest.approx([-2.0, 2.0], abs=0.1)
    assert high.std() == pytest.approx(0.2, rel=0.2)


def test_a_posterior_draw_lies_about_one_crystal() -> None:
    known, given = bank(), draws(200)
    z = Prior("posterior", known, 1.0).draw(given)
    home = known.means[(given.choices[:, 0] * 60).astype(int)]
    np.testing.assert_allclose(z - home, 0.1 * given.normals)


def test_a_draw_between_lies_on_the_way_to_a_near_crystal() -> None:
    known, given = bank(), draws(200)
    z = Prior("between", known, 0.0).draw(given)
    first = known.means[(given.choices[:, 0] * 60).astype(int)]
    for point, start, share in zip(z, first, given.choices[:, 2], strict=True):
        end = start + (point - start) / share
        nearest = np.argsort(((known.means - start) ** 2).sum(1))[: NEAREST + 1]
        assert np.abs(known.means[nearest] - end).max(1).min() < 1e-6


@pytest.mark.parametrize("kind", ["normal", "mixture", "posterior", "between"])
def test_a_draw_does_not_depend_on_the_others(kind: str) -> None:
    given = draws(20)
    prior = Prior(kind, bank(), 1.0)
    alone = prior.draw(LatentDraws(given.choices[7:8], given.normals[7:8]))
    np.testing.assert_allclose(alone, prior.draw(given)[7:8], atol=1e-12)


def test_the_last_uniform_number_still_names_a_crystal() -> None:
    top = np.full((1, 3), np.nextafter(1.0, 0.0))
    for kind in ("mixture", "posterior", "between"):
        assert np.isfinite(Prior(kind, bank(), 1.0).draw(LatentDraws(top, np.zeros((1, LATENT))))).all()


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:Number of distinct clusters")
@pytest.mark.parametrize("kind", ["mixture", "posterior", "between"])
def test_two_crystals_are_enough_even_equal_ones(kind: str) -> None:
    two = Bank(np.ones((2, LATENT)), np.full((2, LATENT), 0.1), np.ones(2), np.ones(2))
    assert np.abs(Prior(kind, two, 1.0).draw(draws(50)) - 1.0).max() < 1.0


def test_a_prior_without_crystals_is_refused() -> None:
    with pytest.raises(InputError, match="ask for more atoms or less symmetry"):
        Prior("posterior", bank().simple(0, 48), 1.0)
    assert Prior("normal", bank().simple(0, 48), 1.0).draw(draws(3)).shape == (3, LATENT)


def test_simple_crystals_have_few_atoms_and_many_operations() -> None:
    simple = bank().simple(4, 48)
    assert 0 < len(simple) < 60
    assert simple.atoms.max() <= 4
    assert simple.operations.min() >= 48


def test_about_one_crystal_lies_its_neighbourhood() -> None:
    given = draws(5)
    z = Around(np.ones((1, LATENT)), np.full((1, LATENT), 0.2), 2.0, 5).draw(given, range(5))
    np.testing.assert_allclose(z, 1.0 + 0.4 * given.normals)


def test_between_crystals_the_numbers_go_from_the_first_to_the_last() -> None:
    ends = np.array([np.zeros(LATENT), np.ones(LATENT), np.full(LATENT, 3.0)])
    way = Around(ends, np.zeros_like(ends), 1.0, 8)
    z = way.draw(draws(8), range(8))[:, 0]
    np.testing.assert_allclose(z, [0.125, 0.375, 0.625, 0.875, 1.25, 1.75, 2.25, 2.75])
    np.testing.assert_allclose(way.draw(draws(2), range(3, 5))[:, 0], z[3:5])


def test_a_bank_keeps_half_precision_of_its_means() -> None:
    again = Bank.from_tensors(bank().tensors())
    np.testing.assert_allclose(again.means, bank().means, rtol=1e-3)
    assert (again.atoms == bank().atoms).all()


def test_symmetry_facts_are_those_of_primitive_cells() -> None:
    cubic, diamond = small_crystals(2, compounds=False)
    cubic = type(cubic)(2.2 * FCC, [[0.0, 0.0, 0.0]], [6])
    diamond = type(diamond)(3.57 * FCC, [[0.0, 0.0, 0.0], [0.25, 0.25, 0.25]], [6, 6])
    atoms, operations = symmetry_facts([cubic, diamond])
    assert atoms.tolist() == [1, 2]
    assert operations.tolist() == [48, 48]


def test_copies_among_the_training_crystals_count_once(tiny_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_folder, tmp_path / "tiny")
    crystals = read_crystals(tmp_path / "tiny")
    train = [index for index, given in enumerate(crystals) if given.part == "train"]
    first = set(train[:3])
    write_crystals([replace(c, distinct=i in first) for i, c in enumerate(crystals)], tmp_path / "tiny")
    generator = CdvaeGenerator(tmp_path / "tiny", device="cpu")
    settings = GenerateSettings(
        "cdvae",
        max_atoms=200,
        min_volume=0.1,
        max_volume=900.0,
        tries=1,
        sampler="flow",
        temperature=0.0,
        distinct=True,
    )
    made = generator.generate(seed=0, start=0, count=12, settings=settings, progress=SilentProgress())
    latents = {tuple(item.latent) for item in made}
    assert latents <= {tuple(mean) for mean in generator.bank.means[:3].astype(np.float32)}
    assert len(latents) > 1
