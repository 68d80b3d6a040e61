"""A job of ours as a job of Slurm: its name there, its folder, what it asks for, and what is said of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.worker.folders import StageFolder
from apps.worker.launchers import LOG
from apps.worker.slurm import Account, Asked, Slurm, SlurmJob, batch_script

if TYPE_CHECKING:
    from apps.jobs.models import Job

PROJECT = Path(__file__).resolve().parents[2]
MEASURE = Path(__file__).with_name("measure.py")
QUEUED, RUNNING, FETCHED, LOST = "queued", "running", "fetched", "lost"
"""What a person is told of a job there; `fetched`: what it left was read, good or bad."""


@dataclass(frozen=True)
class Cluster:
    """`folders`: where all hosts see the stages' folders; `python`: on the nodes; `cores`: of a job that names none."""

    slurm: Slurm
    folders: Path
    python: str
    module: str
    cores: int = 1
    project: Path = field(default=PROJECT)

    def folder(self, job: Job, name: str) -> StageFolder:
        """Where the job of that name runs: an earlier attempt's folder if that one was found again."""
        return StageFolder(self.folders, job.pk, attempt_of(name))

    def submit(self, job: Job, name: str) -> str:
        """Queue the prepared folder; Slurm's number. Raises SchedulerAway, SchedulerRefused."""
        folder = self.folder(job, name)
        script = batch_script(self.python, MEASURE, self.project, self.module, folder.path)
        return self.slurm.submit(name, script, asked_by(job, self.cores), folder.path / LOG)


def name_of(job: Job, attempt: int) -> str:
    """The attempt's name there, always the same: 'kappaweb-JOB-ATTEMPT-token'.

    The token tells two installations apart that number their jobs alike on one cluster.
    """
    token = hashlib.sha256(f"{job.key}|{job.created_at.isoformat()}|{attempt}".encode()).hexdigest()[:10]
    return f"kappaweb-{job.pk}-{attempt}-{token}"


def attempt_of(name: str) -> int:
    """The attempt that a name was made for."""
    return int(name.split("-")[2])


def asked_by(job: Job, cores: int) -> Asked:
    """Time from the job's limit; `cores` and `memory_gib` from its parameters, where they are."""
    memory = job.params.get("memory_gib")
    wanted = int(job.params.get("cores") or cores)
    return Asked(wanted, job.time_limit_s, None if memory is None else round(float(memory) * 1024))


def resources_of(name: str, number: str, asked: Asked) -> dict[str, Any]:
    """What an attempt keeps from the start."""
    return {"scheduler": "Slurm", "id": number, "name": name, "state": QUEUED, "asked": asked.as_dict(), "used": {}}


def used_of(seen: SlurmJob | None, account: Account | None, usage: dict[str, Any]) -> dict[str, Any]:
    """Time and memory: by the cluster's accounts if it keeps them, else by our own measurement, else by the list."""
    used: dict[str, Any] = {name: usage[name] for name in ("time_s", "cpu_s", "memory_mib") if name in usage}
    if seen and seen.elapsed_s and "time_s" not in used:
        used["time_s"] = seen.elapsed_s
    if account:
        used["time_s"] = account.elapsed_s or used.get("time_s", 0)
        if account.memory_mib:
            used["memory_mib"] = round(account.memory_mib, 1)
    return used


def note_of(seen: SlurmJob, progress: str = "") -> str:
    """One line for a person about a job that is not over."""
    head = f"Slurm {seen.id}: "
    if seen.state == "PENDING":
        return head + f"queued ({seen.reason})"
    place = f" on {seen.node}" if seen.node else ""
    more = f"; {progress}" if progress else ""
    state = "running" if seen.state == "RUNNING" else seen.state.lower()
    return f"{head}{state}{place}, {seen.elapsed_s // 60} min{more}"
