"""Start set: labelled configurations to begin with, and the fixed test set on which no iteration trains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kappakit.committee import drawn_groups, most_frequent
from kappakit.descriptors import species_of
from kappakit.labels import read_frames, read_geometries, write_frames
from kappakit.ports import Engines, LabelledCrystal
from kappakit.protocol import CommitteeSettings
from kappakit.relaxation import trust_soap
from kappakit.sampling import farthest_points, most_central
from kappakit.stages.contracts import StartSetInputs, StartSetOutputs

START, TEST = "start.extxyz", "test.extxyz"


def run(inputs: StartSetInputs, settings: CommitteeSettings, *, engines: Engines) -> StartSetOutputs:
    """A test set of whole distinct crystals, and of the other frames the most diverse by farthest points on SOAP.

    The test set stands on one zero: of its crystals only frames of the most frequent method are in it. Raises
    InputError for an unreadable file and for fewer than two distinct crystals.
    """
    frames = _frames(inputs, engines)
    drawn = drawn_groups([f.group for f in frames], share=settings.test_fraction, seed=inputs.seed)
    main = most_frequent([f.method for f in frames])
    test = [f for f in frames if f.group in drawn and f.method == main]
    pool = [f for f in frames if f.group not in drawn]
    start = _diverse(pool, settings.start_count)
    write_frames(Path(START), start)
    write_frames(Path(TEST), test)
    engines.progress(len(frames), len(frames), f"{len(start)} frames to start with, {len(test)} for the test")
    return StartSetOutputs(
        start=START,
        test=TEST,
        start_frames=len(start),
        test_frames=len(test),
        start_groups=_groups(start),
        test_groups=_groups(test),
        methods=dict(sorted(Counter(f.method for f in [*start, *test]).items())),
        notes=tuple(_notes(frames, drawn, main, len(pool), settings)),
    )


def _frames(inputs: StartSetInputs, engines: Engines) -> list[LabelledCrystal]:
    path = Path(inputs.file)
    if inputs.oracle is None:
        return [replace(f, method=f.method or inputs.method) for f in read_frames(path)]
    read = read_geometries(path)
    labels = engines.potential(inputs.oracle).evaluate([crystal for crystal, _, _ in read])
    return [
        LabelledCrystal(crystal, label, group, kind, inputs.method)
        for (crystal, group, kind), label in zip(read, labels, strict=True)
    ]


def _diverse(pool: list[LabelledCrystal], count: int) -> list[LabelledCrystal]:
    """The `count` most diverse frames in the file's order; 0, or more than there are: all."""
    if not count or count >= len(pool):
        return pool
    crystals = [f.crystal for f in pool]
    vectors = trust_soap(crystals, species_of(crystals))
    picks = farthest_points(vectors, count, most_central(vectors))
    return [pool[index] for index in sorted(index for index, _ in picks)]


def _groups(frames: Sequence[LabelledCrystal]) -> tuple[str, ...]:
    return tuple(sorted({f.group for f in frames}))


def _notes(
    frames: Sequence[LabelledCrystal], drawn: frozenset[str], main: str, pool: int, settings: CommitteeSettings
) -> list[str]:
    notes = []
    if settings.start_count > pool:
        notes.append(f"start set reduced from {settings.start_count} to {pool} frames: no more are labelled")
    others = sum(f.group in drawn and f.method != main for f in frames)
    if others:
        notes.append(f"{others} frames of the test crystals left out: another method than the most frequent one's")
    return notes
