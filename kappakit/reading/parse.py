"""The reader's own process: `python -m kappakit.reading.parse TASK` parses files from strangers under hard limits.

TASK is JSON: {"files": [[number, name, path]], "start": frame of the first file, "limits": {…}, "output": path}. Each
frame leaves one JSON line in the output: {"file", "frame", "place"} before it is parsed, then the same with a crystal
or with a reason. A frame that hangs is stopped after its share of processor time, so that a busy machine refuses
nothing; one that takes too much memory is stopped by the operating system.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

import numpy as np
from ase import Atoms

from kappakit.crystals import Crystal
from kappakit.errors import Rejected
from kappakit.reading.archives import archive_frames
from kappakit.reading.formats import format_of, frames_of
from kappakit.reading.frames import READER_ERRORS, CrystalFrame, FrameTimeout, too_many
from kappakit.reading.limits import READY, Limits
from kappakit.symmetry import shortest_distance


def main(task_path: str) -> None:
    """Parse what the task lists, from its start on."""
    task = json.loads(Path(task_path).read_text())
    limits = Limits(**task["limits"])
    _restrict(limits)
    with Path(task["output"]).open("w") as output:
        output.write(json.dumps(READY) + "\n")
        start = task["start"]
        for number, name, path in task["files"]:
            _parse_file(number, name, path, start, limits, output)
            start = 0


def check_crystal(crystal: Crystal, limits: Limits) -> None:
    """Raise Rejected with a reason for what no campaign should start from."""
    if crystal.n_atoms > limits.max_atoms:
        raise too_many(crystal.n_atoms, limits.max_atoms)
    volume = crystal.volume / crystal.n_atoms
    if not limits.min_volume <= volume <= limits.max_volume:
        raise Rejected(
            "volume", f"{volume:.3g} Å³ per atom; {limits.min_volume:g}–{limits.max_volume:g} are believable"
        )
    longest = float(crystal.lengths.max())
    if longest > limits.max_length:
        raise Rejected(
            "cell-too-long", f"a lattice vector of {longest:.4g} Å; at most {limits.max_length:g} Å are taken"
        )
    shortest = shortest_distance(crystal)
    if shortest < limits.min_distance:
        raise Rejected("overlapping-atoms", f"two atoms are {shortest:.3f} Å apart; at least {limits.min_distance:g} Å")


def crystal_of(atoms: Atoms, limits: Limits) -> Crystal:
    """An ase.Atoms as a checked Crystal; raises Rejected with a reason."""
    if len(atoms) == 0:
        raise Rejected("no-atoms", "there is no atom")
    if len(atoms) > limits.max_atoms:
        raise too_many(len(atoms), limits.max_atoms)
    if not atoms.pbc.all():
        raise Rejected("not-periodic", "the structure is not periodic in three directions")
    cell = np.asarray(atoms.cell[:], dtype=float)
    if not (np.isfinite(cell).all() and np.isfinite(atoms.positions).all()):
        raise Rejected("not-finite", "a lattice vector or a position is not a finite number")
    if abs(np.linalg.det(cell)) < 1e-3:
        raise Rejected("no-volume", "the lattice vectors span no volume")
    if atoms.numbers.min() < 1:
        raise Rejected("unknown-element", "an atom is of no known element")
    crystal = Crystal(cell, atoms.get_scaled_positions(wrap=True), atoms.numbers)
    check_crystal(crystal, limits)
    return crystal


def _parse_file(number: int, name: str, path: str, start: int, limits: Limits, output: TextIO) -> None:
    position = 0
    try:
        for frame in _alarmed(_frames(name, Path(path), limits), limits.frame_seconds):
            if position >= limits.max_frames:
                raise Rejected("too-many-crystals", f"more than {limits.max_frames} crystals in one file")
            if position >= start:
                place = frame.place or f"#{position + 1}"
                _tell(output, number, position, place=place)
                _tell(output, number, position, place=place, **_outcome(frame, limits))
            position += 1
    except (Rejected, FrameTimeout, *READER_ERRORS) as error:
        _tell(output, number, position, place=f"#{position + 1}", **_refusal(error, limits))
    _tell(output, number, -1)


def _frames(name: str, path: Path, limits: Limits) -> Iterator[CrystalFrame]:
    kind = format_of(name)
    return archive_frames(path, limits) if kind == "zip" else frames_of(kind, path, limits.max_bytes)


def _alarmed(frames: Iterator[CrystalFrame], seconds: float) -> Iterator[CrystalFrame]:
    while True:
        signal.setitimer(signal.ITIMER_PROF, seconds)
        frame = next(frames, None)
        if frame is None:
            signal.setitimer(signal.ITIMER_PROF, 0)
            return
        yield frame


def _outcome(frame: CrystalFrame, limits: Limits) -> dict[str, Any]:
    signal.setitimer(signal.ITIMER_PROF, limits.frame_seconds)
    try:
        crystal = crystal_of(frame.parse(limits.max_atoms), limits)
        return {"label": "".join(filter(str.isprintable, frame.label)), "crystal": crystal.to_dict()}
    except (Rejected, FrameTimeout, *READER_ERRORS) as error:
        return _refusal(error, limits)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _refusal(error: BaseException, limits: Limits) -> dict[str, Any]:
    if isinstance(error, Rejected):
        return {"reason": error.reason, "detail": str(error)[:500]}
    if isinstance(error, FrameTimeout):
        return {
            "reason": "time-limit",
            "detail": f"reading took more than {limits.frame_seconds:g} s of processor time",
        }
    if isinstance(error, MemoryError):
        return {"reason": "memory-limit", "detail": "reading took more memory than is allowed"}
    if isinstance(error, KeyError) and _looks_like_element(error.args):
        return {"reason": "unknown-element", "detail": f"{error.args[0]} is no known element"}
    return {"reason": "unreadable", "detail": f"the file cannot be read: {type(error).__name__}: {error}"[:300]}


def _looks_like_element(arguments: tuple[Any, ...]) -> bool:
    return len(arguments) == 1 and isinstance(arguments[0], str) and arguments[0].isalpha() and len(arguments[0]) <= 3


def _tell(output: TextIO, number: int, frame: int, **facts: Any) -> None:
    output.write(json.dumps({"file": number, "frame": frame, **facts}) + "\n")
    output.flush()


def _restrict(limits: Limits) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, _ring)
    warnings.simplefilter("ignore")


def _ring(number: int, frame: FrameType | None) -> None:
    raise FrameTimeout


if __name__ == "__main__":
    main(sys.argv[1])
