"""State machines are data: a mapping of each state to those that may follow, held by the database itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pgtrigger
from django.db import models

Moves = Mapping[str, frozenset[str]]


def choice(value: str, label: str) -> Any:
    """A member of a TextChoices and its label; typed Any, for it becomes a str, not the pair that is written."""
    return value, label


def one_of(field: str, choices: type[models.TextChoices], name: str) -> models.CheckConstraint:
    """A constraint that refuses any other value, even to raw SQL."""
    return models.CheckConstraint(condition=models.Q(**{f"{field}__in": choices.values}), name=name)


def only_moves(name: str, moves: Moves, field: str = "state") -> pgtrigger.FSM:
    """A trigger that refuses every move that is not listed."""
    return pgtrigger.FSM(name=name, field=field, transitions=[*pairs(moves)])


def pairs(moves: Moves) -> Iterable[tuple[str, str]]:
    """(from, to) of every legal move, in a stable order."""
    return ((old, new) for old in sorted(moves) for new in sorted(moves[old]))
