"""What a calculation will cost, and what it did cost. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from kappakit.dft import EFFORT_PER_CORE_HOUR


@dataclass(frozen=True)
class History:
    """Finished calculations of one engine on the machines at hand: how many, core-hours and effort together."""

    count: int = 0
    core_hours: float = 0.0
    effort: float = 0.0


def estimated_core_hours(engine: str, effort: float, history: History) -> float:
    """Core-hours of a calculation of that effort; by a guess for the engine where there is no history."""
    if history.count and history.effort > 0:
        return effort * history.core_hours / history.effort
    return effort / EFFORT_PER_CORE_HOUR[engine]


ROUND_OFF = 1e-9
"""Core-hours: what sums of a ledger differ by through rounding alone."""


def covers(left: float, core_hours: float) -> bool:
    """Whether what is left of a budget lets an approval of so many core-hours through; a spent one lets nothing."""
    return left > 0 and left + ROUND_OFF >= core_hours


def basis(history_count: int) -> str:
    """What an estimate rests on, in words."""
    return f"from {history_count} finished" if history_count else "no history"


def core_hours(seconds: float, cores: int) -> float:
    """Core-hours of `seconds` of the clock on `cores`."""
    return seconds * cores / 3600.0
