"""How an attempt ends in the database, whoever watched it: a worker by its lease, or a look at the cluster."""

from __future__ import annotations

import importlib.metadata
import logging
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import InterfaceError, OperationalError, connection, transaction

from apps.artifacts import services as artifacts
from apps.core.errors import ApplicationError, StorageFull
from apps.jobs import services as jobs
from apps.jobs.bindings import Binding
from apps.jobs.holds import Ending, Hold, LeaseLost
from apps.jobs.states import Outcome
from apps.jobs.verdicts import Fate
from apps.worker.folders import StageFolder
from kappakit.errors import InputError
from kappakit.stages.table import STAGES

if TYPE_CHECKING:
    from apps.jobs.models import Job

logger = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class Closing:
    """`finished(job, touched)` is called inside the transaction that ends a job: summaries, then what comes next.

    `patience_s`: how long an absent database is waited for.
    """

    finished: Callable[[Job, set[int]], None]
    patience_s: float = 120.0

    def store_files(self, binding: Binding, folder: StageFolder, outputs: Any) -> dict[str, int]:
        """The outputs' files, content-addressed: kind → Artifact id. Before the transaction, for it takes long."""
        return {kind: artifacts.store(folder.file(path), kind=kind).pk for kind, path in binding.files(outputs).items()}

    def save(
        self,
        binding: Binding,
        hold: Hold,
        folder: StageFolder,
        outputs: Any,
        files: Mapping[str, int],
        ending: Ending,
    ) -> None:
        """Everything in one transaction behind the fence. Raises LeaseLost."""

        def save() -> None:
            with transaction.atomic():
                job = jobs.fence(hold)
                touched = binding.save(job, outputs, files)
                jobs.complete(hold, ending)
                self.finished(job, touched)

        self.patiently(save)
        folder.remove()

    def fail(self, binding: Binding | None, hold: Hold, folder: StageFolder, ending: Ending) -> None:
        """The attempt gave no results; what becomes of the job is judged. Raises LeaseLost."""

        def end() -> Fate:
            with transaction.atomic():
                job = jobs.fence(hold)
                fate = jobs.fail(hold, ending)
                touched = binding.failed(job, ending.message) if binding and fate == Fate.FAIL else set()
                self.finished(job, touched)
                return fate

        fate = self.patiently(end)
        folder.discard() if fate == Fate.AGAIN else folder.close()

    def guarded(
        self, folder: StageFolder, work: Callable[[], Ending | None], through: tuple[type[Exception], ...] = ()
    ) -> Ending | None:
        """How `work` says that the attempt ended; if it raises, by who must act.

        A lost lease, an absent database and what `through` names pass: they say nothing about the attempt.
        """
        try:
            return work()
        except (LeaseLost, OperationalError, InterfaceError, *through):
            raise
        except StorageFull as error:
            return Ending(Outcome.TRANSIENT, error.message)
        except (ApplicationError, InputError) as error:
            return Ending(Outcome.INPUT, str(error), log=self.log(folder))
        except Exception as error:
            logger.exception("job %s", folder.job_id)
            return Ending(Outcome.BUG, f"{error!r}\n{traceback.format_exc()}", log=self.log(folder))

    def log(self, folder: StageFolder) -> int | None:
        """The id of the log's Artifact; None without a log, or without room for one."""
        content = folder.log()
        if not content:
            return None
        try:
            return artifacts.store_bytes(content, kind="log", name="log.txt", content_type="text/plain").pk
        except StorageFull:
            logger.warning("no room for the log of job %s", folder.job_id)
            return None

    def patiently(self, write: Callable[[], T]) -> T:
        """Try again while the database restarts. One that was committed after all is refused by its fence."""
        end = time.monotonic() + self.patience_s
        while True:
            try:
                return write()
            except (OperationalError, InterfaceError):
                if time.monotonic() > end:
                    raise
                logger.warning("the database is away; trying again")
                connection.close()
                time.sleep(0.5)


def versions_of(job: Job) -> dict[str, str]:
    """What ran: this program and the stage's declared version."""
    return {"kappaweb": importlib.metadata.version("kappaweb"), "stage": STAGES[job.kind].version}
