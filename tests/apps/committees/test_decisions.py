"""Who is labelled next, and why a committee stops asking."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.committees.decisions import Uncertain, choice, decides_words, epochs_of
from kappakit.protocol import CommitteeSettings

SETTINGS = CommitteeSettings(size=8, threshold=15.0, force_threshold=0.5, max_iterations=5)
ROWS = [Uncertain(1, 3.0, 0.9), Uncertain(2, 40.0, 0.1), Uncertain(3, 20.0, 0.6)]


def chosen(labelled=frozenset(), iteration=0, rows=ROWS, **settings):
    return choice(rows, labelled=labelled, settings=replace(SETTINGS, **settings), iteration=iteration)


def test_the_most_uncertain_above_the_threshold_is_labelled_next() -> None:
    found = chosen()
    assert (found.highest, found.above, found.worst, found.stopped) == (40.0, (2, 3), 2, "")


def test_a_crystal_is_added_once_only_and_the_next_one_takes_its_place() -> None:
    found = chosen(labelled={2})
    assert (found.above, found.worst, found.stopped) == ((2, 3), 3, "")


def test_the_loop_ends_where_all_above_the_threshold_were_labelled_and_they_stay_on_record() -> None:
    found = chosen(labelled={2, 3})
    assert found.worst is None
    assert found.above == (2, 3)
    assert "All 2 candidates above 15 meV/atom had labels before" in found.stopped


def test_the_loop_ends_where_nobody_is_above_the_threshold() -> None:
    found = chosen(threshold=50.0)
    assert (found.above, found.worst) == ((), None)
    assert found.stopped == "No candidate is above 50 meV/atom: the highest uncertainty is 40."


def test_exactly_at_the_threshold_is_not_above_it() -> None:
    assert chosen(threshold=40.0).above == ()


def test_the_loop_ends_where_the_iterations_are_used_up_and_the_worst_is_still_named() -> None:
    found = chosen(iteration=5)
    assert found.worst == 2
    assert found.stopped == "The 5 iterations with labels are used up; 2 are above 15 meV/atom."


def test_without_a_candidate_there_is_nothing_to_ask() -> None:
    found = chosen(rows=[])
    assert (found.highest, found.worst) == (None, None)
    assert "No candidate is left" in found.stopped


def test_the_forces_decide_where_the_protocol_says_so() -> None:
    """Energies can agree while forces do not."""
    found = chosen(criterion="forces")
    assert (found.highest, found.above, found.worst) == (0.9, (1, 3), 1)
    assert "0.9 eV/Å" in decides_words(replace(SETTINGS, criterion="forces"), value=0.9, rattles=8)


@pytest.mark.parametrize(
    ("epochs", "warm_epochs", "warm", "expected"),
    [(0, 0, True, {}), (30, 0, True, {"epochs": 30}), (30, 9, True, {"epochs": 9}), (30, 9, False, {"epochs": 30})],
)
def test_a_warm_start_may_train_for_fewer_epochs(epochs, warm_epochs, warm, expected) -> None:
    settings = replace(SETTINGS, epochs=epochs, warm_epochs=warm_epochs)
    assert epochs_of(settings, warm=warm) == expected
