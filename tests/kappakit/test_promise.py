"""The estimate of κ_L: the formula by hand, known crystals in their order, and what has no estimate."""

from __future__ import annotations

import numpy as np
import pytest

from kappakit.crystals import Crystal
from kappakit.engines.analytic import lennard_jones, tersoff_bcn
from kappakit.ports import Potential, PotentialRef
from kappakit.promise import SLACK_ELASTIC, UNSTABLE_ATOMS, UNSTABLE_STRAIN, promise_of, slack
from kappakit.reference import stacked_polytype
from tests.kappakit.reference_cells import diamond, graphite, lonsdaleite


@pytest.fixture(scope="module")
def tersoff() -> Potential:
    return tersoff_bcn(PotentialRef("tersoff-bcn", "Tersoff"))


def test_slack_of_diamond_by_hand() -> None:
    """θ = 2230 K, γ = 0.9: A = 2.43e-6 / 0.71037, δ = (11.346 / 2)^(1/3) Å."""
    expected = 2.43e-6 / 0.71037 * 12.011 * 2230**3 * 1.78349 / (0.81 * 2 ** (2 / 3) * 300)
    assert slack(diamond(3.567), debye=2230.0, gamma=0.9) == pytest.approx(expected, rel=1e-4)


def test_it_falls_with_temperature() -> None:
    warm, hot = (slack(diamond(), debye=2000.0, gamma=1.0, temperature=t) for t in (300.0, 600.0))
    assert warm == pytest.approx(2 * hot)


def test_diamond_promises_most_of_its_polytypes(tersoff: Potential) -> None:
    found = [
        promise_of(crystal, tersoff) for crystal in (diamond(3.56563), lonsdaleite(), stacked_polytype("hc", 3.5656))
    ]
    values = [promise.kappa or 0.0 for promise in found]
    assert values == sorted(values, reverse=True)
    assert values[0] == pytest.approx(2.43e-6 / 0.714 * 12.011 * 2319**3 * 1.783 / (2 ** (2 / 3) * 300), rel=0.01)
    assert {promise.method for promise in found} == {SLACK_ELASTIC}


def test_an_unstable_crystal_has_a_note_and_no_number(tersoff: Potential) -> None:
    argon = Crystal.from_symbols(3.7 * np.eye(3), [[0.0] * 3], ["Ar"])
    sheared = promise_of(argon, lennard_jones(PotentialRef("lennard-jones", "argon")))
    assert (sheared.kappa, sheared.note) == (None, UNSTABLE_STRAIN)
    sliding = promise_of(graphite(), tersoff)
    assert (sliding.kappa, sliding.note) == (None, UNSTABLE_ATOMS)
