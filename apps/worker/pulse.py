"""The heartbeat of one attempt, beside the thread that waits for its process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from django.db import InterfaceError, OperationalError, connection

from apps.jobs.services import Lease, LeaseLost, heartbeat

logger = logging.getLogger(__name__)

Progress = tuple[int, int, str]


class Pulse:
    """Prolongs a lease every few seconds, passes the progress on and listens for a wish to cancel.

    `lost`: the job went to somebody else. A database that is away is tried again: the lease may end meanwhile.
    """

    def __init__(
        self, lease: Lease, progress: Callable[[], Progress | None], *, every_s: float, lease_s: float
    ) -> None:
        self._lease, self._progress = lease, progress
        self._every_s, self._lease_s = every_s, lease_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"pulse-{lease.job_id}", daemon=True)
        self.cancelled = False
        self.lost = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not (self._over.is_set() or self.lost):
            self._beat()
            self._over.wait(self._every_s)
        connection.close()

    def _beat(self) -> None:
        try:
            self.cancelled = heartbeat(self._lease, lease_s=self._lease_s, progress=self._progress())
        except LeaseLost:
            self.lost = True
        except (OperationalError, InterfaceError) as error:
            logger.warning("heartbeat of job %s: %s", self._lease.job_id, error)
            connection.close()
