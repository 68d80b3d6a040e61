"""What follows from the members' disagreement: who is above the threshold, who is labelled next, why the loop ends."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from kappakit.protocol import CommitteeSettings

UNITS = {"energy": "meV/atom", "forces": "eV/Å"}
"""Of the threshold, by criterion."""


@dataclass(frozen=True)
class Uncertain:
    """One candidate: `energy_std` meV/atom, `force_spread` eV/Å."""

    candidate: int
    energy_std: float
    force_spread: float


@dataclass(frozen=True)
class Choice:
    """`highest` of all candidates in the criterion's unit, None without any; `above` the threshold, most uncertain
    first; `worst`: the first of those that was never labelled; `stopped`: why the loop ends, '' where it goes on."""

    highest: float | None
    above: tuple[int, ...]
    worst: int | None
    stopped: str


def value_of(row: Uncertain, criterion: str) -> float:
    """What is held against the threshold."""
    return row.force_spread if criterion == "forces" else row.energy_std


def threshold_of(settings: CommitteeSettings) -> float:
    """In the criterion's unit."""
    return settings.force_threshold if settings.criterion == "forces" else settings.threshold


def choice(
    rows: Sequence[Uncertain], *, labelled: Collection[int], settings: CommitteeSettings, iteration: int
) -> Choice:
    """A crystal is added once only: one that was labelled before stays above the threshold and is not asked again."""
    limit = threshold_of(settings)
    ordered = sorted(rows, key=lambda row: (-value_of(row, settings.criterion), row.candidate))
    above = tuple(row.candidate for row in ordered if value_of(row, settings.criterion) > limit)
    worst = next((candidate for candidate in above if candidate not in labelled), None)
    highest = value_of(ordered[0], settings.criterion) if ordered else None
    return Choice(highest, above, worst, _stopped(highest, above, worst, settings, iteration))


def _stopped(
    highest: float | None, above: tuple[int, ...], worst: int | None, settings: CommitteeSettings, iteration: int
) -> str:
    limit = f"{threshold_of(settings):g} {UNITS[settings.criterion]}"
    if highest is None:
        return "No candidate is left whose uncertainty could be asked."
    if not above:
        return f"No candidate is above {limit}: the highest uncertainty is {highest:.3g}."
    if worst is None:
        count = "The one candidate" if len(above) == 1 else f"All {len(above)} candidates"
        return f"{count} above {limit} had labels before: a crystal is added once only."
    if iteration >= settings.max_iterations:
        return f"The {settings.max_iterations} iterations with labels are used up; {len(above)} are above {limit}."
    return ""


def epochs_of(settings: CommitteeSettings, *, warm: bool) -> dict[str, float]:
    """What a training overrides in its configuration."""
    epochs = settings.warm_epochs if warm and settings.warm_epochs else settings.epochs
    return {"epochs": epochs} if epochs else {}


def decides_words(settings: CommitteeSettings, *, value: float, rattles: int) -> str:
    """For the approver: why these calculations are asked for, and what they decide."""
    unit = UNITS[settings.criterion]
    what = "energies" if settings.criterion == "energy" else "forces"
    return (
        f"The members' {what} disagree by {value:.3g} {unit} about this crystal, more than about any other without "
        f"labels; the threshold is {threshold_of(settings):g} {unit}. The {rattles} labels are added to the training "
        "of every member. They decide whether it, and crystals like it, can be trusted for κ_L."
    )
