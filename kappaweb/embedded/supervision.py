"""Talking to supervisord."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from kappaweb.embedded.places import Places


class StackError(Exception):
    """The stack cannot start or does not answer; the message says what to do."""


@dataclass(frozen=True)
class ProcessState:
    """supervisord's word on one process: 'RUNNING', 'STOPPED', 'BACKOFF', 'FATAL' …"""

    name: str
    state: str
    detail: str
    pid: int = 0


class Supervisor:
    """One supervisord and its processes."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self.control = places.socket / "supervisor.sock"

    def is_running(self) -> bool:
        """Whether it answers, and is not on its way down."""
        try:
            self._proxy().getState()
        except (OSError, http.client.HTTPException, xmlrpc.client.Fault):
            return False
        return True

    def is_gone(self) -> bool:
        """Whether nobody answers any more."""
        try:
            self._proxy().getState()
        except xmlrpc.client.Fault:
            return False
        except (OSError, http.client.HTTPException):
            return True
        return False

    def wait_until_gone(self) -> None:
        """Returns when an earlier shutdown has come to its end."""
        self._until(self.is_gone, "stopping supervisord", seconds=180)

    def launch(self, configuration: str, environment: Mapping[str, str]) -> None:
        """Start the daemon; returns when it answers."""
        path = self._places.run / "supervisord.conf"
        path.write_text(configuration)
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(path)]
        done = subprocess.run(
            command, env=os.environ | environment, capture_output=True, text=True, check=False, cwd="/"
        )
        if done.returncode != 0:
            raise StackError(f"supervisord does not start: {done.stdout}{done.stderr}")
        self._until(self.is_running, "supervisord")

    def start(self, name: str, *, wait: bool = True) -> None:
        """Start one process and wait until it stays up; raises StackError when it does not."""
        if self.states()[name].state in ("RUNNING", "STARTING"):
            return
        try:
            self._proxy().startProcess(name, wait)
        except xmlrpc.client.Fault as fault:
            if "ALREADY_STARTED" not in fault.faultString:
                raise StackError(f"{name} does not start; see {self._places.log / name}.log") from fault

    def states(self) -> dict[str, ProcessState]:
        """By name."""
        found: Sequence[Mapping[str, Any]] = self._proxy().getAllProcessInfo()
        return {p["name"]: ProcessState(p["name"], p["statename"], p["description"], p["pid"]) for p in found}

    def shutdown(self) -> None:
        """Stop the processes in order, then the daemon; returns when it is gone."""
        if self.is_running():
            self._proxy().shutdown()
        self.wait_until_gone()

    def _proxy(self) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self.control}")
        return xmlrpc.client.ServerProxy("http://127.0.0.1", transport).supervisor

    def _until(self, condition: Any, what: str, *, seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise StackError(f"{what} takes too long; see {self._places.log / 'supervisor.log'}")
            time.sleep(0.1)


def log_tail(path: Path, *, lines: int = 5) -> str:
    """The end of a log, for an error's message."""
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""
