"""Refusals of the gate, one for each situation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, transaction

from apps.core.errors import ApplicationError, Conflict

RULE = "dft_gate: "


class GateRefused(Conflict):
    """The gate stays closed; the message names the rule."""

    code = "gate_refused"


class BudgetSpent(GateRefused):
    """The campaign's core-hours do not cover it."""

    code = "budget_spent"


class AlreadyDecided(GateRefused):
    """Somebody decided first, or the inputs changed since they were shown."""

    code = "already_decided"


class ReasonMissing(ApplicationError):
    """A denial, an exception or a void needs its reason."""

    code = "reason_missing"


@contextmanager
def gate() -> Iterator[None]:
    """What the database's own rules refuse becomes GateRefused with the rule as its sentence."""
    try:
        with transaction.atomic():
            yield
    except DatabaseError as error:
        text = str(error)
        if RULE not in text:
            raise
        raise GateRefused(text.split(RULE, 1)[1].splitlines()[0].strip().capitalize() + ".") from error
