"""Duplicates: pymatgen's own partition, with the evidence for each decision."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.analysis.structure_matcher import StructureMatcher

from kappakit.crystals import Crystal
from kappakit.engines.search.demo_input import perturbed
from kappakit.engines.search.generator import SearchGenerator
from kappakit.errors import InputError
from kappakit.matching import Tolerances, fits, reduced_cell, rms_distance, structure_of
from kappakit.ports import SilentProgress
from kappakit.protocol import DeduplicateSettings, GenerateSettings
from kappakit.reference import reference_crystals
from kappakit.stages import deduplicate
from kappakit.stages.contracts import DeduplicateInputs, Item

TOLERANCES = Tolerances()


def pymatgen_matcher() -> StructureMatcher:
    return StructureMatcher(ltol=0.2, stol=0.3, angle_tol=5.0)


@cache
def mixed_pool() -> list[Item]:
    """Carbon and BN references with perturbed copies, and random crystals of both: many near misses."""
    rng = np.random.default_rng(5)
    crystals = [known.crystal for known in reference_crystals().values()]
    copies = [perturbed(crystal, strain=0.02, rattle=0.08, rng=rng) for crystal in crystals]
    search = SearchGenerator()
    searched = [
        made.crystal
        for elements in ("C", "B N")
        for made in search.generate(
            seed=3,
            start=0,
            count=20,
            settings=GenerateSettings(elements=elements, max_atoms=4, min_atoms=2),
            progress=SilentProgress(),
        )
    ]
    pool = [*crystals, *copies, *searched]
    energies = np.random.default_rng(8).uniform(-9, -8, size=len(pool))
    return [
        Item(str(i), crystal, float(energy)) for i, (crystal, energy) in enumerate(zip(pool, energies, strict=True))
    ]


def pymatgen_partition(items: list[Item]) -> set[frozenset[str]]:
    structures = [structure_of(item.crystal) for item in items]
    for structure, item in zip(structures, items, strict=True):
        structure.properties["id"] = item.id
    groups = pymatgen_matcher().group_structures(structures)
    return {frozenset(structure.properties["id"] for structure in group) for group in groups}


def test_the_partition_is_that_of_group_structures_fed_in_canonical_order(engines) -> None:
    items = mixed_pool()
    outputs = deduplicate.run(DeduplicateInputs(tuple(items)), DeduplicateSettings(), engines=engines)
    groups = {key: {key} for key in outputs.representatives}
    for match in outputs.matches:
        groups[match.representative].add(match.duplicate)
    expected = pymatgen_partition(deduplicate.canonical_order(items))
    assert {frozenset(group) for group in groups.values()} == expected
    assert 20 < len(expected) < len(items)


def test_the_answer_does_not_depend_on_the_order_of_the_input(engines) -> None:
    items = mixed_pool()[-40:]
    forward = deduplicate.run(DeduplicateInputs(tuple(items)), DeduplicateSettings(), engines=engines)
    backward = deduplicate.run(DeduplicateInputs(tuple(items[::-1])), DeduplicateSettings(), engines=engines)
    assert forward == backward


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**16), name=st.sampled_from(sorted(reference_crystals())), rattle=st.floats(0.0, 0.5))
def test_a_pair_fits_or_not_as_pymatgen_says_with_pymatgens_rms(seed: int, name: str, rattle: float) -> None:
    crystal = reference_crystals()[name].crystal
    other = perturbed(crystal, strain=0.03, rattle=rattle, rng=np.random.default_rng(seed))
    first, second = reduced_cell(crystal), reduced_cell(other)
    matcher = pymatgen_matcher()
    assert fits(first, second, TOLERANCES) == matcher.fit(structure_of(crystal), structure_of(other))
    ours, theirs = (
        rms_distance(first, second, TOLERANCES),
        matcher.get_rms_dist(structure_of(crystal), structure_of(other)),
    )
    assert (ours is None) == (theirs is None)
    if ours is not None:
        assert ours == pytest.approx(theirs[0], abs=2e-5)


def test_a_match_keeps_the_rms_of_both_directions_and_the_energy_difference(engines) -> None:
    diamond = reference_crystals()["diamond"].crystal
    copy = perturbed(diamond, strain=0.01, rattle=0.02, rng=np.random.default_rng(1))
    items = (Item("copy", copy, -8.99), Item("pure", diamond, -9.0))
    (match,) = deduplicate.run(DeduplicateInputs(items), DeduplicateSettings(), engines=engines).matches
    assert (match.representative, match.duplicate) == ("pure", "copy")
    assert match.rms_forward == pytest.approx(match.rms_backward, rel=1e-3)
    assert match.energy_difference == pytest.approx(10.0)
    assert match.conflict == ""


def test_a_match_across_a_large_energy_difference_merges_and_is_a_conflict(engines) -> None:
    diamond = reference_crystals()["diamond"].crystal
    items = (Item("a", diamond, -9.0), Item("b", diamond, -8.9))
    outputs = deduplicate.run(DeduplicateInputs(items), DeduplicateSettings(), engines=engines)
    assert outputs.representatives == ("a",)
    assert outputs.matches[0].conflict == "energy"


def test_a_match_in_one_direction_only_merges_and_is_a_conflict(engines) -> None:
    first, second = one_way_pair()
    items = (Item("a", first, -9.0), Item("b", second, -9.0 + 1e-6))
    outputs = deduplicate.run(DeduplicateInputs(items), DeduplicateSettings(), engines=engines)
    assert outputs.representatives == ("a",)
    assert outputs.matches[0].conflict == "one-way"
    assert outputs.matches[0].rms_backward is None


def one_way_pair() -> tuple[Crystal, Crystal]:
    """The first pair of rattled random crystals that fits one way and not the other."""
    rng = np.random.default_rng(0)
    made = SearchGenerator().generate(
        seed=1, start=0, count=12, settings=GenerateSettings(min_atoms=4, max_atoms=6), progress=SilentProgress()
    )
    for found in made * 20:
        other = perturbed(found.crystal, strain=0.05, rattle=0.35, rng=rng)
        cells = reduced_cell(found.crystal), reduced_cell(other)
        if fits(*cells, TOLERANCES) != fits(*cells[::-1], TOLERANCES):
            return (found.crystal, other) if fits(*cells, TOLERANCES) else (other, found.crystal)
    raise LookupError("no pair that fits one way only")


def test_an_item_without_an_energy_is_named(engines) -> None:
    with pytest.raises(InputError, match="missing for x"):
        deduplicate.run(
            DeduplicateInputs((Item("x", reference_crystals()["diamond"].crystal),)),
            DeduplicateSettings(),
            engines=engines,
        )
