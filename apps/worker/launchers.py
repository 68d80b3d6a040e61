"""Where a stage process runs that a worker waits for: a port. (For a cluster nobody waits: see submission.py.)"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

LEASH = str(Path(__file__).with_name("leash.py"))
PROJECT = Path(__file__).resolve().parents[2]
LOG = "log.txt"


class Running(Protocol):
    """A stage that was launched."""

    @property
    def pid(self) -> int:
        """Its process group."""

    def wait(self, seconds: float) -> int | None:
        """The exit code (negative: died by that signal), or None when it still runs after `seconds`."""

    def kill(self) -> None:
        """End it and everything that it started; returns when it is gone."""


class Launcher(Protocol):
    """Starts the stage that lies prepared in `folder`; its output goes to folder/log.txt."""

    def launch(self, folder: Path, *, device: str | None = None) -> Running:
        """`device`: the one GPU that it may see; None: all."""


@dataclass
class LocalProcess:
    """A child in a process group of its own."""

    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait(self, seconds: float) -> int | None:
        try:
            return self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        kill_group(self.process.pid)
        self.process.wait()


@dataclass(frozen=True)
class LocalLauncher:
    """`python -m MODULE FOLDER` on this machine."""

    module: str

    def launch(self, folder: Path, *, device: str | None = None) -> LocalProcess:
        stage = [sys.executable, "-m", self.module, str(folder)]
        command = [sys.executable, "-I", "-S", LEASH, str(os.getpid()), *stage]
        with (folder / LOG).open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=PROJECT,
                env=stage_environment(device),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return LocalProcess(process)


def kill_group(pid: int) -> None:
    """SIGKILL to a process group; nothing when it is gone."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def runs_in(pid: int, folder: Path) -> bool:
    """Whether `pid` is the stage of that folder: pids are used again."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return str(folder).encode() in words


def stage_environment(device: str | None = None) -> dict[str, str]:
    """A stage knows no database and no settings: their variables stay here."""
    private = ("DATABASE_URL", "SECRET_KEY", "CELERY_BROKER_URL", "CACHE_URL", "DJANGO_SETTINGS_MODULE")
    environment = {name: value for name, value in os.environ.items() if name not in private}
    if device is not None:
        environment["CUDA_VISIBLE_DEVICES"] = device
    return environment
