"""The words beside a κ_L, and what starts by itself: no database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.conductivity.sweeps import Cost, minutes_allowed, what_starts
from apps.conductivity.trust import (
    MeshWords,
    completed,
    rankable,
    scattering_words,
    spread_words,
    supercell_words,
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
    "mesh": MeshWords((10, 10, 10), "given", 20.6),
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
        ({"scattering": "natural isotopes"}, "natural isotopes"),
        (
            {"fitted": "FC3 within 4 Å fitted to 40 random supercells"},
            "supercell 3×3×3, FC3 within 4 Å fitted to 40 random supercells",
        ),
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


def words_of(**changes) -> tuple[str, ...]:
    mesh = replace(MeshWords((7, 7, 7), "spacing", 25.03, meant=25.0), **changes)
    return trust_label(**(LABEL | {"mesh": mesh}))


def test_a_converged_mesh_says_what_the_last_step_changed_and_what_may_be_missing() -> None:
    told = words_of(change=0.018, error=0.072, converged=True, lengths=(21.5, 25.03))
    assert told[2] == "mesh of 25 Å (7×7×7)"
    assert told[-1] == "converged: 1.8 % by the mesh's last step (21.5 → 25 Å), error about 7.2 %"


def test_a_mesh_that_still_changes_much_is_not_called_converged() -> None:
    told = words_of(change=0.081, error=0.3, converged=False, lengths=(20.0, 25.0))
    assert told[-1] == "not converged: 8.1 % by the mesh's last step (20 → 25 Å), error about 30.0 %"
    assert completed(told, uncertainty=12.0, members=8)[-2:] == ("uncertainty 12 meV/atom (8 members)", told[-1])


def test_a_mesh_by_the_paper_s_rule_is_named_and_flagged_where_it_is_thin() -> None:
    told = words_of(numbers=(4, 4, 4), rule="axes", length=8.52)
    assert told[2] == "mesh 4×4×4 by the lengths of the cell's vectors (the paper's rule)"
    assert told[-2:] == ("thin mesh: 8.52 Å where 25 Å is meant", "not converged by test")
    assert not any(word.startswith("thin") for word in words_of(rule="axes", length=27.0))


def test_what_scatters_beside_three_phonons_has_words() -> None:
    assert scattering_words("none", 0.999, 0.0) == ""
    assert scattering_words("natural", 0.999, 10.0) == "natural isotopes, boundary at 10 µm"
    assert scattering_words("enriched", 0.999, 0.0) == "isotopes enriched to 0.999"


def test_a_supercell_is_named_by_its_repetitions_or_its_number_of_cells() -> None:
    assert supercell_words([], 3) == "3×3×3"
    assert supercell_words([[3, 0, 0], [0, 3, 0], [0, 0, 2]], 3) == "3×3×2"
    assert supercell_words([[-2, 2, 2], [2, -2, 2], [2, 2, -2]], 3) == "of 32 primitive cells"


LIMITS = replace(ConductivitySettings(), max_minutes=1.0, max_sweep_minutes=2.0, max_campaign_minutes=10.0)


@pytest.mark.parametrize(
    ("costs", "start", "waiting"),
    [
        ([], (), ()),
        ([Cost(1, 1.0)], (1,), ()),
        ([Cost(1, 1.1, 9000.0)], (), (1,)),
        ([Cost(1, 0.9, 500.0), Cost(2, 0.9, 1500.0), Cost(3, 0.9, 1000.0)], (2, 3), (1,)),
        ([Cost(1, 0.9), Cost(2, 0.9, 10.0), Cost(3, 0.3, 5.0), Cost(4, 0.2)], (2, 3, 4), (1,)),
    ],
)
def test_the_most_promising_start_until_the_sweep_s_minutes_are_used(costs, start, waiting) -> None:
    """A crystal without an estimate comes after those with one; one that no longer fits lets a smaller one pass."""
    sweep = what_starts(costs, LIMITS)
    assert (sweep.start, sweep.waiting) == (start, waiting)


def test_a_campaign_s_minutes_end_what_starts_by_itself() -> None:
    sweep = what_starts([Cost(1, 0.9), Cost(2, 0.9)], LIMITS, spent=9.0)
    assert (sweep.start, sweep.waiting) == ((1,), (2,))


def test_a_calculation_may_take_its_crystal_s_minutes_within_what_the_campaign_has_left() -> None:
    assert minutes_allowed(0.3, LIMITS, spent=2.0) == 1.0
    assert minutes_allowed(0.3, LIMITS, spent=9.5) == 0.5
    assert minutes_allowed(0.3, LIMITS, spent=12.0) == 0.3


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
