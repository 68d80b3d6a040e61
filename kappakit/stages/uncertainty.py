"""Uncertainty: how far the members disagree about each candidate, and whether that tells the true error."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kappakit.committee import calibrate, energy_std, force_spread
from kappakit.errors import InputError
from kappakit.labels import read_frames
from kappakit.ports import Committee, CommitteeEvaluation, Engines
from kappakit.protocol import CommitteeSettings
from kappakit.stages.contracts import (
    Item,
    Refusal,
    UncertaintyInputs,
    UncertaintyItem,
    UncertaintyOutputs,
)
from kappakit.stages.kappa_results import Stopwatch

UNKNOWN, NOT_FINITE = "unknown-element", "not-finite"
Found = tuple[Item, CommitteeEvaluation]


def run(inputs: UncertaintyInputs, settings: CommitteeSettings, *, engines: Engines) -> UncertaintyOutputs:
    """All members on all candidates in one pass, then on the fixed test set.

    A candidate with an element that the members do not know, or without finite energies, becomes a Refusal. Raises
    InputError for an unreadable or empty test set and for members that do not fit together.
    """
    committee = engines.committee(inputs.members)
    watch = Stopwatch()
    found, refusals = _evaluated(committee, inputs.items)
    seconds = watch.seconds
    engines.progress(len(found), len(inputs.items), f"{len(found)} crystals by {committee.size} members")
    test = read_frames(Path(inputs.test))
    calibration = calibrate(test, committee.evaluate([f.crystal for f in test]), settings.ddof)
    finite = [(item, e) for item, e in found if _finite(e)]
    refusals += [Refusal(item.id, NOT_FINITE, "an energy is not finite") for item, e in found if not _finite(e)]
    return UncertaintyOutputs(
        items=tuple(_row(item, e, settings.ddof) for item, e in finite),
        calibration=calibration,
        seconds=seconds,
        refusals=tuple(refusals),
    )


def _evaluated(committee: Committee, items: Sequence[Item]) -> tuple[list[Found], list[Refusal]]:
    """One pass; where one crystal spoils it, each by itself."""
    try:
        return list(zip(items, committee.evaluate([i.crystal for i in items]), strict=True)), []
    except InputError:
        return _one_by_one(committee, items)


def _one_by_one(committee: Committee, items: Sequence[Item]) -> tuple[list[Found], list[Refusal]]:
    found: list[Found] = []
    refusals: list[Refusal] = []
    for item in items:
        try:
            (evaluation,) = committee.evaluate([item.crystal])
        except InputError as error:
            refusals.append(Refusal(item.id, UNKNOWN, str(error)))
        else:
            found.append((item, evaluation))
    return found, refusals


def _finite(found: CommitteeEvaluation) -> bool:
    return bool(np.isfinite(found.energies).all() and np.isfinite(found.forces).all())


def _row(item: Item, found: CommitteeEvaluation, ddof: int) -> UncertaintyItem:
    n_atoms = item.crystal.n_atoms
    return UncertaintyItem(
        id=item.id,
        energies=found.energies / n_atoms,
        energy_std=energy_std(found.energies, n_atoms, ddof),
        force_spread=force_spread(found.forces, ddof),
    )
