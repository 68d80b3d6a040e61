"""What becomes of a job whose attempt ended badly: a pure decision."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from apps.jobs.states import Outcome


class Fate(StrEnum):
    """AGAIN: back to the queue; SPLIT: two halves take its place; FAIL: for good; CANCEL: as asked."""

    AGAIN = "again"
    SPLIT = "split"
    FAIL = "fail"
    CANCEL = "cancel"


@dataclass(frozen=True)
class Verdict:
    """The fate, and after how many seconds a retry may start."""

    fate: Fate
    delay_s: float = 0.0


BACKOFF_S = 5.0
PATIENCE_WITH_WORKERS = 2
"""A lost worker is rarely the job's fault: so many times the attempts before it is blamed."""
LONGEST_BACKOFF_S = 600.0


def judge(outcome: str, *, units: int, attempt: int, max_attempts: int) -> Verdict:
    """A death that the batch may have caused halves it at once, until one unit is left to blame.

    A lost worker or a busy engine says nothing about the crystals: those try again first. `attempt` counts from 1.
    """
    last = attempt >= max_attempts * (PATIENCE_WITH_WORKERS if outcome == Outcome.LOST else 1)
    if outcome == Outcome.CANCELLED:
        return Verdict(Fate.CANCEL)
    if outcome == Outcome.INPUT:
        return Verdict(Fate.FAIL)
    if outcome in (Outcome.BUG, Outcome.KILLED, Outcome.TIMEOUT) and units > 1:
        return Verdict(Fate.SPLIT)
    if outcome == Outcome.TIMEOUT:
        return Verdict(Fate.FAIL)
    if not last:
        return Verdict(Fate.AGAIN, _delay(outcome, attempt))
    if outcome == Outcome.LOST and units > 1:
        return Verdict(Fate.SPLIT)
    return Verdict(Fate.FAIL)


def _delay(outcome: str, attempt: int) -> float:
    if outcome == Outcome.LOST:
        return 0.0
    return min(BACKOFF_S * 2.0 ** (attempt - 1), LONGEST_BACKOFF_S)


def halves(units: list[str]) -> tuple[list[str], list[str]]:
    """The first and the second half, in order."""
    middle = (len(units) + 1) // 2
    return units[:middle], units[middle:]
