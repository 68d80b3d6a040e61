"""Following one job in a terminal until it is over."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from apps.jobs.selectors import job_get, of_group, why_waiting
from apps.jobs.states import OPEN, SPLIT, State

if TYPE_CHECKING:
    from apps.jobs.models import Job

POLL_S = 0.5


def follow_job(job: Job, console: Console) -> Job:
    """Show the job's progress until it is over; the job as it ended. Ctrl-C leaves it running."""
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(job.label, total=None, note="")
        for now in _until_over(job):
            _show(progress, task, now)
    return now


def group_outcome(job: Job) -> str:
    """'' when everything that the job asked for was done, else why not."""
    rows = [job] if job.error_code != SPLIT else list(of_group(job.group))
    return "; ".join(row.error_message or row.state.lower() for row in rows if row.state != State.DONE)


def _until_over(job: Job) -> Iterator[Job]:
    while True:
        now = job_get(job.pk)
        yield now
        if now.state not in OPEN:
            return
        time.sleep(POLL_S)


def _show(progress: Progress, task: TaskID, job: Job) -> None:
    total = job.progress_total or None
    progress.update(task, total=total, completed=job.progress_done, note=why_waiting(job) or job.progress_note)
