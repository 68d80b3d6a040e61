"""Questions about jobs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Now

from apps.core.errors import NotThere
from apps.jobs.bindings import GPU, HEAVY, SINGLE
from apps.jobs.models import Attempt, Job, WorkerNode
from apps.jobs.states import OPEN, SPLIT, State

SILENT_S = 45.0
"""A worker that was not heard of for so long counts as away."""


def job_get(job_id: int) -> Job:
    """The job as it is now; raises NotThere."""
    found = Job.objects.filter(pk=job_id).first()
    if found is None:
        raise NotThere("There is no such job.")
    return found


def earlier_attempts(job: Job, *, host: str) -> QuerySet[Attempt]:
    """Attempts before the present one whose process was started on `host`."""
    return Attempt.objects.filter(job=job, host=host, number__lt=job.attempt, pid__isnull=False)


def attempts_abroad() -> QuerySet[Attempt]:
    """The open attempts, with their jobs, that another machine works on."""
    waiting = Attempt.objects.filter(job__state=State.WAITING, number=F("job__attempt"))
    return waiting.select_related("job").order_by("job_id")


def left_abroad() -> QuerySet[Job]:
    """Jobs that are over here, of which another machine may not know yet."""
    return Job.objects.filter(_abroad(State.FAILED, State.CANCELLED))


def is_abroad() -> bool:
    """Whether any other machine is to be asked about a job."""
    return Job.objects.filter(_abroad(State.WAITING, State.FAILED, State.CANCELLED)).exists()


def _abroad(*states: str) -> Q:
    return ~Q(external_id="") & Q(state__in=states)


def of_group(group: str) -> QuerySet[Job]:
    """The group's jobs in order; a split one is replaced by its halves."""
    return Job.objects.filter(group=group).exclude(error_code=SPLIT).order_by("id")


def counts_by_state(groups: Iterable[str]) -> dict[str, dict[str, int]]:
    """group → state → how many, in one query."""
    rows = Job.objects.filter(group__in=list(groups)).exclude(error_code=SPLIT)
    found: dict[str, dict[str, int]] = {}
    for group, state, count in rows.values_list("group", "state").annotate(Count("id")):
        found.setdefault(group, {})[state] = count
    return found


def open_count(group: str) -> int:
    """Jobs of the group that are not over."""
    return Job.objects.filter(group=group, state__in=OPEN).count()


def nodes_present(queue: str) -> QuerySet[WorkerNode]:
    """Workers that take from `queue` and were heard of lately."""
    return WorkerNode.objects.filter(queues__contains=[queue], seen_at__gt=Now() - timedelta(seconds=SILENT_S))


def heavy_queue() -> str:
    """Where heavy work that a GPU does better goes: to one if a worker with one is present."""
    return GPU if nodes_present(GPU).exists() else HEAVY


def single_queue() -> str:
    """Where work goes that more cores do not speed up, several at once: to a GPU if a worker with one is present."""
    return GPU if nodes_present(GPU).exists() else SINGLE


def wakes_missing() -> dict[str, int]:
    """queue → wake-ups that idle slots could use now: as many as jobs are ready, no more than slots are free."""
    ready = Job.objects.filter(state=State.QUEUED, not_before_at__lte=Now())
    counts = ready.order_by().values_list("queue").annotate(Count("id"))
    return {queue: min(count, max(_free_slots(queue), 1)) for queue, count in counts}


def is_ready(queue: str) -> bool:
    """Whether a job of the queue could start now."""
    return Job.objects.filter(state=State.QUEUED, queue=queue, not_before_at__lte=Now()).exists()


def why_waiting(job: Job) -> str:
    """One sentence for a person: what the job waits for, '' when it runs or is over."""
    if job.state == State.WAITING:
        return job.progress_note or f"Waiting for the scheduler of another machine ({job.external_id})."
    if job.state != State.QUEUED:
        return ""
    if not nodes_present(job.queue).exists():
        return "No GPU: no worker with one is running." if job.queue == GPU else f"No worker takes {job.queue} jobs."
    if Job.objects.filter(pk=job.pk, not_before_at__gt=Now()).exists():
        return f"Tries again at {job.not_before_at:%H:%M:%S} UTC: {_first_line(job.error_message)}"
    ahead = _ahead(job)
    return f"In the queue: {ahead} before it." if ahead else "Next in the queue."


def _first_line(message: str) -> str:
    """What a person needs of an error; the whole of it stands on the job's page."""
    return message.partition("\n")[0]


def _ahead(job: Job) -> int:
    before = Q(priority__gt=job.priority) | Q(priority=job.priority, id__lt=job.pk)
    running = Q(state=State.RUNNING)
    return Job.objects.filter(running | (Q(state=State.QUEUED) & before), queue=job.queue).count()


def _free_slots(queue: str) -> int:
    slots = nodes_present(queue).aggregate(total=Sum(F("slots")))["total"] or 0
    return slots - Job.objects.filter(state=State.RUNNING, queue=queue).count()
