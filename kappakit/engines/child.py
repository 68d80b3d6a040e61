"""A program of somebody else's as a child of this process, with a time limit; no child outlives its call."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

SHORTEST_LOOK = 0.01
"""s."""


def run_child(
    command: Sequence[str],
    folder: Path,
    log: BinaryIO,
    *,
    minutes: float,
    poll: float,
    tell: Callable[[], None],
    grace: float = 0.0,
    environment: Mapping[str, str] | None = None,
) -> int | None:
    """Run in `folder` until it ends; its exit code (negative: a signal), None where it was ended after `minutes`.

    What it prints goes to `log`; `tell` is called every `poll` s. It stays in our process group, so what kills the
    stage kills it too. It is ended by SIGTERM and, after `grace` s, by SIGKILL (0: at once).
    """
    end = time.monotonic() + 60.0 * minutes
    child = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
    )
    try:
        while (left := end - time.monotonic()) > 0:
            try:
                return child.wait(min(poll, max(left, SHORTEST_LOOK)))
            except subprocess.TimeoutExpired:
                tell()
        return None
    finally:
        _end(child, grace)


def _end(child: subprocess.Popen[bytes], grace: float) -> None:
    if child.poll() is not None:
        return
    if grace:
        child.terminate()
        try:
            child.wait(grace)
            return
        except subprocess.TimeoutExpired:
            pass
    child.kill()
    child.wait()
