"""Files from strangers, read at arm's length: a process of its own may hang, crash or run out of memory.

Light: the readers live in `kappakit.reading.parse`, which only that process imports.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import kappakit
from kappakit.crystals import Crystal
from kappakit.reading.limits import READY, Limits

__all__ = ["Limits", "ReadCrystal", "ReadRefusal", "read_files"]

POLL_SECONDS = 0.2
MAX_CRASHES = 20
END_OF_FILE = -1
EXIT_CPU = -24


@dataclass(frozen=True, eq=False)
class ReadCrystal:
    """A checked crystal; `label` as in the file, `source` 'file name#position' counted from 1.

    What an archive holds has the source 'file name/member#position'.
    """

    crystal: Crystal
    label: str
    source: str


@dataclass(frozen=True)
class ReadRefusal:
    """What was not taken; `reason` is a code, `detail` a sentence."""

    source: str
    reason: str
    detail: str


@dataclass
class _Reading:
    """State of one batch: where the next process starts, and what was read so far."""

    files: Sequence[tuple[str, Path]]
    limits: Limits
    file: int = 0
    frame: int = 0
    place: str = ""
    """What the source of the pending frame adds to the file's name."""
    pending: bool = False
    """The reader announced a frame and has not yet said what it is."""
    ready: bool = False
    """This process has loaded its libraries."""
    crashes: int = 0
    crystals: list[ReadCrystal] = field(default_factory=list)
    refusals: list[ReadRefusal] = field(default_factory=list)

    @property
    def patience(self) -> float:
        """Seconds of silence after which the reader is killed."""
        return self.limits.answer_seconds if self.ready else self.limits.start_seconds

    def take(self, event: dict[str, Any]) -> None:
        """Record one line of the reader."""
        if event == READY:
            self.ready = True
            return
        self.file, frame = event["file"], event["frame"]
        if frame == END_OF_FILE:
            self.file, self.frame, self.pending, self.crashes = self.file + 1, 0, False, 0
        elif "crystal" in event:
            crystal = Crystal.from_dict(event["crystal"])
            self.crystals.append(ReadCrystal(crystal, event["label"], self._source(event["place"])))
            self.frame, self.pending = frame + 1, False
        elif "reason" in event:
            self.refusals.append(ReadRefusal(self._source(event["place"]), event["reason"], event["detail"]))
            self.frame, self.pending = frame + 1, False
        else:
            self.frame, self.place, self.pending = frame, event["place"], True

    def lose(self, reason: str, detail: str) -> None:
        """The reader died: refuse the frame it was at and go on behind it; give the file up after too many."""
        self.crashes += 1
        place = self.place if self.pending else f"#{self.frame + 1}"
        self.refusals.append(ReadRefusal(self._source(place), reason, detail))
        if not self.pending or self.crashes >= MAX_CRASHES:
            self.file, self.frame, self.crashes = self.file + 1, 0, 0
        else:
            self.frame += 1
        self.pending = False

    def _source(self, place: str) -> str:
        return f"{self.files[self.file][0]}{place}"


def read_files(
    files: Sequence[tuple[str, Path]],
    limits: Limits | None = None,
    progress: Callable[[int, int], None] = lambda files, crystals: None,
) -> tuple[list[ReadCrystal], list[ReadRefusal]]:
    """Read (name, path) pairs: CSV, CIF, POSCAR, extended XYZ, res, ase.db, zip; the name tells the format.

    Nothing that a file does stops the others: what is broken, hostile or no believable crystal is a refusal.
    `progress(files finished, crystals read)` is called now and then.
    """
    reading = _Reading(files, limits or Limits())
    while reading.file < len(files):
        with tempfile.TemporaryDirectory(prefix="kappakit-reading-") as folder:
            _read_until_end_or_crash(reading, Path(folder), progress)
    return reading.crystals, reading.refusals


def _read_until_end_or_crash(reading: _Reading, folder: Path, progress: Callable[[int, int], None]) -> None:
    output = folder / "events.jsonl"
    output.touch()
    reading.ready = False
    process = _start(reading, folder, output)
    idle = 0.0
    with output.open() as lines:
        while True:
            ended = _ended(process)
            took = _take_lines(lines, reading)
            idle = 0.0 if took else idle + POLL_SECONDS
            progress(reading.file, len(reading.crystals))
            if ended:
                break
            if idle > reading.patience:
                process.kill()
    if reading.file < len(reading.files):
        reading.lose(*_why(process, idle, reading))


def _start(reading: _Reading, folder: Path, output: Path) -> subprocess.Popen[bytes]:
    task = folder / "task.json"
    remaining = list(enumerate(reading.files))[reading.file :]
    content = {
        "files": [[number, name, str(Path(path).resolve())] for number, (name, path) in remaining],
        "start": reading.frame,
        "limits": asdict(reading.limits),
        "output": str(output),
    }
    task.write_text(json.dumps(content))
    return subprocess.Popen(
        [sys.executable, "-m", "kappakit.reading.parse", str(task)],
        cwd=folder,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _environment() -> dict[str, str]:
    root = str(Path(kappakit.__file__).parents[1])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def _ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(timeout=POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _take_lines(lines: Any, reading: _Reading) -> int:
    count = 0
    while True:
        position = lines.tell()
        line = lines.readline()
        if not line.endswith("\n"):
            lines.seek(position)
            return count
        reading.take(json.loads(line))
        count += 1


def _why(process: subprocess.Popen[bytes], idle: float, reading: _Reading) -> tuple[str, str]:
    if idle > reading.patience:
        return "time-limit", f"the reader said nothing for {idle:.0f} s"
    if process.returncode == EXIT_CPU:
        return "time-limit", f"reading took more than {reading.limits.cpu_seconds} s of processor time"
    return "reader-crashed", f"the reader ended with code {process.returncode} at this place"
