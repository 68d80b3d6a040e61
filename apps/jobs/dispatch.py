"""The door to Celery: a message says that a queue has work, or that clusters should be asked, and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from apps.jobs.bindings import HPC

TASK = "apps.worker.tasks.work"
POLL = "apps.worker.tasks.poll"
STALE_S = 60.0
"""A wish to ask a scheduler that nobody took in so long is dropped: reconcile utters it again."""
MOST_AT_ONCE = 16
"""A finished job wakes its queue again, so a few messages drain any queue."""

logger = logging.getLogger(__name__)


def wake(queue: str, *, times: int = 1) -> None:
    """Send wake-ups now. A broker that is away loses them: reconcile sends them again."""
    for _ in range(min(times, MOST_AT_ONCE)):
        _send(TASK, queue, [queue])


def poll(*, now: bool = False) -> None:
    """Have the clusters asked what became of the jobs there; `now`: however lately they were asked."""
    _send(POLL, HPC, [now], expires=STALE_S)


def poll_on_commit() -> None:
    """Have the clusters asked at once, when the rows are there for others to see."""
    transaction.on_commit(lambda: poll(now=True))


def wake_on_commit(queues: Iterable[str]) -> None:
    """One wake-up for each entry of `queues`, once the rows are there for others to see."""
    counts: dict[str, int] = {}
    for queue in queues:
        counts[queue] = counts.get(queue, 0) + 1
    for queue, times in counts.items():
        transaction.on_commit(lambda queue=queue, times=times: wake(queue, times=times))


def _send(task: str, queue: str, args: list[Any], **more: Any) -> None:
    try:
        current_app.send_task(task, args=args, queue=queue, ignore_result=True, retry=False, **more)
    except (OperationalError, OSError) as error:
        logger.warning("%s to %s not sent: %s", task, queue, error)
