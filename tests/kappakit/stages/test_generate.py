"""The random symmetric search: reproducible crystal by crystal, within the limits that were asked for."""

from __future__ import annotations

import pytest

from kappakit.engines.search import generator
from kappakit.engines.search.generator import SearchGenerator
from kappakit.errors import InputError
from kappakit.ports import GeneratorRef, SilentProgress
from kappakit.protocol import GenerateSettings
from kappakit.stages import generate
from kappakit.stages.contracts import GenerateInputs
from kappakit.symmetry import find_symmetry, shortest_distance

SETTINGS = GenerateSettings(min_atoms=2, max_atoms=6)
SEARCH = GeneratorRef("search", "search")


def made(seed: int, start: int, count: int, settings: GenerateSettings = SETTINGS):
    return SearchGenerator().generate(seed=seed, start=start, count=count, settings=settings, progress=SilentProgress())


def test_a_crystal_depends_on_the_seed_and_its_number_only() -> None:
    together = {found.index: found.crystal.digest for found in made(7, 0, 8)}
    apart = {found.index: found.crystal.digest for found in made(7, 5, 2)}
    assert apart == {index: together[index] for index in (5, 6)}
    assert {found.crystal.digest for found in made(8, 0, 8)}.isdisjoint(together.values())


def test_every_crystal_is_primitive_and_within_the_limits() -> None:
    for found in made(1, 0, 20):
        crystal = found.crystal
        assert 2 <= crystal.n_atoms <= 6
        assert SETTINGS.min_volume <= crystal.volume / crystal.n_atoms <= SETTINGS.max_volume
        assert shortest_distance(crystal) >= SETTINGS.min_distance
        assert find_symmetry(crystal, symprec=1e-3, angle_tolerance=-1.0).primitive.n_atoms == crystal.n_atoms


def test_most_random_crystals_pass_the_papers_symmetry_screen() -> None:
    operations = [find_symmetry(found.crystal, symprec=0.1, angle_tolerance=1.0).operations for found in made(2, 0, 20)]
    assert sum(count >= 4 for count in operations) >= 15


def test_a_compound_keeps_its_stoichiometry() -> None:
    for found in made(3, 0, 6, GenerateSettings(elements="B N N", min_atoms=3, max_atoms=6, max_volume=12.0)):
        counts = found.crystal.composition
        assert counts["N"] == 2 * counts["B"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (GenerateSettings(elements=""), "at least one element"),
        (GenerateSettings(elements="Qq"), "Qq"),
        (GenerateSettings(elements="B N N", min_atoms=4, max_atoms=5), "no multiple of 3"),
        (GenerateSettings(min_volume=9.0, max_volume=5.0), "smallest volume"),
        (GenerateSettings(min_distance=4.0), "45.3 Å³ each"),
    ],
)
def test_what_cannot_be_searched_is_said(settings: GenerateSettings, message: str) -> None:
    with pytest.raises(InputError, match=message):
        made(0, 0, 1, settings)


def test_a_number_without_a_crystal_is_a_refusal(engines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "ATTEMPTS", 5)
    impossible = GenerateSettings(min_distance=2.2, min_volume=7.6, max_volume=7.7, min_atoms=7, max_atoms=7)
    outputs = generate.run(GenerateInputs(seed=0, start=3, count=1, generator=SEARCH), impossible, engines=engines)
    assert outputs.crystals == ()
    assert [(refusal.source, refusal.reason) for refusal in outputs.refusals] == [("search#3", "no-crystal-found")]


def test_the_stage_names_generator_version_and_seeds(engines) -> None:
    outputs = generate.run(GenerateInputs(seed=0, start=0, count=2, generator=SEARCH), SETTINGS, engines=engines)
    assert outputs.generator == "search"
    assert outputs.version.startswith("search (pyxtal ")
    assert outputs.sha256 == ""
    assert len({item.seed for item in outputs.crystals}) == 2
