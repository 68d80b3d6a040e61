"""The door to Celery: a message says that a queue has work, and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

TASK = "apps.worker.tasks.work"
MOST_AT_ONCE = 16
"""A finished job wakes its queue again, so a few messages drain any queue."""

logger = logging.getLogger(__name__)


def wake(queue: str, *, times: int = 1) -> None:
    """Send wake-ups now. A broker that is away loses them: reconcile sends them again."""
    for _ in range(min(times, MOST_AT_ONCE)):
        try:
            current_app.send_task(TASK, args=[queue], queue=queue, ignore_result=True, retry=False)
        except (OperationalError, OSError) as error:
            logger.warning("wake-up of %s not sent: %s", queue, error)


def wake_on_commit(queues: Iterable[str]) -> None:
    """One wake-up for each entry of `queues`, once the rows are there for others to see."""
    counts: dict[str, int] = {}
    for queue in queues:
        counts[queue] = counts.get(queue, 0) + 1
    for queue, times in counts.items():
        transaction.on_commit(lambda queue=queue, times=times: wake(queue, times=times))
