"""Novelty, screen and stability on known crystals."""

from __future__ import annotations

import numpy as np
import pytest

from kappakit.crystals import Crystal
from kappakit.engines.search.demo_input import perturbed
from kappakit.protocol import DeduplicateSettings, ScreenSettings
from kappakit.reference import REFERENCES, reference_crystals
from kappakit.stages import novelty, screen, stability
from kappakit.stages.contracts import Item, NoveltyInputs, ReferenceItem, ScreenInputs, StabilityInputs
from kappakit.stages.table import NoSettings


def known(name: str) -> ReferenceItem:
    return ReferenceItem(name, REFERENCES[name].crystal, -9.0, REFERENCES[name].kappa_known)


def noisy(name: str) -> Crystal:
    return perturbed(REFERENCES[name].crystal, strain=0.005, rattle=0.01, rng=np.random.default_rng(2))


def test_novelty_has_three_levels(engines) -> None:
    items = (Item("a", noisy("bct-C4")), Item("b", noisy("M-carbon")), Item("c", noisy("sodalite-C")))
    references = tuple(known(name) for name in ("diamond", "bct-C4", "M-carbon"))
    a, b, c = novelty.run(NoveltyInputs(items, references), DeduplicateSettings(), engines=engines).verdicts
    assert (a.level, a.name) == ("kappa-known", "bct-C4")
    assert (b.level, b.name) == ("structure-known", "M-carbon")
    assert (c.level, c.name, c.rms) == ("new", "", None)
    assert a.rms is not None
    assert a.rms < 0.02


def test_the_nearer_of_two_matching_references_gives_the_name(engines) -> None:
    crystal = REFERENCES["diamond"].crystal
    far = ReferenceItem("strained", perturbed(crystal, strain=0.05, rattle=0.1, rng=np.random.default_rng(0)), -9, True)
    inputs = NoveltyInputs((Item("x", crystal),), (far, known("diamond")))
    (verdict,) = novelty.run(inputs, DeduplicateSettings(), engines=engines).verdicts
    assert verdict.name == "diamond"


def test_the_screen_passes_diamond_and_fails_8h_for_its_size_and_a_rattled_crystal_for_its_symmetry(engines) -> None:
    rattled = perturbed(REFERENCES["diamond-4H"].crystal, strain=0.05, rattle=0.3, rng=np.random.default_rng(1))
    items = (*tuple(Item(n, REFERENCES[n].crystal) for n in ("diamond", "diamond-8H")), Item("rattled", rattled))
    facts = screen.run(ScreenInputs(items), ScreenSettings(), engines=engines).facts
    assert [fact.passes for fact in facts] == [True, False, False]
    assert facts[0].reason == ""
    assert facts[1].reason == "16 atoms in the primitive cell, at most 12 are wanted"
    assert facts[2].reason.endswith("symmetry operations, at least 4 are wanted")
    assert (facts[0].number, facts[0].operations, facts[0].n_primitive) == (227, 48, 2)


def test_the_screen_knows_what_is_layered(engines) -> None:
    items = tuple(Item(name, crystal.crystal) for name, crystal in reference_crystals().items())
    facts = screen.run(ScreenInputs(items), ScreenSettings(), engines=engines).facts
    assert {fact.id for fact in facts if fact.dimensionality == 2} == {"graphite", "hexagonal-BN"}


def test_the_lowest_carbon_is_the_hull_and_the_others_lie_above_it(engines) -> None:
    items = (Item("a", REFERENCES["diamond"].crystal, -9.0), Item("b", REFERENCES["bct-C4"].crystal, -8.8))
    reference = ReferenceItem("graphite", REFERENCES["graphite"].crystal, -9.1, False)
    outputs = stability.run(StabilityInputs(items, (reference,)), NoSettings(), engines=engines)
    assert [energy.above_hull for energy in outputs.energies] == [pytest.approx(0.1), pytest.approx(0.3)]
    assert outputs.hull_members == ("reference graphite",)


def test_a_compound_lies_above_or_on_the_hull_of_its_elements(engines) -> None:
    """Worked by hand: E(B) = -6, E(N) = -8, so the tie line at BN is -7 eV/atom until cubic BN at -8.5 breaks it."""
    boron = Crystal.from_symbols(np.eye(3) * 2, [[0, 0, 0]], ["B"])
    nitrogen = Crystal.from_symbols(np.eye(3) * 2, [[0, 0, 0]], ["N"])
    elements = (ReferenceItem("B", boron, -6.0, False), ReferenceItem("N", nitrogen, -8.0, False))
    items = (Item("c-BN", REFERENCES["cubic-BN"].crystal, -8.5), Item("w-BN", REFERENCES["wurtzite-BN"].crystal, -8.4))
    outputs = stability.run(StabilityInputs(items, elements), NoSettings(), engines=engines)
    assert [energy.above_hull for energy in outputs.energies] == [pytest.approx(0.0), pytest.approx(0.1)]
    assert set(outputs.hull_members) == {"c-BN", "reference B", "reference N"}


def test_a_missing_elemental_reference_is_a_note(engines) -> None:
    items = (Item("x", REFERENCES["cubic-BN"].crystal, -8.5), Item("d", REFERENCES["diamond"].crystal, None))
    x, d = stability.run(StabilityInputs(items, ()), NoSettings(), engines=engines).energies
    assert x.above_hull is None
    assert x.note == "no hull of B-N: no energy of elemental B, N"
    assert d.note == "no hull of C: no energy of elemental C"


def test_nothing_in_gives_nothing_out(engines) -> None:
    assert screen.run(ScreenInputs(()), ScreenSettings(), engines=engines).facts == ()
    assert stability.run(StabilityInputs((), ()), NoSettings(), engines=engines).energies == ()
    assert novelty.run(NoveltyInputs((), ()), DeduplicateSettings(), engines=engines).verdicts == ()
