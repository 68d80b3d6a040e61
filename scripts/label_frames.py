"""Frames that are to be labelled: what one is, which crystals are the test set's, the queue of known configurations."""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Any

from ase.io import iread, write

from kappakit.crystals import Crystal
from kappakit.dft import LABEL, DftTask, effort, inputs_sha256
from kappakit.labels import shipped_labels
from kappakit.matching import ReducedCell, Tolerances, match_either_way, reduced_cell
from kappakit.protocol import LAPTOP_DFT
from kappakit.writing import atoms_of, crystal_of

CARD = Path(__file__).resolve().parents[1] / "models" / "carbon-laptop" / "card.json"
EXPORTED = shipped_labels().with_name("carbon_dft_more.extxyz.gz")
TOLERANCES = Tolerances()
"""StructureMatcher's ltol 0.2, stol 0.3, angle_tol 5; cells are scaled to equal volume per atom."""
KEYS = ("id", "src", "group", "kind")
UNDEFORMED = ("fps-min", "ref")
"""Kinds of the shipped configurations that are their source crystal, or that crystal slightly strained."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A configuration with its origin. `src`: the crystal that it was made of; `group`: distinct crystal."""

    id: int
    src: str
    group: str
    kind: str
    crystal: Crystal

    @property
    def task(self) -> DftTask:
        """The calculation, with the settings of the shipped labels."""
        return DftTask(LABEL, self.crystal, LAPTOP_DFT)

    @cached_property
    def key(self) -> str:
        """sha256 of the canonical inputs; the same after the frame was written and read."""
        return inputs_sha256(self.task.text())

    @cached_property
    def effort(self) -> float:
        """kappakit.dft.effort, without unit: about 1,700 a second of one core."""
        return effort(self.task)

    @property
    def info(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in KEYS}


def read_atoms(path: Path) -> list[Any]:
    """ase.Atoms of an extended XYZ file, packed or not; a file that is not there holds none."""
    if not path.exists():
        return []
    text = gzip.decompress(path.read_bytes()).decode() if path.name.endswith(".gz") else path.read_text()
    return list(iread(StringIO(text), index=":", format="extxyz")) if text else []


def frame_of(atoms: Any) -> Frame:
    """The frame of an ase.Atoms with the keys of KEYS in its info."""
    info = atoms.info
    return Frame(int(info["id"]), str(info["src"]), str(info["group"]), str(info["kind"]), crystal_of(atoms))


def read(path: Path) -> list[Frame]:
    """Frames of a file, their labels ignored."""
    return [frame_of(atoms) for atoms in read_atoms(path)]


def write_queue(path: Path, frames: Sequence[Frame]) -> None:
    """Whole or not at all. Positions get 8 decimals (Å), so a frame's `key` is that of the file read back."""
    buffer = StringIO()
    for frame in frames:
        write(buffer, atoms_of(frame.crystal, frame.info), format="extxyz")
    write_whole(path, buffer.getvalue())


def write_whole(path: Path, content: str | bytes) -> None:
    """Write beside `path`, then rename: a reader finds the old content or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(content.encode() if isinstance(content, str) else content)
    os.replace(part, path)


def groups_of_test() -> frozenset[str]:
    """Groups of the shipped potential's test set, by its card."""
    return frozenset(json.loads(CARD.read_text())["split"]["test"]["groups"])


def source_crystals(frames: Iterable[Frame], carbon24: dict[str, Crystal]) -> dict[str, list[tuple[str, Crystal]]]:
    """Group → its source crystals with names: cells of Carbon-24 by `src`, and undeformed configurations."""
    found: dict[str, dict[str, Crystal]] = defaultdict(dict)
    for frame in frames:
        if frame.src in carbon24:
            found[frame.group][frame.src] = carbon24[frame.src]
        if frame.kind in UNDEFORMED:
            found[frame.group][f"{frame.src}, configuration {frame.id}"] = frame.crystal
    return {group: list(named.items()) for group, named in found.items()}


def read_carbon24(path: Path) -> dict[str, Crystal]:
    """material_id → cell, relaxed at 10 GPa."""
    return {str(atoms.info["material_id"]): crystal_of(atoms) for atoms in read_atoms(path)}


class KnownCrystals:
    """Named crystals that others are compared with, by StructureMatcher in both directions."""

    def __init__(self, named: Iterable[tuple[str, Crystal]] = ()) -> None:
        self._cells: list[tuple[str, ReducedCell]] = []
        for name, crystal in named:
            self.add(name, crystal)

    def add(self, name: str, crystal: Crystal) -> None:
        self._cells.append((name, reduced_cell(crystal)))

    def match(self, cell: ReducedCell) -> str | None:
        """The name of the first that matches in either direction, else None."""
        matching = (name for name, known in self._cells if match_either_way(known, cell, TOLERANCES) is not None)
        return next(matching, None)


def test_crystals(frames: Sequence[Frame], carbon24: dict[str, Crystal]) -> KnownCrystals:
    """The source crystals of the test groups: nothing that matches one of them may be labelled."""
    test = groups_of_test()
    sources = source_crystals((frame for frame in frames if frame.group in test), carbon24)
    return KnownCrystals((f"test group {group}: {name}", c) for group, named in sources.items() for name, c in named)


def refusal(frame: Frame, sources: Sequence[Crystal], tests: KnownCrystals) -> str:
    """Why a frame may not be labelled, "" where it may: its group, its sources and itself against the test set."""
    if frame.group in groups_of_test():
        return f"test group {frame.group}"
    for crystal in (*sources, frame.crystal):
        if name := tests.match(reduced_cell(crystal)):
            return f"matches {name}"
    return ""


def note_dropped(path: Path, frame: Frame, reason: str) -> None:
    """Append a line of JSON to the list of what is not labelled."""
    with path.open("a") as lines:
        lines.write(json.dumps({**frame.info, "key": frame.key, "reason": reason}) + "\n")


def unlabelled(frames: Sequence[Frame], labelled: Sequence[Frame]) -> list[Frame]:
    """Those whose id and inputs are not among the labelled ones."""
    ids, keys = {frame.id for frame in labelled}, {frame.key for frame in labelled}
    return [frame for frame in frames if frame.id not in ids and frame.key not in keys]


def diverse_order(frames: Sequence[Frame], labelled: Sequence[Frame]) -> list[Frame]:
    """One of each distinct crystal, then a second one of each, …; in a round those with fewest labels and atoms first.

    Within a crystal kinds alternate, rattled before undeformed, small cells first.
    """
    counts = Counter(frame.group for frame in labelled)
    rounds: dict[tuple[int, Frame], tuple[int, int, int, int]] = {}
    for group in sorted({frame.group for frame in frames}):
        own = [frame for frame in frames if frame.group == group]
        for turn, frame in enumerate(_alternating(own)):
            rounds[turn, frame] = (turn, counts[group], frame.crystal.n_atoms, frame.id)
    return [frame for _, frame in sorted(rounds, key=lambda item: rounds[item])]


def _alternating(frames: Sequence[Frame]) -> list[Frame]:
    kinds = ("fps", "hot", "fps-min", "supercell", "ref")
    small_first = sorted(frames, key=lambda frame: (frame.crystal.n_atoms, frame.id))
    rows = {kind: [frame for frame in small_first if frame.kind == kind] for kind in kinds}
    longest = max(map(len, rows.values()), default=0)
    return [rows[kind][i] for i in range(longest) for kind in kinds if i < len(rows[kind])]
