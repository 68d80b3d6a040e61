"""The next job of the queue `hpc` goes to the cluster, once, whatever dies on our side meanwhile."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import transaction

from apps.jobs import services as jobs
from apps.jobs.bindings import Binding
from apps.jobs.holds import Ending, Lease, LeaseLost
from apps.jobs.states import Outcome
from apps.worker.closing import Closing
from apps.worker.cluster import Cluster, asked_by, name_of, resources_of
from apps.worker.pulse import Pulse
from apps.worker.runner import Timing, claim
from apps.worker.slurm import SchedulerAway, SchedulerRefused, SlurmJob
from kappakit.errors import InputError

if TYPE_CHECKING:
    from apps.jobs.models import Job

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Submitter:
    """Claims, prepares, submits and lets go: no slot is held while the cluster computes.

    `delay_s`: after how long a cluster that took nothing is asked again.
    """

    bindings: Mapping[str, Binding]
    cluster: Cluster
    timing: Timing
    closing: Closing
    delay_s: float = 60.0
    stopping: threading.Event = field(default_factory=threading.Event)

    def work(self, queue: str) -> bool:
        """Hand the queue's next job over; False when there was none (or the worker shuts down)."""
        claimed = None if self.stopping.is_set() else claim(queue, self.timing.lease_s)
        if claimed is None:
            return False
        job, lease = claimed
        try:
            self._attempt(job, lease)
        except LeaseLost:
            logger.warning("job %s went to another worker; nothing is written", job.pk)
        return True

    def _attempt(self, job: Job, lease: Lease) -> None:
        folder = self.cluster.folder(job, name_of(job, job.attempt))
        binding = self.bindings.get(job.kind)
        if binding is None:
            unknown = Ending(Outcome.BUG, f"No binding is called {job.kind}.")
            return self.closing.fail(None, lease, folder, unknown)
        try:
            ending = self.closing.guarded(
                folder, lambda: self._hand_over(binding, job, lease), through=(SchedulerAway, SchedulerRefused)
            )
        except SchedulerAway as away:
            later = Ending(Outcome.TRANSIENT, str(away))
            return self.closing.patiently(lambda: jobs.release(lease, later, delay_s=self.delay_s))
        except SchedulerRefused as refusal:
            ending = Ending(Outcome.INPUT, str(refusal))
        return self.closing.fail(binding, lease, folder, ending) if ending else None

    def _hand_over(self, binding: Binding, job: Job, lease: Lease) -> None:
        with Pulse(lease, lambda: None, every_s=self.timing.heartbeat_s, lease_s=self.timing.lease_s):
            name, number = self._found_again(binding, job) or self._submitted(binding, job, lease)
            resources = resources_of(name, number, asked_by(job, self.cluster.cores))
            note = f"Slurm {number}: queued"
            self.closing.patiently(lambda: jobs.hand_over(lease, external_id=name, note=note, resources=resources))

    def _submitted(self, binding: Binding, job: Job, lease: Lease) -> tuple[str, str]:
        name = name_of(job, job.attempt)
        with transaction.atomic():
            loaded = binding.load(job)
        self.cluster.folder(job, name).prepare(binding.name, loaded, asked_by(job, self.cluster.cores).cores)
        self.closing.patiently(lambda: jobs.named(lease, external_id=name))
        return name, self.cluster.submit(job, name)

    def _found_again(self, binding: Binding, job: Job) -> tuple[str, str] | None:
        """(name, number) of an earlier attempt that our side forgot: it still runs there, or left its results.

        Of several that run, the newest; the others are ended.
        """
        names = [name_of(job, number) for number in range(job.attempt - 1, 0, -1)]
        if not names:
            return None
        listed = self.cluster.slurm.listed(names)
        alive = [listed[name] for name in names if name in listed and not listed[name].is_over]
        self.cluster.slurm.end([twin.id for twin in alive[1:]])
        if alive:
            return alive[0].name, alive[0].id
        done = next((name for name in names if self._has_results(binding, job, name)), None)
        return (done, _number(listed.get(done))) if done else None

    def _has_results(self, binding: Binding, job: Job, name: str) -> bool:
        try:
            self.cluster.folder(job, name).outputs(binding.name)
        except InputError:
            return False
        return True


def _number(seen: SlurmJob | None) -> str:
    return seen.id if seen else ""
