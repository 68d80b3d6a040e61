"""Label configurations of carbon by GPAW with the settings of the shipped labels, one after the other, on one core.

`python scripts/label_carbon.py run WORK --configurations FILE --carbon24 FILE [--core N]` begins in the folder WORK;
to resume after any end, also by SIGKILL: `python scripts/label_carbon.py run WORK`. Without WORK's content the exported
file alone resumes: what it holds is not labelled again.
`python scripts/label_carbon.py export WORK` writes kappakit/data/carbon_dft_more.extxyz.gz, `… state WORK` counts.

While a file WORK/PAUSE exists everything that computes is suspended. WORK holds: queue/*.extxyz (what is to be
labelled, in order), labels/KEY.json (one a label, written whole), failed/KEY.json, dropped.jsonl (what may not be
labelled or was not, with the reason), log.txt. KEY is the sha256 of the canonical inputs (kappakit.dft.DftTask.text).
"""

from __future__ import annotations

import argparse
import ctypes
import fcntl
import gzip
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any

import label_frames
import numpy as np
import psutil
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from label_frames import EXPORTED, Frame, read_atoms, write_whole

from kappakit.dft import DftTask, next_try
from kappakit.engines.gpaw.code import GpawCode
from kappakit.errors import DftFailure, InputError
from kappakit.labels import read_frames, shipped_labels
from kappakit.ports import DftResult, SilentProgress
from kappakit.protocol import DftRunSettings
from kappakit.writing import atoms_of

RUN = DftRunSettings(walltime=1440.0)
"""Long, because the time in which a calculation is suspended counts."""
LOOK = 0.5
"""s between two looks for PAUSE."""
TURNS = ("pool", "pool", "conductors", "pool", "configurations")
"""Queues by which frames are taken in turn; an empty one is passed over."""
WINDOW = 12
"""Of so many next frames of a queue the cheapest is labelled first."""
CHECKED = (410, 70)
"""ids of shipped frames that are labelled again, to prove that the settings are the same."""
SAME_ENERGY, SAME_FORCE, SAME_STRESS = 1e-6, 1e-5, 1e-7
"""eV per atom, eV/Å, eV/Å³."""
MOST_BYTES = 10_000_000
PR_SET_PDEATHSIG = 1


class Work:
    """The folder of a labelling."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.labels, self.failed = self.folder / "labels", self.folder / "failed"
        self.running, self.queue = self.folder / "running", self.folder / "queue"
        self.dropped, self.pause = self.folder / "dropped.jsonl", self.folder / "PAUSE"

    def log(self, line: str) -> None:
        stamp = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
        with (self.folder / "log.txt").open("a") as lines:
            lines.write(f"{stamp} {line}\n")

    def records(self) -> list[dict[str, Any]]:
        """All finished labels, in the order of their ids."""
        return sorted((json.loads(p.read_text()) for p in self.labels.glob("*.json")), key=lambda record: record["id"])

    def settled(self) -> set[str]:
        """Keys of what has a label or failed for good."""
        return {path.stem for folder in (self.labels, self.failed) for path in folder.glob("*.json")}

    def inputs(self, given: argparse.Namespace) -> dict[str, Path]:
        """Files to begin with, from the command line or as an earlier run noted them."""
        noted = self.folder / "inputs.json"
        named = {name: getattr(given, name) for name in ("configurations", "carbon24")}
        if all(named.values()):
            write_whole(noted, json.dumps({name: str(path.resolve()) for name, path in named.items()}))
        if not noted.exists():
            raise InputError("a labelling begins with --configurations and --carbon24")
        return {name: Path(path) for name, path in json.loads(noted.read_text()).items()}


class Pause(threading.Thread):
    """Suspends all child processes while the file is there; `seconds` in which they were."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self._path, self.seconds = path, 0.0

    def run(self) -> None:
        while True:
            if self._path.exists():
                self._hold()
            time.sleep(LOOK)

    def _hold(self) -> None:
        began = time.monotonic()
        while self._path.exists():
            _signal_children(signal.SIGSTOP)
            time.sleep(LOOK)
        _signal_children(signal.SIGCONT)
        self.seconds += time.monotonic() - began

    def wait(self) -> None:
        """Return when nothing asks for a pause."""
        while self._path.exists():
            time.sleep(LOOK)


def _signal_children(number: int) -> None:
    for child in psutil.Process().children(recursive=True):
        try:
            child.send_signal(number)
        except psutil.NoSuchProcess:
            continue


def die_with_parent() -> None:
    """Linux kills this process when the one that started it is gone."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def label(frame: Frame, folder: Path) -> tuple[DftResult, int]:
    """(result, attempts) of GPAW on the canonical inputs; raises DftFailure when no attempt is left, InputError where
    the method is not that of the shipped labels."""
    task, settings = DftTask.from_text(frame.task.text()), RUN
    code, failures = GpawCode(), Counter[str]()
    while True:
        try:
            found = code.run(task, settings, folder, SilentProgress())
        except DftFailure as failed:
            following = next_try(failed.kind, failures[failed.kind], settings)
            failures[failed.kind] += 1
            if following is None:
                raise
            settings = following
            continue
        if not all(np.isfinite(values).all() for values in (found.energy, found.forces, found.stress)):
            raise DftFailure("engine", "a number is not finite")
        if found.method_sha256 != shipped_method():
            raise InputError(f"the method is not that of the shipped labels: {found.method}")
        return found, 1 + failures.total()


@cache
def shipped_method() -> str:
    """Digest of the method of the shipped labels."""
    return str(read_atoms(shipped_labels())[0].info["method"])


def record_of(frame: Frame, found: DftResult, seconds: float) -> dict[str, Any]:
    """JSON-ready. Energies eV per cell (`energy` force-consistent), forces eV/Å, stress (3, 3) eV/Å³."""
    return {
        **frame.info,
        "method": found.method_sha256,
        "kpts": list(found.k_mesh),
        "seconds": round(seconds, 1),
        "energy": found.energy,
        "energy_sigma0": found.energy_sigma0,
        "forces": found.forces.tolist(),
        "stress": found.stress.tolist(),
        "crystal": frame.crystal.to_dict(),
        "key": frame.key,
        "gap": found.gap,
        "iterations": found.iterations,
        "version": found.version,
        "notes": list(found.notes),
    }


def label_into(work: Work, frame: Frame) -> None:
    """One label or one failure, written at once; `seconds` are those of the processor."""
    folder = work.running / frame.key[:16]
    before = _child_seconds()
    try:
        found, attempts = label(frame, folder)
    except DftFailure as failed:
        why = {**frame.info, "key": frame.key, "failure": failed.kind, "message": str(failed)}
        write_whole(work.failed / f"{frame.key}.json", json.dumps(why))
        label_frames.note_dropped(work.dropped, frame, f"failed: {failed.kind}: {failed}")
        work.log(f"id {frame.id} {frame.src} failed: {failed.kind}: {failed}")
        return
    record = {**record_of(frame, found, _child_seconds() - before), "attempts": attempts}
    write_whole(work.labels / f"{frame.key}.json", json.dumps(record))
    shutil.rmtree(folder)
    work.log(
        f"id {frame.id} {frame.src} {frame.kind} {frame.crystal.n_atoms} atoms {record['kpts']} {record['seconds']} s "
        f"effort {frame.effort:.0f} {found.energy / frame.crystal.n_atoms:.3f} eV/atom "
        f"largest force {np.linalg.norm(found.forces, axis=1).max():.2f} eV/Å"
    )


def _child_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def check_settings(work: Work) -> None:
    """Label two shipped frames again; raises InputError where method or numbers differ."""
    if (work.folder / "check.json").exists():
        return
    rows = []
    for atoms in read_atoms(shipped_labels()):
        if atoms.info["id"] in CHECKED:
            frame = label_frames.frame_of(atoms)
            found, _ = label(frame, work.running / f"check-{frame.id}")
            rows.append(_differences(atoms, found))
            work.log(f"check of shipped id {frame.id}: {json.dumps(rows[-1])}")
    if len(rows) != len(CHECKED) or not all(row["same"] for row in rows):
        raise InputError(f"the settings are not those of the shipped labels: {rows}")
    write_whole(work.folder / "check.json", json.dumps(rows))


def _differences(atoms: Any, found: DftResult) -> dict[str, Any]:
    """Of the new label from the shipped one: eV per atom, eV/Å, eV/Å³."""
    energy = abs(found.energy - atoms.get_potential_energy(force_consistent=True)) / len(atoms)
    force = float(np.abs(found.forces - atoms.get_forces()).max())
    stress = float(np.abs(found.stress - atoms.get_stress(voigt=False)).max())
    method = found.method_sha256 == atoms.info["method"]
    same = bool(method and energy < SAME_ENERGY and force < SAME_FORCE and stress < SAME_STRESS)
    found_facts = {"energy": energy, "force": force, "stress": stress, "method": method, "same": same}
    return {"id": int(atoms.info["id"]), **found_facts}


def make_configurations(work: Work, inputs: dict[str, Path]) -> None:
    """The queue of configurations that nobody labelled yet; what touches the test set is noted and left out."""
    path = work.queue / "configurations.extxyz"
    if path.exists():
        return
    frames, labelled = label_frames.read(inputs["configurations"]), labelled_frames()
    carbon24 = label_frames.read_carbon24(inputs["carbon24"])
    tests = label_frames.test_crystals(frames, carbon24)
    undeformed = {f.src: f.crystal for f in frames if f.kind == "fps-min"}
    kept = []
    for frame in label_frames.unlabelled(frames, labelled):
        sources = [crystals[frame.src] for crystals in (carbon24, undeformed) if frame.src in crystals]
        reason = label_frames.refusal(frame, sources, tests)
        if reason:
            label_frames.note_dropped(work.dropped, frame, reason)
        else:
            kept.append(frame)
    label_frames.write_queue(path, label_frames.diverse_order(kept, labelled))
    work.log(f"{len(kept)} configurations are queued")


def labelled_frames() -> list[Frame]:
    """The shipped ones and those of the exported file."""
    return label_frames.read(shipped_labels()) + label_frames.read(EXPORTED)


class Queues:
    """What is to be labelled, by queue; a file that changed is read again."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._known = {frame.key for frame in labelled_frames()}
        self._read: dict[str, tuple[int, list[Frame]]] = {}

    def following(self, turn: int) -> Frame | None:
        """The cheapest of the next frames of the queue whose turn it is, or of the next queue that has any."""
        settled = self._known | self._work.settled()
        for step in range(len(TURNS)):
            frames = self._frames(TURNS[(turn + step) % len(TURNS)])
            first = list(islice((frame for frame in frames if frame.key not in settled), WINDOW))
            if first:
                return min(first, key=lambda frame: frame.effort)
        return None

    def _frames(self, name: str) -> list[Frame]:
        path = self._work.queue / f"{name}.extxyz"
        changed = path.stat().st_mtime_ns if path.exists() else 0
        if name not in self._read or self._read[name][0] != changed:
            self._read[name] = (changed, label_frames.read(path))
        return self._read[name][1]


def run(work: Work, given: argparse.Namespace) -> None:
    """Label until every queue is empty; the pool's queues are made meanwhile by a child on the same core."""
    work.folder.mkdir(parents=True, exist_ok=True)
    with _only_one(work):
        if given.core is not None:
            os.sched_setaffinity(0, {given.core})
        inputs, pause = work.inputs(given), Pause(work.pause)
        pause.start()
        pause.wait()
        check_settings(work)
        make_configurations(work, inputs)
        _label_all(work, pause, _start_pool(work, inputs))


def _label_all(work: Work, pause: Pause, pool: subprocess.Popen[bytes]) -> None:
    queues = Queues(work)
    turn = len(work.settled())
    while True:
        pause.wait()
        ended = pool.poll() is not None
        frame = queues.following(turn)
        if frame is not None:
            label_into(work, frame)
            turn += 1
        elif ended:
            work.log(f"every queue is empty; the pool's program ended with {pool.returncode}")
            return
        else:
            time.sleep(LOOK)


def _start_pool(work: Work, inputs: dict[str, Path]) -> subprocess.Popen[bytes]:
    """label_pool.py as a child; it skips what is made already."""
    program = Path(__file__).with_name("label_pool.py")
    command = [sys.executable, str(program), str(work.folder), str(inputs["configurations"]), str(inputs["carbon24"])]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with (work.folder / "pool.txt").open("ab") as log:
        return subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent
        )


class _only_one:
    """Holds a lock on the folder, with this process's number in it; raises InputError where another run has it."""

    def __init__(self, work: Work) -> None:
        self._path = work.folder / "lock"

    def __enter__(self) -> None:
        self._stream = self._path.open("a")
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(f"another run works in {self._path.parent}") from error
        self._stream.truncate(0)
        self._stream.write(str(os.getpid()))
        self._stream.flush()

    def __exit__(self, *_: object) -> None:
        self._stream.close()


def export(work: Work) -> None:
    """Write the new labels beside the shipped ones, in the same format, and read them back."""
    earlier = {label_frames.frame_of(one).key: one for one in read_atoms(EXPORTED)}
    labelled = {record["key"]: atoms_with_label(record) for record in work.records()}
    atoms = sorted((earlier | labelled).values(), key=lambda one: one.info["id"])
    _require(atoms)
    buffer = StringIO()
    write(buffer, atoms, format="extxyz")
    packed = gzip.compress(buffer.getvalue().encode(), compresslevel=9, mtime=0)
    if len(packed) >= MOST_BYTES:
        raise InputError(f"{len(packed)} bytes are too many to ship")
    write_whole(EXPORTED, packed)
    _require_same(atoms)
    groups = {str(one.info["group"]) for one in atoms}
    print(f"{len(atoms)} frames, {len(groups)} distinct crystals, {sum(map(len, atoms))} atoms, {len(packed)} bytes")


def atoms_with_label(record: dict[str, Any]) -> Any:
    """An ase.Atoms that is written as the shipped frames are."""
    info = {key: record[key] for key in ("id", "src", "group", "method", "kind")}
    info |= {"kpts": "[{} {} {}]".format(*record["kpts"]), "seconds": record["seconds"]}
    info |= {"energy_sigma0": record["energy_sigma0"]}
    atoms = atoms_of(label_frames.Crystal.from_dict(record["crystal"]), info)
    voigt = np.array(record["stress"])[(0, 1, 2, 1, 0, 0), (0, 1, 2, 2, 2, 1)]
    energy, forces = record["energy"], np.array(record["forces"])
    atoms.calc = SinglePointCalculator(atoms, energy=energy, free_energy=energy, forces=forces, stress=voigt)
    return atoms


def _require(atoms: Sequence[Any]) -> None:
    """Raise InputError for a test group, a second method or an id that is there twice or among the shipped ones."""
    shipped = read_atoms(shipped_labels())
    ids = [int(one.info["id"]) for one in (*shipped, *atoms)]
    methods = {one.info["method"] for one in (*shipped, *atoms)}
    test = label_frames.groups_of_test() & {str(one.info["group"]) for one in atoms}
    if len(set(ids)) != len(ids) or len(methods) != 1 or test:
        raise InputError(f"ids twice, or {len(methods)} methods, or groups of the test set: {sorted(test)}")


def _require_same(atoms: Sequence[Any]) -> None:
    """Raise InputError where kappakit reads other numbers from the exported file."""
    for old, new in zip(atoms, read_frames(EXPORTED), strict=True):
        found = new.evaluation
        same = abs(found.energy - old.get_potential_energy()) < 1e-9 and new.group == str(old.info["group"])
        if not (same and np.abs(found.forces - old.get_forces()).max() < 1e-7):
            raise InputError(f"id {old.info['id']} reads back as another label")


def state(work: Work) -> None:
    """Print what is done and what it took."""
    records = work.records()
    seconds = sum(record["seconds"] for record in records)
    groups = Counter(record["group"] for record in records)
    kinds = Counter(record["kind"] for record in records)
    print(f"{len(records)} labels of {len(groups)} distinct crystals, {seconds / 3600:.2f} core-hours, {dict(kinds)}")
    print(f"{len(list(work.failed.glob('*.json')))} failures; queues:", end=" ")
    settled = work.settled()
    for name in sorted(set(TURNS)):
        frames = label_frames.read(work.queue / f"{name}.extxyz")
        print(f"{name} {sum(frame.key not in settled for frame in frames)} of {len(frames)} left", end="; ")
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("run", "export", "state"))
    parser.add_argument("work", type=Path, help="folder of this labelling")
    parser.add_argument("--configurations", type=Path, help="run, at first: frames with id, src, group, kind")
    parser.add_argument("--carbon24", type=Path, help="run, at first: Carbon-24 with material_id")
    parser.add_argument("--core", type=int, help="run: number of the core to stay on")
    given = parser.parse_args()
    work = Work(given.work)
    if given.command == "run":
        run(work, given)
    elif given.command == "export":
        export(work)
    else:
        state(work)


if __name__ == "__main__":
    main()
