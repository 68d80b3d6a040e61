"""The Celery tasks: a queue has work; clusters should be asked."""

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

from apps.jobs.bindings import GPU, HPC, LIGHT, SINGLE
from apps.jobs.dispatch import POLL, TASK, wake
from apps.jobs.selectors import is_ready
from apps.worker.alone import alone
from apps.worker.closing import Closing
from apps.worker.cluster import Cluster
from apps.worker.endings import job_over
from apps.worker.launchers import LocalLauncher, stage_environment
from apps.worker.pace import Pace
from apps.worker.polling import Poller
from apps.worker.presence import Presence, gpu_names
from apps.worker.registry import BINDINGS
from apps.worker.runner import Runner, Timing
from apps.worker.slurm import SchedulerAway, Slurm
from apps.worker.submission import Submitter

logger = logging.getLogger(__name__)

stopping = threading.Event()
devices: queues.SimpleQueue[str] = queues.SimpleQueue()
"""GPUs that no thread of this process uses: a slot pins one."""
pace = Pace()
POLLING = 0x706F6C6C
"""Advisory lock: looks at the cluster that hang must not fill the slots."""


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


def cluster() -> Cluster:
    """The cluster of this process, by the settings."""
    slurm = Slurm(settings.SLURM_OPTIONS, settings.SLURM_VIA, settings.SLURM_TIMEOUT_SECONDS, stage_environment())
    return Cluster(
        slurm, Path(settings.SLURM_FOLDERS), settings.SLURM_PYTHON, settings.STAGE_MODULE, settings.SLURM_CORES
    )


def submitter() -> Submitter:
    """Who hands jobs of `hpc` over to the cluster."""
    timing = Timing(settings.LEASE_SECONDS, settings.HEARTBEAT_SECONDS)
    return Submitter(BINDINGS, cluster(), timing, Closing(job_over), stopping=stopping)


def poller() -> Poller:
    """Who asks the cluster."""
    return Poller(BINDINGS, cluster(), Closing(job_over), settings.SLURM_GRACE_SECONDS)


def threads_of(queue: str) -> int:
    """Cores of one stage: all for a heavy one, one for a light or a single one, a share beside each GPU."""
    if queue in (LIGHT, SINGLE):
        return 1
    if queue == GPU:
        return max(1, (os.cpu_count() or 1) // max(1, len(gpu_names())))
    return int(settings.HEAVY_THREADS)


@shared_task(name=TASK, ignore_result=True)
def work(queue: str) -> None:
    """Run the queue's next job, then wake the queue for the one after it."""
    try:
        worked = _work(queue)
        if worked and not stopping.is_set() and is_ready(queue):
            wake(queue)
    except (OperationalError, InterfaceError) as error:
        logger.warning("the database is away, reconcile wakes %s again: %s", queue, error)


@shared_task(name=POLL, ignore_result=True)
def poll(now: bool) -> None:
    """Ask the cluster about all its jobs, unless another thread is at it or did so lately (`now`: even then)."""
    if not (settings.SLURM and pace.is_due(settings.SLURM_POLL_SECONDS, now=now)):
        return
    try:
        with alone(POLLING) as mine:
            if mine:
                poller().poll()
    except SchedulerAway as away:
        logger.warning("the cluster is away: %s", away)
    except (OperationalError, InterfaceError) as error:
        logger.warning("the database is away, the cluster is asked again: %s", error)


def _work(queue: str) -> bool:
    if queue == GPU:
        return _work_on_gpu()
    return submitter().work(queue) if queue == HPC and settings.SLURM else runner().work(queue)


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
