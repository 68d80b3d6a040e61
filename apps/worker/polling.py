"""What became of the jobs that a cluster works on: one question for all of them, then each is brought forward."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.core.errors import StorageFull
from apps.jobs import services as jobs
from apps.jobs.bindings import Binding
from apps.jobs.holds import Ending, Handover, LeaseLost
from apps.jobs.selectors import attempts_abroad, left_abroad
from apps.jobs.states import Outcome
from apps.worker.closing import Closing, versions_of
from apps.worker.cluster import FETCHED, LOST, QUEUED, RUNNING, Cluster, note_of, used_of
from apps.worker.folders import StageFolder
from apps.worker.slurm import SUCCESS, Account, SlurmJob
from kappakit.errors import InputError

if TYPE_CHECKING:
    from apps.jobs.models import Attempt, Job

logger = logging.getLogger(__name__)

SAID = {"input": Outcome.INPUT, "transient": Outcome.TRANSIENT, "bug": Outcome.BUG}
"""What a stage says of its own failure."""

HAPPENED = {
    "TIMEOUT": (Outcome.TIMEOUT, "It ran longer than its time limit."),
    "DEADLINE": (Outcome.TIMEOUT, "It was not over at its deadline."),
    "OUT_OF_MEMORY": (Outcome.KILLED, "It used more memory than it had asked for."),
    "NODE_FAIL": (Outcome.LOST, "Its node failed."),
    "BOOT_FAIL": (Outcome.LOST, "Its node did not start."),
    "PREEMPTED": (Outcome.LOST, "It had to give way to another job."),
    "REVOKED": (Outcome.LOST, "It was taken from this cluster."),
    "CANCELLED": (Outcome.LOST, "Somebody ended it on the cluster."),
}
"""What Slurm alone can tell: its state → how the attempt ended."""


@dataclass(frozen=True)
class Sight:
    """What is seen of one job at one look: Slurm's list, its accounts, and what lies in the folder."""

    listed: SlurmJob | None
    account: Account | None
    said: tuple[str, str] | None
    usage: Mapping[str, Any]

    @property
    def state(self) -> str:
        """Slurm's word, '' when it knows nothing of the job."""
        return self.listed.state if self.listed else self.account.state if self.account else ""


@dataclass(frozen=True)
class Poller:
    """Success is a valid outputs file, never Slurm's word.

    `grace_s`: a job that is over and left nothing is given so long, for a shared file system shows files late.
    """

    bindings: Mapping[str, Binding]
    cluster: Cluster
    closing: Closing
    grace_s: float = 60.0
    clock: Callable[[], float] = time.time

    def poll(self) -> None:
        """Ask once about all; raises SchedulerAway, and then nothing was changed.

        Rows first, then the list: what waits was submitted before the list was made.
        """
        open_attempts, left = list(attempts_abroad()), list(left_abroad())
        if not (open_attempts or left):
            return
        listed = self.cluster.slurm.listed()
        over = [attempt for attempt in open_attempts if _is_over(listed.get(attempt.job.external_id))]
        accounts = self.cluster.slurm.accounts([attempt.resources["id"] for attempt in over if attempt.resources["id"]])
        for attempt in open_attempts:
            name, number = attempt.job.external_id, attempt.resources["id"]
            self._forward(attempt, listed.get(name), accounts.get(number))
        self._clear([*left, *(a.job for a in open_attempts if a.job.cancel_requested)], listed)

    def _forward(self, attempt: Attempt, listed: SlurmJob | None, account: Account | None) -> None:
        """One step for one job; another one who was quicker is no trouble."""
        job = attempt.job
        try:
            if job.cancel_requested:
                return jobs.cancel(jobs=[job])
            if _is_over(listed):
                return self._conclude(attempt, listed, account)
            return self._note(attempt, listed)
        except LeaseLost:
            logger.info("job %s was brought forward by another look", job.pk)
        except StorageFull as full:
            logger.warning("results of job %s wait: %s", job.pk, full.message)

    def _note(self, attempt: Attempt, listed: SlurmJob | None) -> None:
        assert listed is not None
        progress = self._folder(attempt.job).progress() or (0, 0, "")
        state = QUEUED if listed.state == "PENDING" else RUNNING
        now = {"id": listed.id, "state": state, "node": listed.node, "used": used_of(listed, None, {})}
        jobs.heard(
            _hold(attempt.job),
            note=note_of(listed, progress[2]),
            progress=progress[:2],
            resources=attempt.resources | now,
        )

    def _conclude(self, attempt: Attempt, listed: SlurmJob | None, account: Account | None) -> None:
        """Fetch what it left: results, or how it failed, or nothing yet."""
        binding, folder = self.bindings.get(attempt.job.kind), self._folder(attempt.job)
        sight = Sight(listed, account, folder.failed_as(), folder.usage())
        ending = self.closing.guarded(
            folder, lambda: self._fetch(binding, attempt, folder, sight), through=(StorageFull,)
        )
        if ending is not None:
            self.closing.fail(binding, _hold(attempt.job), folder, ending)

    def _fetch(self, binding: Binding | None, attempt: Attempt, folder: StageFolder, sight: Sight) -> Ending | None:
        """Save the results where there are valid ones; else how the attempt failed, None while that is not known."""
        outputs = _outputs(binding, folder)
        if binding is not None and outputs is not None:
            ending = self._ending(attempt, folder, sight, Outcome.DONE, "")
            files = self.closing.store_files(binding, folder, outputs)
            self.closing.save(binding, _hold(attempt.job), folder, outputs, files, ending)
            return None
        verdict = happened(sight, patient=self._is_fresh(attempt))
        if verdict is None:
            self._await_files(attempt)
            return None
        return self._ending(attempt, folder, sight, *verdict)

    def _await_files(self, attempt: Attempt) -> None:
        since = {"over_at": attempt.resources.get("over_at") or self.clock()}
        jobs.heard(
            _hold(attempt.job),
            note=f"Slurm {attempt.resources['id']}: over; its files are awaited",
            progress=(attempt.job.progress_done, attempt.job.progress_total),
            resources=attempt.resources | since,
        )

    def _ending(self, attempt: Attempt, folder: StageFolder, sight: Sight, outcome: str, message: str) -> Ending:
        found = {
            "state": LOST if outcome == Outcome.LOST else FETCHED,
            "scheduler_state": sight.state,
            "node": sight.listed.node if sight.listed else attempt.resources.get("node", ""),
            "used": used_of(sight.listed, sight.account, dict(sight.usage)) or attempt.resources.get("used", {}),
        }
        return Ending(
            outcome,
            message,
            sight.usage.get("exit_code"),
            self.closing.log(folder),
            versions_of(attempt.job),
            attempt.resources | found,
        )

    def _is_fresh(self, attempt: Attempt) -> bool:
        """Whether it was seen over so lately that files may still come."""
        return self.clock() - attempt.resources.get("over_at", self.clock()) < self.grace_s

    def _clear(self, left: list[Job], listed: Mapping[str, SlurmJob]) -> None:
        """End on the cluster what is over here; forget what is gone there."""
        alive = [job for job in left if not _is_over(listed.get(job.external_id))]
        self.cluster.slurm.end([listed[job.external_id].id for job in alive])
        for job in left:
            if job not in alive and jobs.gone_abroad(job=job, log=self.closing.log(self._folder(job))):
                self._folder(job).close()

    def _folder(self, job: Job) -> StageFolder:
        return self.cluster.folder(job, job.external_id)


def happened(sight: Sight, *, patient: bool) -> tuple[str, str] | None:
    """(outcome, message) of a job that is over without results; None: wait, the files may be late.

    The stage's own word goes before Slurm's, and a state of Slurm's that explains the end before any guess.
    """
    if sight.said:
        kind, message = sight.said
        return SAID.get(kind, Outcome.BUG), message
    if sight.state in HAPPENED:
        return HAPPENED[sight.state]
    if patient:
        return None
    code = sight.usage.get("exit_code")
    if code is not None and code < 0:
        return Outcome.KILLED, f"Its process died by signal {-code} (9: killed, perhaps for want of memory)."
    if not sight.state:
        return Outcome.LOST, "The cluster knows nothing of it any more, and it left no results."
    if sight.state == SUCCESS or code is not None:
        return Outcome.BUG, f"Its process ended with exit code {code or 0} and left no results."
    return Outcome.KILLED, f"It was ended without a word ({_reason(sight)}), perhaps for want of memory."


def _reason(sight: Sight) -> str:
    return sight.listed.reason if sight.listed else sight.state


def _is_over(listed: SlurmJob | None) -> bool:
    return listed is None or listed.is_over


def _outputs(binding: Binding | None, folder: StageFolder) -> Any:
    """The stage's valid outputs, or None."""
    try:
        return folder.outputs(binding.name) if binding else None
    except InputError:
        return None


def _hold(job: Job) -> Handover:
    return Handover(job.pk, job.attempt, job.external_id)
