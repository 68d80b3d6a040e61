"""Which κ_L of a sweep begin by themselves. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from kappakit.protocol import ConductivitySettings


@dataclass(frozen=True)
class Cost:
    """What one candidate's κ_L takes, in minutes of this machine, and the κ_L that its cheap estimate promises
    (W/(m·K); None: no estimate)."""

    candidate: int
    minutes: float
    promise: float | None = None


@dataclass(frozen=True)
class Sweep:
    """`start` and `waiting`: ids of candidates, most promising first."""

    start: tuple[int, ...]
    waiting: tuple[int, ...]


def what_starts(costs: Iterable[Cost], limits: ConductivitySettings, *, spent: float = 0.0) -> Sweep:
    """Most promising first, each within the crystal's minutes, all within the sweep's and what is left of the
    campaign's; `spent`: minutes that the campaign took or has begun. What does not fit waits for a person."""
    start: list[int] = []
    waiting: list[int] = []
    left = min(limits.max_sweep_minutes, limits.max_campaign_minutes - spent)
    for cost in sorted(costs, key=_order):
        if cost.minutes > limits.max_minutes or cost.minutes > left:
            waiting.append(cost.candidate)
            continue
        start.append(cost.candidate)
        left -= cost.minutes
    return Sweep(tuple(start), tuple(waiting))


def minutes_allowed(expected: float, limits: ConductivitySettings, *, spent: float) -> float:
    """What one κ_L may take with finer meshes and LBTE: at most the crystal's minutes, within what is left of the
    campaign's, never less than it is expected to take. `spent` does not count this one."""
    return max(expected, min(limits.max_minutes, limits.max_campaign_minutes - spent))


def _order(cost: Cost) -> tuple[float, float, int]:
    return (-(cost.promise if cost.promise is not None else -math.inf), cost.minutes, cost.candidate)
