"""Moves of jobs. Each is a compare-and-set; a worker's carry its lease and do nothing without it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from apps.core.errors import Conflict
from apps.jobs.bindings import JobSpec, unit_key
from apps.jobs.dispatch import poll_on_commit, wake_on_commit
from apps.jobs.holds import Ending, Handover, Hold, Lease, LeaseLost
from apps.jobs.models import MAX_ATTEMPTS, SPLIT, Attempt, Job, Outcome, State, WorkerNode
from apps.jobs.verdicts import Fate, Verdict, halves, judge


def enqueue(specs: Sequence[JobSpec], *, group: str) -> list[Job]:
    """The jobs of `specs`, made where the group does not have them yet, and wake-ups once they are committed."""
    with transaction.atomic():
        Job.objects.bulk_create([_row(spec, group) for spec in specs], ignore_conflicts=True)
        found = Job.objects.filter(group=group, key__in=[spec.key for spec in specs]).order_by("id")
        wake_on_commit(job.queue for job in found if job.state == State.QUEUED)
        return list(found)


def claim(*, queue: str, owner: str, host: str, lease_s: float) -> tuple[Job, Lease] | None:
    """The queue's next job, now leased to `owner`, with a new Attempt; None when there is none."""
    with transaction.atomic():
        waiting = Job.objects.filter(state=State.QUEUED, queue=queue, not_before_at__lte=Now())
        job = waiting.select_for_update(skip_locked=True).order_by(F("priority").desc(), "id").first()
        if job is None:
            return None
        Job.objects.filter(pk=job.pk).update(
            state=State.RUNNING,
            lease_owner=owner,
            lease_until=Now() + timedelta(seconds=lease_s),
            attempt=F("attempt") + 1,
            started_at=Now(),
            finished_at=None,
            error_code="",
            error_message="",
            progress_done=0,
            progress_total=0,
            progress_note="",
            external_id="",
        )
        job.refresh_from_db()
        Attempt.objects.create(job=job, number=job.attempt, host=host)
        return job, Lease(job.pk, owner, job.attempt)


def heartbeat(lease: Lease, *, lease_s: float, progress: tuple[int, int, str] | None = None) -> bool:
    """Prolong the lease and note the progress (done, total, note); whether somebody asked to cancel.

    Raises LeaseLost.
    """
    changes: dict[str, Any] = {"lease_until": Now() + timedelta(seconds=lease_s)}
    if progress:
        done, total, note = progress
        changes |= {"progress_done": done, "progress_total": total, "progress_note": note[:200]}
    if not _held(lease).update(**changes):
        raise LeaseLost(f"job {lease.job_id}")
    return Job.objects.values_list("cancel_requested", flat=True).get(pk=lease.job_id)


def launched(lease: Lease, *, pid: int) -> None:
    """Note the process group of the stage."""
    _attempt(lease).update(pid=pid)


def named(lease: Lease, *, external_id: str) -> None:
    """Note under which name another machine is about to be asked: whatever happens then, it can be found there."""
    if not _held(lease).update(external_id=external_id):
        raise LeaseLost(f"job {lease.job_id}")


@transaction.atomic
def hand_over(lease: Lease, *, external_id: str, note: str, resources: Mapping[str, Any]) -> None:
    """RUNNING → WAITING: another machine works on it, nobody here holds it; the attempt goes on. Raises LeaseLost."""
    _leave(lease, State.WAITING, external_id=external_id, progress_note=note[:200])
    _attempt(lease).update(resources=dict(resources))


@transaction.atomic
def heard(hold: Handover, *, note: str, progress: tuple[int, int], resources: Mapping[str, Any]) -> None:
    """Note what the other machine says of a job. Raises LeaseLost."""
    done, total = progress
    if not _held(hold).update(progress_done=done, progress_total=total, progress_note=note[:200]):
        raise LeaseLost(f"job {hold.job_id}")
    _attempt(hold).update(resources=dict(resources))


@transaction.atomic
def gone_abroad(*, job: Job, log: int | None) -> bool:
    """Nothing of a job that ended is left on the other machine but this log; False when it was begun again."""
    over = Job.objects.filter(pk=job.pk, external_id=job.external_id, state__in=(State.FAILED, State.CANCELLED))
    if log is not None:
        Attempt.objects.filter(job__in=over, number=job.attempt, log=None).update(log_id=log)
    return bool(over.update(external_id=""))


def fence(hold: Hold) -> Job:
    """Lock the job inside the caller's transaction: until it ends nobody else moves it. Raises LeaseLost."""
    job = _held(hold).select_for_update().first()
    if job is None:
        raise LeaseLost(f"job {hold.job_id}")
    return job


def complete(hold: Hold, ending: Ending) -> None:
    """RUNNING or WAITING → DONE, inside the transaction that saved the results. Raises LeaseLost."""
    _leave(hold, State.DONE, finished_at=Now(), progress_done=F("progress_total"), external_id="")
    _end_attempt(hold, ending)


@transaction.atomic
def fail(hold: Hold, ending: Ending) -> Fate:
    """End an attempt that did not succeed; the job goes back, is split, fails or is cancelled. Raises LeaseLost."""
    return _end(fence(hold), hold, ending)


STOPPED = Ending(Outcome.LOST, "The worker was stopped.")


@transaction.atomic
def release(lease: Lease, ending: Ending = STOPPED, *, delay_s: float = 0.0) -> None:
    """Give a job back that could not be begun here and now: the attempt does not count. Raises LeaseLost."""
    job = fence(lease)
    later = {"not_before_at": Now() + timedelta(seconds=delay_s), "error_message": ending.message} if delay_s else {}
    _end_attempt(lease, ending)
    _leave(lease, State.QUEUED, max_attempts=F("max_attempts") + 1, **later)
    wake_on_commit([job.queue])


@transaction.atomic
def expired_return() -> list[Job]:
    """Take jobs back whose lease is over; those that failed for good by it. Locked ones are being written: left."""
    over = Job.objects.select_for_update(skip_locked=True).filter(state=State.RUNNING, lease_until__lt=Now())
    lost = list(over)
    for job in lost:
        lease = Lease(job.pk, job.lease_owner, job.attempt)
        _end(job, lease, Ending(Outcome.LOST, f"The worker {job.lease_owner} was not heard of in time."))
    return list(Job.objects.filter(pk__in=[job.pk for job in lost], state=State.FAILED).exclude(error_code=SPLIT))


@transaction.atomic
def cancel(*, jobs: Iterable[Job]) -> None:
    """End what has not started or is elsewhere, where it is then ended too; ask the worker of what runs."""
    rows = Job.objects.filter(pk__in=[job.pk for job in jobs])
    elsewhere = list(rows.filter(state=State.WAITING).select_for_update())
    rows.filter(state__in=(State.QUEUED, State.WAITING)).update(
        state=State.CANCELLED, cancel_requested=True, finished_at=Now()
    )
    rows.filter(state=State.RUNNING).update(cancel_requested=True)
    for job in elsewhere:
        _end_attempt(Handover(job.pk, job.attempt, job.external_id), Ending(Outcome.CANCELLED, "It was cancelled."))
    if elsewhere:
        poll_on_commit()


@transaction.atomic
def retry(*, job: Job) -> Job:
    """Queue a failed or cancelled job again with fresh attempts; raises Conflict in any other state."""
    again = Job.objects.filter(pk=job.pk, state__in=(State.FAILED, State.CANCELLED)).exclude(error_code=SPLIT)
    moved = again.update(
        state=State.QUEUED,
        cancel_requested=False,
        max_attempts=F("attempt") + MAX_ATTEMPTS,
        not_before_at=Now(),
        finished_at=None,
        error_code="",
        error_message="",
    )
    if not moved:
        raise Conflict("Only a failed or cancelled job can be tried again.")
    job.refresh_from_db()
    wake_on_commit([job.queue])
    return job


def node_seen(*, name: str, host: str, queues: Sequence[str], slots: int, devices: Sequence[str]) -> None:
    """A worker says that it lives."""
    facts = {"host": host, "queues": list(queues), "slots": slots, "devices": list(devices), "seen_at": Now()}
    WorkerNode.objects.update_or_create(name=name, defaults=facts)


def _row(spec: JobSpec, group: str) -> Job:
    return Job(
        kind=spec.kind,
        group=group,
        key=spec.key,
        label=spec.label[:200],
        queue=spec.queue,
        units=list(spec.units),
        params=dict(spec.params),
        priority=spec.priority,
        time_limit_s=spec.time_limit_s,
    )


def _held(hold: Hold) -> Any:
    return Job.objects.filter(hold.mine)


def _attempt(hold: Hold) -> Any:
    return Attempt.objects.filter(job_id=hold.job_id, number=hold.attempt)


def _leave(hold: Hold, state: str, **changes: Any) -> None:
    if not _held(hold).update(state=state, lease_owner="", lease_until=None, **changes):
        raise LeaseLost(f"job {hold.job_id}")


def _end_attempt(hold: Hold, ending: Ending) -> None:
    resources = {} if ending.resources is None else {"resources": dict(ending.resources)}
    _attempt(hold).update(
        **resources,
        ended_at=Now(),
        outcome=ending.outcome,
        message=ending.message,
        exit_code=ending.exit_code,
        log_id=ending.log,
        versions=dict(ending.versions or {}),
    )


def _end(job: Job, hold: Hold, ending: Ending) -> Fate:
    outcome = Outcome.CANCELLED if job.cancel_requested else ending.outcome
    verdict = judge(outcome, units=len(job.units), attempt=job.attempt, max_attempts=job.max_attempts)
    _end_attempt(hold, ending)
    _apply(job, hold, verdict, ending)
    return verdict.fate


def _apply(job: Job, hold: Hold, verdict: Verdict, ending: Ending) -> None:
    error = {"error_code": str(ending.outcome), "error_message": ending.message}
    if verdict.fate == Fate.AGAIN:
        _leave(hold, State.QUEUED, not_before_at=Now() + timedelta(seconds=verdict.delay_s), **error)
        wake_on_commit([job.queue])
    elif verdict.fate == Fate.SPLIT:
        _leave(hold, State.FAILED, finished_at=Now(), error_code=SPLIT, error_message=ending.message)
        _split(job)
    elif verdict.fate == Fate.CANCEL:
        _leave(hold, State.CANCELLED, finished_at=Now(), error_code="", error_message=ending.message)
    else:
        _leave(hold, State.FAILED, finished_at=Now(), **error)


def _split(job: Job) -> None:
    """Two halves in its place: whoever is poisonous ends alone, the others are done."""
    for units in halves(job.units):
        Job.objects.create(
            kind=job.kind,
            group=job.group,
            key=unit_key(job.kind, units, job.params),
            label=f"{job.label} ({len(units)})"[:200],
            queue=job.queue,
            units=units,
            params=job.params,
            priority=job.priority,
            time_limit_s=job.time_limit_s,
            parent=job,
        )
    wake_on_commit([job.queue] * 2)
