"""Decisions on a DFT calculation, what may follow what, and the kinds of everything that is kept beside it."""

from __future__ import annotations

from django.db import models

from apps.core.states import choice


class Purpose(models.TextChoices):
    LABEL = choice("label", "label for the committee")
    VALIDATE = choice("validate", "validation of a candidate")
    CHECK = choice("check", "check of an engine")


class Decision(models.TextChoices):
    """Where a calculation stands for people; that it runs is said by its job."""

    PROPOSED = choice("PROPOSED", "waits for approval")
    APPROVED = choice("APPROVED", "approved")
    DENIED = choice("DENIED", "denied")
    VOIDED = choice("VOIDED", "voided")
    DONE = choice("DONE", "done")
    FAILED = choice("FAILED", "failed")


MOVES = {
    Decision.PROPOSED: frozenset({Decision.APPROVED, Decision.DENIED, Decision.VOIDED}),
    Decision.APPROVED: frozenset({Decision.DONE, Decision.FAILED, Decision.VOIDED}),
    Decision.FAILED: frozenset({Decision.APPROVED, Decision.VOIDED}),
}
OPEN = (Decision.PROPOSED, Decision.APPROVED)
"""A step that asked for one of these is not over."""


class Answer(models.TextChoices):
    APPROVE = choice("approve", "approved")
    DENY = choice("deny", "denied")


class EntryKind(models.TextChoices):
    GRANT = choice("grant", "granted")
    REVOKE = choice("revoke", "taken back")
    RESERVE = choice("reserve", "reserved by an approval")
    CONSUME = choice("consume", "consumed by an attempt")
    RELEASE = choice("release", "released")


class Source(models.TextChoices):
    COMPUTED = choice("computed", "computed here")
    UPLOADED = choice("uploaded", "uploaded")


class Failure(models.TextChoices):
    NONE = choice("", "none")
    INPUT = choice("input", "input")
    NOT_CONVERGED = choice("not_converged", "not converged")
    WALLTIME = choice("walltime", "time limit")
    MEMORY = choice("memory", "memory")
    LOST = choice("lost", "lost")
    ENGINE = choice("engine", "engine")
