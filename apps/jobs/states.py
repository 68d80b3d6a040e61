"""The states of a job, how attempts end, and what may follow what."""

from __future__ import annotations

from django.db import models


class State(models.TextChoices):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    WAITING = "WAITING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class Outcome(models.TextChoices):
    RUNNING = "running"
    DONE = "done"
    TRANSIENT = "transient"
    INPUT = "input"
    BUG = "bug"
    KILLED = "killed"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    LOST = "lost"


OPEN = (State.QUEUED, State.RUNNING, State.WAITING)

MOVES: dict[str, frozenset[str]] = {
    State.QUEUED: frozenset({State.RUNNING, State.CANCELLED}),
    State.RUNNING: frozenset({State.QUEUED, State.WAITING, State.DONE, State.FAILED, State.CANCELLED}),
    State.WAITING: frozenset({State.QUEUED, State.DONE, State.FAILED, State.CANCELLED}),
    State.FAILED: frozenset({State.QUEUED}),
    State.CANCELLED: frozenset({State.QUEUED}),
}

MAX_ATTEMPTS = 3

SPLIT = "split"
"""error_code of a job whose two halves took its place."""
