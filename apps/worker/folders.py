"""The folder of an attempt: prepared for the stage, read after it.

job-<id>/<attempt>/             inputs, settings, links; then outputs, progress, log
job-<id>/<attempt>/checkpoint → job-<id>/checkpoint/: what the next attempt may resume from
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.jobs.bindings import Loaded
from apps.worker.launchers import LOG
from apps.worker.measure import USAGE
from kappakit import archive, run
from kappakit.stages.table import STAGES

PROGRESS, FAILURE = "progress.jsonl", "failure.json"
LONGEST_LOG = 5_000_000
"""Bytes of a log that are kept: its end."""


@dataclass(frozen=True)
class StageFolder:
    """One attempt's folder under `root`."""

    root: Path
    job_id: int
    attempt: int

    @property
    def job(self) -> Path:
        return self.root / f"job-{self.job_id}"

    @property
    def path(self) -> Path:
        return self.job / str(self.attempt)

    def of_attempt(self, number: int) -> Path:
        """Where another attempt of the same job ran."""
        return self.job / str(number)

    def prepare(self, stage: str, loaded: Loaded, threads: int) -> None:
        """Write the inputs and link the files; a folder left by a dead worker is replaced."""
        shutil.rmtree(self.path, ignore_errors=True)
        run.prepare(self.path, stage, loaded.inputs, dict(loaded.settings), threads)
        for name, target in loaded.files.items():
            link = self.path / name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(target)
        (self.job / "checkpoint").mkdir(exist_ok=True)
        (self.path / "checkpoint").symlink_to("../checkpoint")

    def outputs(self, stage: str) -> Any:
        """The stage's Outputs; raises kappakit's InputError when they cannot be read."""
        return archive.read(self.path, "outputs", STAGES[stage].outputs)

    def progress(self) -> tuple[int, int, str] | None:
        """(done, total, note) of the last whole line."""
        file = self.path / PROGRESS
        if not file.exists():
            return None
        lines = [line for line in _tail(file, 4096).split(b"\n") if line.endswith(b"}")]
        if not lines or not lines[-1].startswith(b"{"):
            return None
        return _step_of(lines[-1])

    def failure(self) -> str:
        """What the stage said when it gave up, '' when it said nothing."""
        said = self.failed_as()
        return said[1] if said else ""

    def failed_as(self) -> tuple[str, str] | None:
        """(kind, message) that the stage left when it gave up; None when it left nothing whole."""
        said = _json(self.path / FAILURE)
        return (str(said["kind"]), str(said["message"])) if said else None

    def usage(self) -> dict[str, Any]:
        """What `measure.py` left: exit_code, time_s, cpu_s, memory_mib, node; empty when it was killed too."""
        return _json(self.path / USAGE)

    def log(self) -> bytes:
        """The end of the stage's output."""
        file = self.path / LOG
        return _tail(file, LONGEST_LOG) if file.exists() else b""

    def file(self, relative: str) -> Path:
        """A file that the stage made; raises ValueError for one outside the folder."""
        found = (self.path / relative).resolve()
        if not found.is_relative_to(self.job.resolve()):
            raise ValueError(f"{relative} is outside the stage's folder")
        return found

    def discard(self) -> None:
        """Clear up after this attempt alone: another one may be running beside it."""
        shutil.rmtree(self.path, ignore_errors=True)

    def close(self) -> None:
        """Clear up after the job's last attempt; a checkpoint stays, a person may resume it."""
        self.discard()
        checkpoint = self.job / "checkpoint"
        if not checkpoint.exists() or not any(checkpoint.iterdir()):
            self.remove()

    def remove(self) -> None:
        """Clear up after the job."""
        shutil.rmtree(self.job, ignore_errors=True)


def _step_of(line: bytes) -> tuple[int, int, str] | None:
    """A line cut in two by a kill is no progress."""
    try:
        last = json.loads(line)
        return int(last["done"]), int(last["total"]), str(last["note"])
    except (ValueError, KeyError):
        return None


def _json(file: Path) -> dict[str, Any]:
    """The object in `file`; empty where there is none, or half of one."""
    try:
        return dict(json.loads(file.read_text()))
    except (OSError, ValueError):
        return {}


def _tail(file: Path, size: int) -> bytes:
    with file.open("rb") as source:
        source.seek(0, 2)
        source.seek(max(0, source.tell() - size))
        return source.read()
