"""One job from the queue to its end: claim, load, launch, watch, save."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import transaction

from apps.jobs import services as jobs
from apps.jobs.bindings import Binding
from apps.jobs.holds import Ending, Lease, LeaseLost
from apps.jobs.selectors import earlier_attempts
from apps.jobs.states import Outcome
from apps.worker.closing import Closing, versions_of
from apps.worker.folders import StageFolder
from apps.worker.launchers import Launcher, Running, kill_group, runs_in
from apps.worker.pulse import Pulse
from kappakit import run

if TYPE_CHECKING:
    from apps.jobs.models import Job

logger = logging.getLogger(__name__)

OUTCOMES = {
    run.EXIT_DONE: Outcome.DONE,
    run.EXIT_INPUT: Outcome.INPUT,
    run.EXIT_TRANSIENT: Outcome.TRANSIENT,
}


class Stopped(Exception):
    """This worker shuts down: the job goes back."""


@dataclass(frozen=True)
class Timing:
    """Seconds: a lease, between heartbeats, between looks at the process, of patience with an absent database."""

    lease_s: float
    heartbeat_s: float
    look_s: float = 0.2
    patience_s: float = 120.0


@dataclass(frozen=True)
class Runner:
    """`finished(job, touched)` is called inside the transaction that ends a job: summaries, then what comes next."""

    bindings: Mapping[str, Binding]
    launcher: Launcher
    folders: Path
    timing: Timing
    threads: Callable[[str], int]
    finished: Callable[[Job, set[int]], None]
    stopping: threading.Event = field(default_factory=threading.Event)

    @cached_property
    def closing(self) -> Closing:
        return Closing(self.finished, self.timing.patience_s)

    def work(self, queue: str, *, device: str | None = None) -> bool:
        """Run the queue's next job to its end; False when there was none (or the worker shuts down)."""
        if self.stopping.is_set():
            return False
        claimed = claim(queue, self.timing.lease_s)
        if claimed is None:
            return False
        job, lease = claimed
        folder = StageFolder(self.folders, job.pk, job.attempt)
        try:
            self._attempt(job, lease, folder, device)
        except LeaseLost:
            logger.warning("job %s went to another worker; nothing is written", job.pk)
            folder.discard()
        return True

    def _attempt(self, job: Job, lease: Lease, folder: StageFolder, device: str | None) -> None:
        binding = self.bindings.get(job.kind)
        if binding is None:
            return self.closing.fail(None, lease, folder, Ending(Outcome.BUG, f"No binding is called {job.kind}."))
        try:
            ending = self.closing.guarded(
                folder, lambda: self._to_its_end(binding, job, lease, folder, device), through=(Stopped,)
            )
        except Stopped:
            self.closing.patiently(lambda: jobs.release(lease))
            return folder.discard()
        return self.closing.fail(binding, lease, folder, ending) if ending else None

    def _to_its_end(
        self, binding: Binding, job: Job, lease: Lease, folder: StageFolder, device: str | None
    ) -> Ending | None:
        """How the attempt failed, None when its results are saved."""
        ending = self._stage(binding, job, lease, folder, device)
        if ending.outcome != Outcome.DONE:
            return ending
        self._save(binding, lease, folder, ending)
        return None

    def _stage(self, binding: Binding, job: Job, lease: Lease, folder: StageFolder, device: str | None) -> Ending:
        """Load, launch and wait; the lease is kept alive throughout."""
        with Pulse(lease, folder.progress, every_s=self.timing.heartbeat_s, lease_s=self.timing.lease_s) as pulse:
            self._end_predecessors(job, folder)
            with transaction.atomic():
                loaded = binding.load(job)
            folder.prepare(binding.name, loaded, self.threads(job.queue))
            running = self.launcher.launch(folder.path, device=device)
            try:
                self.closing.patiently(lambda: jobs.launched(lease, pid=running.pid))
                outcome, code = self._watch(running, pulse, job.time_limit_s)
            finally:
                running.kill()
            return Ending(outcome, _message(outcome, code, folder), code, self.closing.log(folder), versions_of(job))

    def _watch(self, running: Running, pulse: Pulse, limit_s: float) -> tuple[str, int | None]:
        end = time.monotonic() + limit_s
        while (code := running.wait(self.timing.look_s)) is None:
            if pulse.lost:
                raise LeaseLost
            if self.stopping.is_set():
                raise Stopped
            if pulse.cancelled:
                return Outcome.CANCELLED, None
            if time.monotonic() > end:
                return Outcome.TIMEOUT, None
        return (Outcome.KILLED if code < 0 else OUTCOMES.get(code, Outcome.BUG)), code

    def _save(self, binding: Binding, lease: Lease, folder: StageFolder, ending: Ending) -> None:
        """Files first, while the lease is kept alive."""
        with Pulse(lease, folder.progress, every_s=self.timing.heartbeat_s, lease_s=self.timing.lease_s):
            outputs = folder.outputs(binding.name)
            files = self.closing.store_files(binding, folder, outputs)
        self.closing.save(binding, lease, folder, outputs, files, ending)

    def _end_predecessors(self, job: Job, folder: StageFolder) -> None:
        """A frozen worker's stage may still run on this host: it would share our checkpoint and cores."""
        for attempt in earlier_attempts(job, host=socket.gethostname()):
            if attempt.pid and runs_in(attempt.pid, folder.of_attempt(attempt.number)):
                kill_group(attempt.pid)


def claim(queue: str, lease_s: float) -> tuple[Job, Lease] | None:
    """The queue's next job, leased to this thread; None when there is none."""
    host = socket.gethostname()
    owner = f"{host}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
    return jobs.claim(queue=queue, owner=owner, host=host, lease_s=lease_s)


def _message(outcome: str, code: int | None, folder: StageFolder) -> str:
    if outcome == Outcome.TIMEOUT:
        return "It ran longer than its time limit."
    if outcome == Outcome.CANCELLED:
        return "It was cancelled."
    if outcome == Outcome.KILLED:
        return f"Its process died by signal {-(code or 0)} (9: killed, perhaps for want of memory; 11: segfault)."
    return "" if outcome == Outcome.DONE else folder.failure() or f"Its process ended with exit code {code}."
