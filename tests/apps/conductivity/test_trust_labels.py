"""The words beside a κ_L, and what starts by itself: no database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.conductivity.sweeps import Cost, what_starts
from apps.conductivity.trust import (
    completed,
    rankable,
    spread_words,
    trust_label,
    validation_word,
    with_spread,
    with_validation,
)
from kappakit.protocol import ConductivitySettings

LABEL = {
    "source": "carbon-laptop",
    "version": "1a2b3c4d",
    "method": "RTA",
    "mesh": (10, 10, 10),
    "temperature": 300.0,
    "dynamical": "stable",
    "symmetry_kept": True,
    "dimensionality": 3,
    "supercell": "3×3×3",
    "pair_cutoff": 3.0,
}


def test_a_sound_result_says_where_it_comes_from_and_that_it_is_not_converged_by_test() -> None:
    assert trust_label(**LABEL) == (
        "carbon-laptop (1a2b3c4d)", "RTA", "mesh 10×10×10", "300 K", "stable phonons", "symmetry kept",
        "supercell 3×3×3, pairs within 3 Å", "not converged by test",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"dynamical": "imaginary"}, "imaginary modes"),
        ({"dynamical": "borderline"}, "borderline phonons"),
        ({"symmetry_kept": False}, "symmetry broken"),
        ({"dimensionality": 2}, "layered"),
        ({"dimensionality": 0}, "molecular"),
        ({"nac": "missing"}, "NAC missing"),
        ({"force_noise": 3e-5}, "forces in float32, noise 3e-05 eV/Å"),
        ({"pair_cutoff": 0.0}, "supercell 3×3×3, all pairs"),
    ],
)
def test_every_doubt_has_a_word(change: dict, word: str) -> None:
    assert word not in trust_label(**LABEL)
    assert word in trust_label(**(LABEL | change))


def test_a_stored_label_gains_the_committee_s_word_before_that_on_convergence() -> None:
    stored = with_spread(trust_label(**LABEL), spread_words([1580.0, 1760.0], 8))
    told = completed(stored, uncertainty=12.04, members=8)
    assert told[-3:-1] == ("2 of 8 members: 1580–1760, σ 127 W/(m·K)", "uncertainty 12 meV/atom (8 members)")
    assert told[-1] == "not converged by test"
    assert completed(trust_label(**LABEL), uncertainty=None, members=None) == trust_label(**LABEL)


@pytest.mark.parametrize("dynamical", ["stable", "borderline", "imaginary"])
@pytest.mark.parametrize("symmetry_kept", [True, False])
@pytest.mark.parametrize("dimensionality", [0, 1, 2, 3])
def test_only_stable_three_dimensional_crystals_with_their_symmetry_are_ranked(
    dynamical: str, symmetry_kept: bool, dimensionality: int
) -> None:
    allowed = (dynamical, symmetry_kept, dimensionality) == ("stable", True, 3)
    assert rankable(dynamical=dynamical, symmetry_kept=symmetry_kept, dimensionality=dimensionality) is allowed


LIMITS = replace(
    ConductivitySettings(), max_evaluations=100, max_bte_minutes=1.0, max_sweep_evaluations=200, max_sweep_minutes=2.0
)


@pytest.mark.parametrize(
    ("costs", "start", "waiting"),
    [
        ([], (), ()),
        ([Cost(1, 100, 1.0)], (1,), ()),
        ([Cost(1, 101, 0.1)], (), (1,)),
        ([Cost(1, 1, 1.1)], (), (1,)),
        ([Cost(1, 90, 0.1), Cost(2, 80, 0.1), Cost(3, 70, 0.1)], (3, 2), (1,)),
        ([Cost(1, 10, 0.9), Cost(2, 10, 0.9), Cost(3, 10, 0.9), Cost(4, 11, 0.2)], (1, 2, 4), (3,)),
    ],
)
def test_the_cheapest_start_until_the_sweeps_budget_is_used(costs, start, waiting) -> None:
    sweep = what_starts(costs, LIMITS)
    assert (sweep.start, sweep.waiting) == (start, waiting)


def test_a_committee_s_spread_is_an_interval_with_its_standard_deviation() -> None:
    """σ with one degree of freedom taken off: of 1600, 1700, 1800 it is 100."""
    assert spread_words([1700.0, 1600.0, 1800.0], 3) == "3 members: 1600–1800, σ 100 W/(m·K)"


def test_members_without_a_conductivity_are_counted() -> None:
    assert spread_words([12.34], 8) == "1 of 8 members: 12 W/(m·K)"
    assert spread_words([], 8) == "0 of 8 members: none has a κ_L"


def test_a_newer_spread_takes_the_place_of_an_older_one() -> None:
    label = ["carbon-laptop", "RTA", "8 members: 1–2, σ 0.5 W/(m·K)"]
    assert with_spread(label, "7 of 8 members: 3–4, σ 0.5 W/(m·K)") == [
        *label[:2],
        "7 of 8 members: 3–4, σ 0.5 W/(m·K)",
    ]


def test_a_validation_stands_behind_the_phonons_and_takes_an_older_one_s_place() -> None:
    label = ("carbon-laptop (9f9f9f9f)", "RTA", "stable phonons", "symmetry kept", "not converged by test")
    confirmed = with_validation(label, validation_word("confirmed", "gpaw"))
    assert confirmed[2:4] == ("stable phonons", "DFT confirms stable phonons")
    assert with_validation(confirmed, validation_word("unstable", "vasp"))[2:5] == (
        "stable phonons",
        "DFT: imaginary modes",
        "symmetry kept",
    )


def test_a_surrogate_s_word_never_begins_with_dft() -> None:
    for verdict in ("confirmed", "borderline", "unstable", "different"):
        assert validation_word(verdict, "surrogate").startswith("surrogate in DFT's place")
