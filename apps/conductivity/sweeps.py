"""Which κ_L of a sweep begin by themselves. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kappakit.protocol import ConductivitySettings


@dataclass(frozen=True)
class Cost:
    """What one candidate's κ_L takes: atom evaluations, and minutes of the Boltzmann equation (RTA)."""

    candidate: int
    evaluations: int
    minutes: float


@dataclass(frozen=True)
class Sweep:
    """`start`, cheapest first, and `waiting`: ids of candidates."""

    start: tuple[int, ...]
    waiting: tuple[int, ...]


def what_starts(costs: Iterable[Cost], limits: ConductivitySettings) -> Sweep:
    """Cheapest first, each within its own limits, all within the sweep's totals; the rest waits for a person."""
    start: list[int] = []
    waiting: list[int] = []
    evaluations, minutes = 0, 0.0
    for cost in sorted(costs, key=lambda c: (c.evaluations, c.minutes, c.candidate)):
        fits = (
            cost.evaluations <= limits.max_evaluations
            and cost.minutes <= limits.max_bte_minutes
            and evaluations + cost.evaluations <= limits.max_sweep_evaluations
            and minutes + cost.minutes <= limits.max_sweep_minutes
        )
        if not fits:
            waiting.append(cost.candidate)
            continue
        start.append(cost.candidate)
        evaluations += cost.evaluations
        minutes += cost.minutes
    return Sweep(tuple(start), tuple(waiting))
