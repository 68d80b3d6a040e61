"""A worker process tells the database that it lives, so that people can be told what a job waits for."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.db import InterfaceError, OperationalError, connection

from apps.jobs.services import node_seen

logger = logging.getLogger(__name__)

EVERY_S = 10.0


@dataclass(frozen=True)
class Presence:
    """Says `name` is there, every EVERY_S seconds, from a thread of its own."""

    name: str
    queues: Sequence[str]
    slots: int
    over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Begin; the thread ends with the process."""
        threading.Thread(target=self._run, name="presence", daemon=True).start()

    def _run(self) -> None:
        while not self.over.is_set():
            self._say()
            self.over.wait(EVERY_S)

    def _say(self) -> None:
        try:
            node_seen(
                name=self.name, host=socket.gethostname(), queues=self.queues, slots=self.slots, devices=gpu_names()
            )
        except (OperationalError, InterfaceError) as error:
            logger.warning("presence: %s", error)
            connection.close()


def gpu_names() -> list[str]:
    """The device files of this host's GPUs; asking a driver would load it into the worker."""
    return sorted(path.name for path in Path("/dev").glob("nvidia[0-9]*"))
