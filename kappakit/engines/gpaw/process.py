"""A program of another environment as a child of this process: its share of the cores, its time limit, its progress."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from kappakit.engines.child import run_child
from kappakit.errors import DftFailure
from kappakit.ports import Progress

POLL = 0.2
LAST_LINES = 12
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def environment(cores: int) -> dict[str, str]:
    """This one's without what steers another python or GPAW, and with a limit of threads."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GPAW_", "PYTHON"))}
    return kept | dict.fromkeys(THREADS, str(cores)) | {"PYTHONUNBUFFERED": "1"}


def run_program(command: Sequence[str], folder: Path, *, cores: int, minutes: float, progress: Progress) -> int:
    """Run in `folder` until it ends; returns the exit code (negative: a signal).

    Output is appended to `folder`/program.log, lines of `folder`/progress.jsonl are passed on. Raises DftFailure
    'walltime' after `minutes`.
    """
    told = 0

    def tell() -> None:
        nonlocal told
        told = _tell(folder / "progress.jsonl", told, progress)

    with (folder / "program.log").open("ab") as log:
        code = run_child(command, folder, log, minutes=minutes, poll=POLL, tell=tell, environment=environment(cores))
    if code is None:
        raise DftFailure("walltime", f"not finished after {minutes:g} min")
    tell()
    return code


def unexplained(code: int, folder: Path) -> DftFailure:
    """The failure of a program that left no result and no explanation."""
    if code == -signal.SIGKILL:
        return DftFailure("memory", "the program was killed, as Linux does when memory runs out")
    lines = (folder / "program.log").read_text(errors="replace").strip().splitlines()
    return DftFailure("engine", f"ended with exit code {code}:\n" + "\n".join(lines[-LAST_LINES:]))


def _tell(path: Path, told: int, progress: Progress) -> int:
    """Pass on what whole lines were added since byte `told`; returns how far they reach."""
    if not path.exists():
        return told
    with path.open("rb") as stream:
        stream.seek(told)
        added = stream.read()
    whole = added[: added.rfind(b"\n") + 1]
    if whole:
        line = json.loads(whole.splitlines()[-1])
        progress(line["done"], line["total"], line["note"])
    return told + len(whole)
