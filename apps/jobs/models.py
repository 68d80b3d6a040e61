"""The work: what is next and what is done. The history of each job lies in its attempts."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from apps.artifacts.models import Artifact
from apps.core.states import one_of, only_moves
from apps.jobs.states import MAX_ATTEMPTS, MOVES, OPEN, SPLIT, Outcome, State

__all__ = ["MAX_ATTEMPTS", "MOVES", "OPEN", "SPLIT", "Attempt", "Job", "Outcome", "State", "WorkerNode"]


class Job(models.Model):
    """One batch of one stage. `group` names who asked ('step:12', 'training:3'), `key` what is asked."""

    kind = models.CharField(max_length=64, help_text="Name of the Binding.")
    group = models.CharField(max_length=64)
    key = models.CharField(max_length=64, help_text="sha256 of stage, version, units and parameters.")
    label = models.CharField(max_length=200)
    queue = models.CharField(max_length=16)
    units = models.JSONField(default=list)
    params = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    priority = models.IntegerField(default=0, help_text="Higher goes first.")
    lease_owner = models.CharField(max_length=128, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempt = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField(default=MAX_ATTEMPTS)
    not_before_at = models.DateTimeField(db_default=Now(), help_text="A retry waits until then.")
    cancel_requested = models.BooleanField(default=False)
    external_id = models.CharField(max_length=128, blank=True, help_text="Its name on another machine.")
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    progress_done = models.BigIntegerField(default=0)
    progress_total = models.BigIntegerField(default=0)
    progress_note = models.CharField(max_length=200, blank=True)
    time_limit_s = models.PositiveIntegerField(default=3600)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=32, blank=True)
    error_message = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "key"], name="job_once"),
            one_of("state", State, "job_state"),
            models.CheckConstraint(
                condition=models.Q(state=State.RUNNING, lease_until__isnull=False)
                | (~models.Q(state=State.RUNNING) & models.Q(lease_owner="", lease_until__isnull=True)),
                name="job_lease_while_running",
            ),
        ]
        indexes = [
            models.Index(
                "queue", models.F("priority").desc(), "id", name="job_next", condition=models.Q(state=State.QUEUED)
            ),
            models.Index("lease_until", name="job_lease", condition=models.Q(state=State.RUNNING)),
            models.Index("group", "state", name="job_group"),
            models.Index("state", name="job_abroad", condition=~models.Q(external_id="")),
        ]
        triggers = [only_moves("job_moves", MOVES)]

    def __str__(self) -> str:
        return f"{self.label} ({self.state})"


class Attempt(models.Model):
    """One try of a job: where, as what, how it ended, and its log."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    host = models.CharField(max_length=200)
    pid = models.IntegerField(null=True, blank=True, help_text="Process group of the stage on that host.")
    versions = models.JSONField(default=dict)
    resources = models.JSONField(default=dict, help_text="On a cluster: where, what was asked and what was used.")
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=16, choices=Outcome.choices, default=Outcome.RUNNING)
    exit_code = models.IntegerField(null=True, blank=True)
    message = models.TextField(blank=True)
    log = models.ForeignKey(Artifact, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "number"], name="attempt_once"),
            one_of("outcome", Outcome, "attempt_outcome"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of job {self.job_id}"


class WorkerNode(models.Model):
    """A worker process that was heard of: what it takes, how many at once, on which devices."""

    name = models.CharField(max_length=200, unique=True)
    host = models.CharField(max_length=200)
    queues = ArrayField(models.CharField(max_length=16))
    slots = models.PositiveIntegerField(default=1)
    devices = models.JSONField(default=list, help_text="GPUs by name.")
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(self.queues)})"
