"""Generation: each crystal its own, whatever the batch; every sampler; a device whose memory is small."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from kappakit.crystals import Crystal
from kappakit.engines.cdvae import decoding, generator, samplers
from kappakit.engines.cdvae.decoding import Decoding, Limits, Numbers
from kappakit.engines.cdvae.generator import CdvaeGenerator
from kappakit.engines.cdvae.samplers import SAMPLERS, Sampler, sample
from kappakit.errors import InputError
from kappakit.ports import GeneratedCrystal, SilentProgress
from kappakit.protocol import GenerateSettings
from kappakit.seeds import crystal_seed
from tests.kappakit.small_crystals import small_crystals

SETTINGS = GenerateSettings(generator="cdvae", tries=1, min_atoms=1, max_atoms=4, min_volume=1.0, max_volume=50.0)
numbers_of = Numbers.of
ALIKE = 1e-3
"""Of a lattice vector: what rounding in batches of other size may do to a coordinate."""


@pytest.fixture(scope="module")
def carbon_nitride(tiny_folder: Path) -> CdvaeGenerator:
    return CdvaeGenerator(tiny_folder, device="cpu")


def made(
    generator: CdvaeGenerator, start: int, count: int, *, seed: int = 7, settings: GenerateSettings = SETTINGS
) -> list[GeneratedCrystal]:
    return generator.generate(seed=seed, start=start, count=count, settings=settings, progress=SilentProgress())


def far_apart(one: Crystal, other: Crystal) -> float:
    difference = one.frac - other.frac
    return float(np.abs(difference - np.round(difference)).max())


def assert_alike(one: GeneratedCrystal, other: GeneratedCrystal) -> None:
    assert (one.index, one.seed) == (other.index, other.seed)
    assert one.crystal.numbers.tolist() == other.crystal.numbers.tolist()
    np.testing.assert_array_equal(one.crystal.cell, other.crystal.cell)
    np.testing.assert_array_equal(one.latent, other.latent)
    assert far_apart(one.crystal, other.crystal) < ALIKE


def test_a_crystal_depends_on_the_seed_and_its_number_only(carbon_nitride: CdvaeGenerator) -> None:
    together = {found.index: found for found in made(carbon_nitride, 0, 12)}
    for found in (*made(carbon_nitride, 5, 1), *made(carbon_nitride, 8, 3)):
        assert_alike(found, together[found.index])


def test_a_crystal_is_the_same_in_batches_of_another_size(
    carbon_nitride: CdvaeGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = made(carbon_nitride, 0, 12)
    monkeypatch.setattr(generator, "AT_ONCE", {"cpu": 1})
    for one, other in zip(whole, made(carbon_nitride, 0, 12), strict=True):
        assert_alike(one, other)


def test_the_same_call_gives_the_same_bits(carbon_nitride: CdvaeGenerator) -> None:
    first, second = made(carbon_nitride, 0, 5), made(carbon_nitride, 0, 5)
    assert [m.crystal.digest for m in first] == [m.crystal.digest for m in second]


def test_each_crystal_carries_its_own_seed(carbon_nitride: CdvaeGenerator) -> None:
    found = made(carbon_nitride, 3, 4)
    assert [m.seed for m in found] == [crystal_seed(7, index) for index in (3, 4, 5, 6)]
    other = made(carbon_nitride, 3, 4, seed=8)
    assert {m.crystal.digest for m in found}.isdisjoint(m.crystal.digest for m in other)


def test_the_default_precision_of_another_library_changes_nothing(
    carbon_nitride: CdvaeGenerator, tiny_folder: Path
) -> None:
    expected, before = made(carbon_nitride, 0, 2), torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        found = made(CdvaeGenerator(tiny_folder, device="cpu"), 0, 2)
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(before)
    for one, other in zip(expected, found, strict=True):
        assert_alike(one, other)


def test_no_crystals_are_no_error(carbon_nitride: CdvaeGenerator) -> None:
    assert made(carbon_nitride, 0, 0) == []
    means, widths = carbon_nitride.encode([])
    assert means.shape == widths.shape == (0, 16)
    assert carbon_nitride.reconstruct([], seed=0, settings=SETTINGS, progress=SilentProgress()) == []


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_gives_finite_crystals_within_the_cell(
    carbon_nitride: CdvaeGenerator, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SAMPLERS, name, replace(SAMPLERS[name], steps=min(SAMPLERS[name].steps, 2)))
    found = made(carbon_nitride, 0, 4, settings=replace(SETTINGS, sampler=name))
    assert [m.index for m in found] == [0, 1, 2, 3]
    for crystal in (m.crystal for m in found):
        assert ((crystal.frac >= 0.0) & (crystal.frac <= 1.0)).all()
        assert 1 <= crystal.n_atoms <= 4
        assert 1.0 <= crystal.volume / crystal.n_atoms <= 50.0


def test_the_published_sampler_calls_the_network_five_thousand_times() -> None:
    assert SAMPLERS["published"].calls == SAMPLERS["published"].draws == 5000


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sampler_counts_its_calls_and_draws(name: str) -> None:
    chosen = replace(SAMPLERS[name], steps=min(SAMPLERS[name].steps, 3))
    calls, noises = [], iter(torch.zeros(chosen.draws, 1, 2, 3))

    def field(frac: torch.Tensor, sigma: float) -> torch.Tensor:
        calls.append(sigma)
        return torch.zeros_like(frac)

    sample(chosen, field, torch.zeros(1, 2, 3), torch.eye(3)[None], noises)
    assert len(calls) == chosen.calls
    assert next(noises, None) is None


def one_gaussian(sampler: Sampler, width: float, count: int = 4000) -> torch.Tensor:
    """The sampler's end for data normal of `width` Å about the middle of a wide cell, whose score is known exactly."""
    side = 40.0
    rng = torch.Generator().manual_seed(0)

    def field(frac: torch.Tensor, sigma: float) -> torch.Tensor:
        return -(frac - 0.5) * side * sigma / (width**2 + sigma**2)

    def noises() -> Iterator[torch.Tensor]:
        while True:
            yield torch.randn(1, count, 3, generator=rng)

    spread = (width**2 + sampler.largest**2) ** 0.5
    start = 0.5 + torch.randn(1, count, 3, generator=rng) * spread / side
    return (sample(sampler, field, start, torch.eye(3)[None] / side, noises()) - 0.5) * side


@pytest.mark.parametrize(
    "sampler",
    [
        Sampler("flow", levels=200, steps=0, flow=True),
        Sampler("diffusion", levels=200, steps=0, flow=True, churn=1.0),
        Sampler("gentle", levels=60, steps=40, pull=0.2),
    ],
    ids=lambda s: s.name,
)
def test_integrators_give_the_distribution_whose_score_they_follow(sampler: Sampler) -> None:
    assert float(one_gaussian(sampler, 0.5).std()) == pytest.approx(0.5, rel=0.06)


@pytest.mark.parametrize(("exact", "kept"), [(True, 1.0), (False, 2.0**0.5)])
def test_an_exact_step_keeps_the_noise_of_its_level_and_the_published_one_more(exact: bool, kept: float) -> None:
    plain = Sampler("plain", levels=50, largest=10.0, knee=0.5, smallest=0.5, steps=9, exact=exact, denoise=False)
    assert float(one_gaussian(plain, 1e-3).std()) == pytest.approx(0.5 * kept, rel=0.05)


def test_what_does_not_encode_back_is_decoded_again(carbon_nitride: CdvaeGenerator) -> None:
    once = made(carbon_nitride, 0, 12)
    often = made(carbon_nitride, 0, 12, settings=replace(SETTINGS, tries=4))
    for one, other in zip(once, often, strict=True):
        assert other.consistency <= one.consistency + 1e-3
        if one.consistency <= decoding.CONSISTENT:
            assert far_apart(one.crystal, other.crystal) < ALIKE


def test_progress_counts_crystals(carbon_nitride: CdvaeGenerator) -> None:
    progress = SilentProgress()
    carbon_nitride.generate(seed=0, start=0, count=9, settings=SETTINGS, progress=progress)
    assert all(0 <= done <= total == 9 for done, total, _ in progress.calls)
    assert progress.calls[-1][0] == 9


def test_a_crystal_is_reconstructed_with_its_likeliest_lattice(
    carbon_nitride: CdvaeGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SAMPLERS, "annealed", replace(SAMPLERS["annealed"], levels=2))
    monkeypatch.setattr(Numbers, "of", lambda seed, latent: replace(numbers_of(seed, latent), latent=np.zeros(latent)))
    given = small_crystals(3)
    again = carbon_nitride.reconstruct(given, seed=0, settings=SETTINGS, progress=SilentProgress())
    z = torch.from_numpy(carbon_nitride.encode(given)[0]).double()
    counts = torch.tensor([crystal.n_atoms for crystal in again])
    likeliest = carbon_nitride.network.precise_heads.lattices(z, counts).likeliest()
    np.testing.assert_allclose([c.cell for c in again], carbon_nitride.network.cells(likeliest, counts), atol=1e-9)
    assert counts.tolist() == carbon_nitride.network.precise_heads.number(z)[:, 1:].argmax(1).add(1).tolist()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"min_atoms": 30, "max_atoms": 40}, "knows cells of 1 to 24 atoms"),
        ({"min_atoms": 5, "max_atoms": 3}, "knows cells of 1 to 24 atoms"),
        ({"sampler": "guessing"}, "no sampler 'guessing'; there are annealed"),
        ({"prior": "guess"}, "no prior 'guess'"),
        ({"simple": True, "simple_operations": 48, "max_atoms": 1, "min_volume": 1.0}, "so small and symmetric"),
        ({"min_volume": 9.0, "max_volume": 5.0}, "smallest volume"),
    ],
)
def test_what_cannot_be_generated_is_said(
    carbon_nitride: CdvaeGenerator, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        made(carbon_nitride, 0, 2, settings=replace(SETTINGS, **changes))


class SmallMemory:
    """Decodes as before, but for `crystals` at a time at most."""

    def __init__(self, crystals: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.crystals, self.refused = crystals, 0
        self.whole = Decoding._of_one_size
        monkeypatch.setattr(Decoding, "_of_one_size", lambda *given: self(*given))

    def __call__(self, decoder: Decoding, chosen: list[int], atoms: int, attempt: int) -> object:
        if len(chosen) > self.crystals:
            self.refused += 1
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self.whole(decoder, chosen, atoms, attempt)


def test_where_memory_does_not_suffice_a_batch_is_halved_and_nothing_is_lost(
    carbon_nitride: CdvaeGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(SETTINGS, min_atoms=2, max_atoms=2)
    expected = made(carbon_nitride, 0, 11, settings=settings)
    memory = SmallMemory(3, monkeypatch)
    found = made(carbon_nitride, 0, 11, settings=settings)
    assert memory.refused == 3
    for one, other in zip(expected, found, strict=True):
        assert_alike(one, other)


def test_a_crystal_that_no_memory_holds_is_said(
    carbon_nitride: CdvaeGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    SmallMemory(0, monkeypatch)
    with pytest.raises(InputError, match="not one crystal of 2 atoms fits"):
        made(carbon_nitride, 0, 4, settings=replace(SETTINGS, min_atoms=2, max_atoms=2))


def test_numbers_of_atoms_follow_the_head_within_the_limits(carbon_nitride: CdvaeGenerator) -> None:
    uniform = np.linspace(0.0, 1.0, 400, endpoint=False)
    numbers = [replace(Numbers.of(0, 16), number=float(u)) for u in uniform]
    z = torch.zeros(len(uniform), 16, dtype=torch.float64)
    heads = carbon_nitride.network.precise_heads
    drawn = decoding._counts(heads, z, numbers, Limits(min_atoms=2, max_atoms=4))
    share = heads.number(z[:1])[0, 2:5].softmax(0).tolist()
    assert (np.bincount(drawn, minlength=5)[2:] / 400).tolist() == pytest.approx(share, abs=0.005)
    assert set(np.unique(drawn)) <= {2, 3, 4}


def test_a_sampler_s_levels_fall_from_largest_to_smallest() -> None:
    for sampler in samplers.SAMPLERS.values():
        levels = [*sampler.sigmas(), *sampler.tail_sigmas()]
        assert levels == sorted(levels, reverse=True)
        assert levels[0] == pytest.approx(sampler.largest)
        assert levels[-1] == pytest.approx(sampler.smallest)
