"""The split of labelled crystals, by distinct crystal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from kappakit.errors import InputError
from kappakit.ports import LabelledCrystal


@dataclass(frozen=True, eq=False)
class Split:
    """Frames by use. `validation` chooses between models, `test` is looked at once, for the card; `given`: somebody
    named the groups that validate, and there is no test set."""

    train: tuple[LabelledCrystal, ...]
    validation: tuple[LabelledCrystal, ...]
    test: tuple[LabelledCrystal, ...]
    given: bool = False


def split(
    frames: Sequence[LabelledCrystal],
    *,
    seed: int,
    always_train: Iterable[str],
    validation_fraction: float,
    test_fraction: float,
) -> Split:
    """Split by group, never by frame: groups are drawn from `seed`, those in `always_train` train.

    Fractions are of the groups; each part gets at least one group. Raises InputError for fewer than three groups.
    """
    fixed = set(always_train)
    free = sorted({f.group for f in frames} - fixed)
    if len(free) < (2 if fixed else 3):
        raise InputError("a split by distinct crystal needs at least three groups")
    order = [free[i] for i in np.random.default_rng(seed).permutation(len(free))]
    n_test = max(1, round(test_fraction * len(free)))
    n_validation = max(1, round(validation_fraction * len(free)))
    test, validation = set(order[:n_test]), set(order[n_test : n_test + n_validation])
    return Split(
        train=tuple(f for f in frames if f.group not in test | validation),
        validation=tuple(f for f in frames if f.group in validation),
        test=tuple(f for f in frames if f.group in test),
    )


def held_out_split(frames: Sequence[LabelledCrystal], held_out: Iterable[str]) -> Split:
    """Exactly the groups `held_out` validate, all others train, nothing is a test set.

    Raises InputError for a group that no frame is of, and where nothing is left to validate or to train.
    """
    groups, chosen = {f.group for f in frames}, set(held_out)
    if unknown := sorted(chosen - groups):
        raise InputError(f"no frame is of the held-out groups {', '.join(unknown)}")
    if not chosen or chosen == groups:
        raise InputError("a training needs groups that train and groups that validate")
    return Split(
        train=tuple(f for f in frames if f.group not in chosen),
        validation=tuple(f for f in frames if f.group in chosen),
        test=(),
        given=True,
    )
