"""Who may write to a job, and how an attempt ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from apps.jobs.states import State


class LeaseLost(Exception):
    """The job went to somebody else: whoever sees this may write nothing."""


@dataclass(frozen=True)
class Lease:
    """The right to write to a job: `attempt` is the fence that the next claim raises."""

    job_id: int
    owner: str
    attempt: int

    @property
    def mine(self) -> Q:
        """True of the job as long as this right holds."""
        return Q(pk=self.job_id, lease_owner=self.owner, attempt=self.attempt, state=State.RUNNING)


@dataclass(frozen=True)
class Handover:
    """The right to end a job that another machine works on as `external_id`: whoever asks that machine has it."""

    job_id: int
    attempt: int
    external_id: str

    @property
    def mine(self) -> Q:
        """True of the job until somebody ended it."""
        return Q(pk=self.job_id, external_id=self.external_id, attempt=self.attempt, state=State.WAITING)


Hold = Lease | Handover


@dataclass(frozen=True)
class Ending:
    """How an attempt ended: `message` for people, `log` the id of its Artifact; None: `resources` stay as they are."""

    outcome: str
    message: str = ""
    exit_code: int | None = None
    log: int | None = None
    versions: Mapping[str, str] | None = None
    resources: Mapping[str, Any] | None = None
