"""The one Celery task: a queue has work."""

from __future__ import annotations

import logging
import os
import queue as queues
import threading
from pathlib import Path
from typing import Any

from celery import shared_task, signals
from django.conf import settings
from django.db import InterfaceError, OperationalError

from apps.jobs.bindings import DFT, GPU, LIGHT
from apps.jobs.dispatch import TASK, wake
from apps.jobs.selectors import is_ready
from apps.worker.endings import job_over
from apps.worker.launchers import LocalLauncher
from apps.worker.presence import Presence, gpu_names
from apps.worker.registry import BINDINGS
from apps.worker.runner import Runner, Timing

logger = logging.getLogger(__name__)

stopping = threading.Event()
devices: queues.SimpleQueue[str] = queues.SimpleQueue()
"""GPUs that no thread of this process uses: a slot pins one."""


def runner() -> Runner:
    """The runner of this process, by the settings."""
    return Runner(
        bindings=BINDINGS,
        launcher=LocalLauncher(settings.STAGE_MODULE),
        folders=Path(settings.STAGE_FOLDERS),
        timing=Timing(settings.LEASE_SECONDS, settings.HEARTBEAT_SECONDS),
        threads=threads_of,
        finished=job_over,
        stopping=stopping,
    )


def threads_of(queue: str) -> int:
    """Cores of one stage: all for a heavy one, one for a light one or DFT, a share beside each GPU."""
    if queue in (LIGHT, DFT):
        return 1
    if queue == GPU:
        return max(1, (os.cpu_count() or 1) // max(1, len(gpu_names())))
    return int(settings.HEAVY_THREADS)


@shared_task(name=TASK, ignore_result=True)
def work(queue: str) -> None:
    """Run the queue's next job, then wake the queue for the one after it."""
    try:
        worked = _work_on_gpu() if queue == GPU else runner().work(queue)
        if worked and not stopping.is_set() and is_ready(queue):
            wake(queue)
    except (OperationalError, InterfaceError) as error:
        logger.warning("the database is away, reconcile wakes %s again: %s", queue, error)


def _work_on_gpu() -> bool:
    device = devices.get()
    try:
        return runner().work(GPU, device=device)
    finally:
        devices.put(device)


@signals.worker_ready.connect
def announce(sender: Any, **_: Any) -> None:
    """Note queues and slots of this worker."""
    for name in gpu_names():
        devices.put(name.removeprefix("nvidia"))
    queue_names = sorted(sender.app.amqp.queues.consume_from)
    Presence(sender.hostname, queue_names, sender.controller.concurrency).start()


@signals.worker_shutting_down.connect
def stop(**_: Any) -> None:
    """Stages end now, their jobs go back to the queue."""
    stopping.set()
