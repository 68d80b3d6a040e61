"""`python label_pool.py WORK CONFIGURATIONS CARBON24`: the queues of new crystals; label_carbon.py starts it.

conductors: strained cells and small supercells of crystals that conduct heat well. pool: the screened crystals of
Carbon-24, relaxed by the shipped potential, that are neither known nor the test set's, those first about whose forces
a committee of small potentials disagrees most. Each step is kept in WORK/pool and not repeated.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import label_frames
import numpy as np
import torch
from label_frames import Frame, KnownCrystals, write_whole

from kappakit.committee import force_spread, left_out
from kappakit.crystals import Crystal
from kappakit.engines.allegro.committee import AllegroCommittee
from kappakit.engines.allegro.potential import AllegroPotential
from kappakit.engines.allegro.trainer import AllegroTrainer
from kappakit.errors import InputError, Rejected
from kappakit.labels import read_frames, shipped_labels
from kappakit.matching import group, reduced_cell, reduced_cells
from kappakit.ports import LabelledCrystal, SilentProgress
from kappakit.protocol import RelaxSettings, ScreenSettings
from kappakit.rattles import rattled, repeated, smallest_supercell
from kappakit.reference import reference_crystals
from kappakit.relaxation import require_trust
from kappakit.symmetry import Symmetry, find_symmetry

FIRST_ID, FIRST_GROUP = 10_000, 1000
"""Of new frames and of new distinct crystals, above all shipped ones."""
BATCH = 32
"""Crystals relaxed together."""
BLOCK = 40
"""Crystals of the pool of which all frames are labelled before those of the next ones."""
MEMBERS, LEFT_OUT = 3, 0.2
"""Of the committee; the share of the crystals that each member does not see."""
POOL_RATTLES = ((0.05, 0.01), (0.10, 0.025))
CONDUCTOR_RATTLES = ((0.03, 0.01), (0.06, 0.02))
"""Standard deviations of a coordinate (Å) and of a strain component."""
ISOTROPIC = (-0.02, 0.02)
"""Strains of a conductor's cell."""
MOST_EFFORT = 110_000.0
"""Of a frame of the pool, as kappakit.dft.effort: about a minute of one core."""
SHORTER = 1e-6
"""Å: a length that every cell has, so that the smallest supercell is the reduced cell itself."""
MOST_ATOMS = 16
"""Of a conductor's supercell."""
CONDUCTORS = ("diamond", "lonsdaleite", "bct-C4", "diamond-4H", "diamond-6H", "diamond-9R", "diamond-12R", "diamond-5T")
CONDUCTORS += ("Z-carbon",)


@dataclass(frozen=True, eq=False)
class Relaxed:
    """A crystal relaxed by the shipped potential; `energy` in eV per atom."""

    src: str
    crystal: Crystal
    energy: float
    converged: bool

    def to_dict(self) -> dict[str, Any]:
        return {"src": self.src, "crystal": self.crystal.to_dict(), "energy": self.energy, "converged": self.converged}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Relaxed:
        return cls(data["src"], Crystal.from_dict(data["crystal"]), data["energy"], data["converged"])


class Pool:
    """Makes both queues, step by step."""

    def __init__(self, work: Path, configurations: Path, carbon24: Path) -> None:
        self.work, self.folder = work, work / "pool"
        self.configurations, self.cells = label_frames.read(configurations), label_frames.read_carbon24(carbon24)
        self.labelled = label_frames.read(shipped_labels()) + label_frames.read(label_frames.EXPORTED)

    def make(self) -> None:
        """Both queues, unless they are there."""
        for name, frames in (("conductors", self.conductors), ("pool", self.pool)):
            path = self.work / "queue" / f"{name}.extxyz"
            if not path.exists():
                label_frames.write_queue(path, self._allowed(frames()))
                tell(f"the queue {name} is made")

    def conductors(self) -> list[Frame]:
        """Deformed cells and supercells, one of each crystal, then a second one of each, …"""
        references = reference_crystals(frozenset({"C"}))
        rows = self._relax("conductors", {f"ref-{name}": references[name].crystal for name in CONDUCTORS})
        numbers = Numbers(self._frames())
        known = self._known
        groups = {row.src: known.match(reduced_cell(row.crystal)) or numbers.group() for row in rows}
        shapes = [(row.src, list(of_a_conductor(row))) for row in rows]
        return [
            Frame(numbers.id(), src, groups[src], *made[turn])
            for turn in range(max(len(made) for _, made in shapes))
            for src, made in shapes
            if turn < len(made)
        ]

    def pool(self) -> list[Frame]:
        """Frames of the new crystals, in blocks of those that the committee disagrees about most."""
        rows = self._distinct()
        committee = AllegroCommittee([self._member(index) for index in range(MEMBERS)])
        made = [self._affordable(row) for row in rows]
        scores = []
        for done, frames in enumerate(made, start=1):
            found = committee.evaluate([crystal for _, crystal in frames])
            scores.append(max((force_spread(one.forces, 1) for one in found), default=0.0))
            tell_some(done, len(made), "crystals evaluated by the committee")
        order = sorted(range(len(rows)), key=lambda index: (-scores[index], rows[index].src))
        lines = [{"src": rows[i].src, "atoms": rows[i].crystal.n_atoms, "spread": scores[i]} for i in order]
        write_whole(self.folder / "spread.json", json.dumps(lines, indent=1))
        numbers = Numbers(self._frames())
        groups = {index: numbers.group() for index in order}
        return [Frame(numbers.id(), rows[i].src, groups[i], *frame) for i, frame in in_blocks(order, made)]

    def _frames(self) -> list[Frame]:
        """All that have an id already."""
        queued = [frame for path in sorted(self.work.glob("queue/*.extxyz")) for frame in label_frames.read(path)]
        return [*self.configurations, *self.labelled, *queued]

    def _allowed(self, frames: Sequence[Frame]) -> list[Frame]:
        """Those that do not touch the test set, neither they nor their sources; the others are noted."""
        kept = []
        for frame in frames:
            sources = [self.cells[frame.src]] if frame.src in self.cells else []
            if reason := label_frames.refusal(frame, sources, self._tests):
                label_frames.note_dropped(self.work / "dropped.jsonl", frame, reason)
            else:
                kept.append(frame)
        return kept

    @cached_property
    def _known(self) -> KnownCrystals:
        """Sources of all groups that have labels, the test set's too, by their group."""
        sources = label_frames.source_crystals([*self.configurations, *self.labelled], self.cells)
        return KnownCrystals((name, crystal) for name, named in sources.items() for _, crystal in named)

    @cached_property
    def _tests(self) -> KnownCrystals:
        """The test set's sources as they are, and relaxed by the shipped potential."""
        test = label_frames.groups_of_test()
        sources = label_frames.source_crystals((f for f in self.configurations if f.group in test), self.cells)
        named = {f"test group {g}: {name}": crystal for g, found in sources.items() for name, crystal in found}
        relaxed = {f"{row.src}, relaxed": row.crystal for row in self._relax("tests", named)}
        return KnownCrystals([*named.items(), *relaxed.items()])

    def _distinct(self) -> list[Relaxed]:
        """New crystals: relaxed, trusted, screened, deduplicated, in their primitive cells; kept in a file."""
        return self._kept("distinct", self._find_distinct)

    def _find_distinct(self) -> list[Relaxed]:
        rows = self._relax("pool", {src: self.cells[src] for src in self._screened()})
        settled = sorted(filter(None, map(self._settled, rows)), key=lambda r: (r.energy, r.crystal.digest, r.src))
        cells = reduced_cells([row.crystal for row in settled])
        first = [settled[members[0]] for members in group(cells, label_frames.TOLERANCES)]
        tell(f"{len(first)} distinct crystals of {len(settled)} relaxed ones")
        new = [row for row in first if self._known.match(reduced_cell(row.crystal)) is None]
        tell(f"{len(new)} of them are not among those with labels")
        return new

    def _settled(self, row: Relaxed) -> Relaxed | None:
        """In its primitive cell; None for what is not relaxed, not trusted or not simple, which is noted."""
        if not row.converged:
            return self._leave(row, "not relaxed")
        try:
            require_trust(row.crystal, self._potential.trust, None)
            found = screened(row.crystal)
        except Rejected as refused:
            return self._leave(row, str(refused))
        return replace(row, crystal=found.primitive) if found else self._leave(row, "not simple after relaxation")

    def _affordable(self, row: Relaxed) -> list[tuple[str, Crystal]]:
        """Frames of a crystal that take about a minute of a core or less; the others are noted."""
        frames = list(of_a_pool_crystal(row))
        cheap = [(kind, crystal) for kind, crystal in frames if Frame(0, "", "0", kind, crystal).effort <= MOST_EFFORT]
        if len(cheap) < len(frames) or not frames:
            self._leave(row, f"{len(frames) - len(cheap)} of {len(frames)} frames would take too long")
        return cheap

    def _leave(self, row: Relaxed, reason: str) -> None:
        with (self.work / "dropped.jsonl").open("a") as lines:
            lines.write(json.dumps({"src": row.src, "kind": "pool", "reason": reason}) + "\n")

    def _screened(self) -> list[str]:
        """Cells of Carbon-24 that pass the screen, one of each distinct one, without the known ones; kept in a file."""
        path = self.folder / "screened.json"
        if not path.exists():
            names: list[str] = []
            for done, (src, cell) in enumerate(self.cells.items(), start=1):
                names += [src] if simple(cell) else []
                tell_some(done, len(self.cells), "cells screened")
            cells = reduced_cells([self.cells[src] for src in names])
            firsts = [members[0] for members in group(cells, label_frames.TOLERANCES)]
            tell(f"{len(firsts)} distinct cells of {len(names)} simple ones")
            new = [names[i] for i in firsts if self._known.match(cells[i]) is None]
            tell(f"{len(new)} of them are not among those with labels")
            write_whole(path, json.dumps(new))
        found: list[str] = json.loads(path.read_text())
        return found

    @cached_property
    def _potential(self) -> AllegroPotential:
        """The shipped one, compiled at its first use."""
        return AllegroPotential(label_frames.CARD.parent)

    def _relax(self, name: str, crystals: dict[str, Crystal]) -> list[Relaxed]:
        """All relaxed with kappakit's settings, in batches of equal sizes that are kept in files."""
        order = sorted(crystals, key=lambda src: (crystals[src].n_atoms, src))
        return [
            row
            for start in range(0, len(order), BATCH)
            for row in self._kept(
                f"{name}-{start:05d}", lambda part=order[start : start + BATCH]: self._relaxed(part, crystals)
            )
        ]

    def _relaxed(self, names: Sequence[str], crystals: dict[str, Crystal]) -> list[Relaxed]:
        ends = self._potential.relax([crystals[name] for name in names], RelaxSettings(), SilentProgress())
        steps = max(end.steps for end in ends)
        tell(f"{len(names)} crystals of up to {crystals[names[-1]].n_atoms} atoms relaxed in {steps} steps")
        return [
            Relaxed(name, end.crystal, end.evaluation.energy / end.crystal.n_atoms, bool(end.converged))
            for name, end in zip(names, ends, strict=True)
        ]

    def _kept(self, name: str, make: Callable[[], list[Relaxed]]) -> list[Relaxed]:
        path = self.folder / f"{name}.json"
        if not path.exists():
            write_whole(path, json.dumps([row.to_dict() for row in make()]))
        return [Relaxed.from_dict(data) for data in json.loads(path.read_text())]

    def _member(self, index: int) -> AllegroPotential:
        """A member of the committee, trained without its part of the crystals and without the test set."""
        folder = self.folder / f"member-{index}"
        if not (folder / "card.json").exists():
            frames = self._training_frames()
            without = left_out([f.group for f in frames], size=MEMBERS, share=LEFT_OUT, seed=0)[index]
            AllegroTrainer().train(
                frames,
                configuration="carbon-tiny",
                overrides={},
                seed=index,
                always_train=(),
                folder=folder,
                progress=SilentProgress(),
                held_out=without,
            )
            tell(f"member {index} is trained")
        return AllegroPotential(folder, precision="float64", compile_model=False)

    def _training_frames(self) -> list[LabelledCrystal]:
        paths = [path for path in (shipped_labels(), label_frames.EXPORTED) if path.exists()]
        test = label_frames.groups_of_test()
        return [frame for path in paths for frame in read_frames(path) if frame.group not in test]


class Numbers:
    """Ids and groups that no frame has."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        frames = list(frames)
        self._id = max(FIRST_ID, 1 + max(frame.id for frame in frames))
        self._group = max(FIRST_GROUP, 1 + max(int(frame.group) for frame in frames))

    def id(self) -> int:
        self._id += 1
        return self._id - 1

    def group(self) -> str:
        self._group += 1
        return str(self._group - 1)


def screened(crystal: Crystal) -> Symmetry | None:
    """Its symmetry where the protocol's screen lets it pass; raises Rejected where spglib finds none."""
    rule = ScreenSettings()
    found = find_symmetry(crystal, symprec=rule.symprec, angle_tolerance=rule.angle_tolerance)
    passes = found.primitive.n_atoms <= rule.max_atoms and found.operations >= rule.min_operations
    return found if passes else None


def simple(crystal: Crystal) -> bool:
    """Whether the screen lets it pass."""
    try:
        return screened(crystal) is not None
    except Rejected:
        return False


def of_a_conductor(row: Relaxed) -> Iterator[tuple[str, Crystal]]:
    """(kind, crystal): rattled supercells, strained and rattled primitive cells, two volumes."""
    supercell = largest_supercell(row.crystal, MOST_ATOMS)
    for turn, (amplitude, strain) in enumerate(CONDUCTOR_RATTLES):
        if supercell.n_atoms > row.crystal.n_atoms:
            yield "supercell", deformed(supercell, amplitude, strain, seed_of(row.src, turn))
        yield "ref", deformed(row.crystal, amplitude, strain, seed_of(row.src, 100 + turn))
    for strain in ISOTROPIC:
        yield "ref", Crystal(row.crystal.cell * (1.0 + strain), row.crystal.frac, row.crystal.numbers)


def of_a_pool_crystal(row: Relaxed) -> Iterator[tuple[str, Crystal]]:
    """(kind, crystal): rattled and strained a little, undeformed, rattled and strained more in a supercell."""
    small, large = POOL_RATTLES
    cell, supercell = reduced(row.crystal), largest_supercell(row.crystal, ScreenSettings().max_atoms)
    shapes = ((cell, *small, 0), (supercell, *large, 1))
    try:
        near, far = (deformed(crystal, *amounts, seed_of(row.src, turn)) for crystal, *amounts, turn in shapes)
    except InputError:
        return
    yield from (("committee", near), ("committee-min", cell), ("committee", far))


def in_blocks(order: Sequence[int], made: Sequence[list[Any]]) -> Iterator[tuple[int, Any]]:
    """(index, frame): of BLOCK crystals the first frame of each, then the second of each, …; then the next block."""
    for start in range(0, len(order), BLOCK):
        block = order[start : start + BLOCK]
        for turn in range(max(len(made[index]) for index in block)):
            yield from ((index, made[index][turn]) for index in block if turn < len(made[index]))


def largest_supercell(primitive: Crystal, most: int) -> Crystal:
    """The diagonal supercell of the reduced cell, of at most `most` atoms, whose shortest vector is longest."""
    cell = reduced(primitive)
    times = range(1, 1 + most // primitive.n_atoms)
    fitting = [n for n in product(times, repeat=3) if primitive.n_atoms * prod(n) <= most] or [(1, 1, 1)]
    return repeated(cell, max(fitting, key=lambda n: (round(min(cell.lengths * n), 6), -prod(n))))


def reduced(crystal: Crystal) -> Crystal:
    """In its Minkowski-reduced cell, in which GPAW computes."""
    return smallest_supercell(crystal, SHORTER).crystal


def deformed(crystal: Crystal, amplitude: float, strain: float, seed: int) -> Crystal:
    """Strained by a random symmetric tensor with components of deviation `strain`, rattled by `amplitude` (Å)."""
    tensor = np.random.default_rng([seed, 0]).normal(0.0, strain, (3, 3))
    cell = crystal.cell @ (np.eye(3) + 0.5 * (tensor + tensor.T))
    (copy,) = rattled(Crystal(cell, crystal.frac, crystal.numbers), count=1, amplitude=amplitude, seed=seed)
    return copy


def seed_of(src: str, turn: int) -> int:
    """32 bits that depend on the source's name and a number only."""
    return int(hashlib.sha256(f"{src} {turn}".encode()).hexdigest()[:8], 16)


def tell(line: str) -> None:
    print(datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"), line, flush=True)


def tell_some(done: int, total: int, note: str) -> None:
    if done % 500 == 0 or done == total:
        tell(f"{done} of {total} {note}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    Pool(*(Path(argument) for argument in sys.argv[1:4])).make()
