"""The training of a generator from files: parts, copies, what is told on the card."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kappakit.crystals import Crystal
from kappakit.engines.cdvae.crystal_file import read_crystals
from kappakit.engines.cdvae.generator import CdvaeGenerator
from kappakit.engines.doors import RealEngines
from kappakit.errors import InputError
from kappakit.matching import fits, reduced_cell
from kappakit.ports import SilentProgress, TrainingCrystal
from kappakit.reading import ReadCrystal
from kappakit.stages import train_generator
from kappakit.stages.contracts import TrainGeneratorInputs, TrainGeneratorOutputs
from kappakit.stages.table import NoSettings
from kappakit.stages.train_generator import MATCHING, grouped, kinds_of, marked
from kappakit.writing import extxyz
from tests.kappakit.small_crystals import small_crystals

OVERRIDES = {"steps": 2, "batch": 8, "validate_every": 1}


class Engines(RealEngines):
    """On a CPU, quietly."""

    progress: SilentProgress

    def __init__(self) -> None:
        super().__init__(SilentProgress())

    def notes(self) -> set[str]:
        return {note for _, _, note in self.progress.calls}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def shelf(place: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Crystal]]:
    """File name → crystals, read without a process of its own."""
    files: dict[str, list[Crystal]] = {}

    def read(asked: list[tuple[str, Path]], *_: object) -> tuple[list[ReadCrystal], list[object]]:
        ((name, _path),) = asked
        return [ReadCrystal(c, "", f"{name}#{i}") for i, c in enumerate(files[name], start=1)], []

    monkeypatch.setattr(train_generator, "read_files", read)
    files.update({"train.xyz": small_crystals(12), "test.xyz": small_crystals(3, seed=4)})
    return files


PARTS = TrainGeneratorInputs(
    "tiny", (("train", "train.xyz", ""), ("test", "test.xyz", "")), seed=0, overrides={**OVERRIDES}
)


def distinct_crystals(count: int) -> list[Crystal]:
    """No two alike: four atoms at places of no symmetry, each time of another composition."""
    frac = np.array([[0.0, 0.0, 0.0], [0.5, 0.45, 0.2], [0.1, 0.0, 0.5], [0.55, 0.6, 0.8]])
    compositions = itertools.combinations_with_replacement(("B", "C", "N", "O"), 4)
    return [Crystal.from_symbols(np.diag([2.5, 2.9, 4.2]), frac, next(compositions)) for _ in range(count)]


def supercell(crystal: Crystal) -> Crystal:
    frac = np.concatenate([crystal.frac * [0.5, 1, 1], crystal.frac * [0.5, 1, 1] + [0.5, 0, 0]])
    return Crystal(crystal.cell * [[2.0], [1.0], [1.0]], frac, np.tile(crystal.numbers, 2))


def write(path: Path, crystals: list[Crystal]) -> tuple[str, str]:
    path.write_text("".join(extxyz(c, {"name": f"{path.stem}-{i}"}) for i, c in enumerate(crystals)))
    return path.name, str(path)


def inputs(*files: tuple[str, str, str], **changes: object) -> TrainGeneratorInputs:
    return replace(TrainGeneratorInputs("tiny", files, seed=0, overrides=OVERRIDES), **changes)


def given_parts(place: Path) -> TrainGeneratorInputs:
    train = write(place / "train.xyz", small_crystals(12))
    test = write(place / "test.xyz", small_crystals(3, seed=4))
    return inputs(("train", *train), ("test", *test))


def run(asked: TrainGeneratorInputs, engines: Engines | None = None) -> TrainGeneratorOutputs:
    return train_generator.run(asked, NoSettings(), engines=engines or Engines())


def test_a_training_by_file_stores_data_set_card_and_curve(place: Path) -> None:
    outputs = run(given_parts(place))
    data = json.loads(outputs.card)["data"]
    assert (data["train"], data["validation"], data["test"], data["split"]) == (12, 0, 3, "by file")
    assert data["files"] == {"train": "train.xyz", "test": "test.xyz"}
    assert (data["distinct"], data["refused"]) == (6, {})
    assert outputs.curve.shape == (2, 11)
    assert all((place / outputs.folder / name).exists() for name in outputs.files)
    assert json.loads((place / outputs.folder / "card.json").read_text()) == json.loads(outputs.card)
    assert CdvaeGenerator(place / outputs.folder).sha256 == outputs.sha256


def test_the_stored_training_crystals_are_marked_once_a_kind(place: Path, shelf: dict[str, list[Crystal]]) -> None:
    stored = read_crystals(place / run(PARTS).folder)
    assert [c.distinct for c in stored if c.part == "train"] == [True] * 6 + [False] * 6
    assert stored[0].source == "train.xyz#1"
    assert all(c.distinct for c in stored if c.part == "test")


def test_several_files_of_one_part_are_all_on_the_card(shelf: dict[str, list[Crystal]]) -> None:
    outputs = run(inputs(("train", "train.xyz", ""), ("train", "test.xyz", "")))
    assert json.loads(outputs.card)["data"]["files"] == {"train": "train.xyz, test.xyz"}
    assert json.loads(outputs.card)["data"]["train"] == 15


def test_what_the_files_hold_besides_crystals_is_refused_and_counted(place: Path) -> None:
    close = Crystal(np.diag([2.5, 2.5, 4.0]), [[0.0, 0.0, 0.0], [0.0, 0.0, 0.01]], [6, 6])
    train = write(place / "train.xyz", [*small_crystals(9), close])
    (place / "notes.cif").write_text("no crystal at all")
    outputs = run(inputs(("train", *train), ("test", "notes.cif", str(place / "notes.cif"))))
    assert len(outputs.refusals) == 2
    assert sum(json.loads(outputs.card)["data"]["refused"].values()) == 2
    assert json.loads(outputs.card)["data"]["train"] == 9


def test_files_without_a_crystal_are_refused(shelf: dict[str, list[Crystal]]) -> None:
    shelf.update({"train.xyz": [], "test.xyz": []})
    with pytest.raises(InputError, match="no usable crystal"):
        run(PARTS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"split": "by hand"}, "no split 'by hand'; there are given and grouped"),
        ({"configuration": "huge"}, "no configuration 'huge'"),
        ({"overrides": {"depth": 3.0}}, "depth"),
    ],
)
def test_what_cannot_be_trained_is_said(
    shelf: dict[str, list[Crystal]], changes: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        run(replace(PARTS, **changes))


def test_a_grouped_split_ignores_the_parts_of_the_files_and_no_distinct_crystal_straddles_it(
    place: Path, shelf: dict[str, list[Crystal]]
) -> None:
    shelf["all.xyz"] = [c for crystal in distinct_crystals(20) for c in (supercell(crystal), crystal)]
    outputs = run(inputs(("test", "all.xyz", ""), split="grouped"))
    data = json.loads(outputs.card)["data"]
    assert (data["train"], data["validation"], data["test"]) == (24, 8, 8)
    assert (data["split"], data["distinct"]) == ("by distinct crystal", 12)
    stored = read_crystals(place / outputs.folder)
    cells = [(c.part, reduced_cell(c.crystal)) for c in stored]
    for number, (part, cell) in enumerate(cells):
        assert not any(part != other and fits(cell, known, MATCHING) for other, known in cells[number + 1 :])
    assert all(c.crystal.n_atoms == 4 for c in stored if c.distinct)


def as_given(crystals: list[Crystal], part: str = "train") -> list[TrainingCrystal]:
    return [TrainingCrystal(crystal, part, str(number)) for number, crystal in enumerate(crystals)]


def test_a_seed_draws_its_own_grouped_split() -> None:
    crystals, kinds = as_given(distinct_crystals(20)), [number // 2 for number in range(20)]
    parts = [[c.part for c in grouped(crystals, kinds, seed)] for seed in (0, 0, 1)]
    assert parts[0] == parts[1] != parts[2]
    assert [parts[0].count(part) for part in ("train", "validation", "test")] == [12, 4, 4]
    assert parts[0][::2] == parts[0][1::2]


def test_of_each_kind_in_each_part_the_smallest_cell_counts_and_the_first_among_equals() -> None:
    small, large = distinct_crystals(1)[0], supercell(distinct_crystals(1)[0])
    given = [*as_given([large, small, small]), *as_given([large, large], "test")]
    assert [c.distinct for c in marked(given, [0] * 5)] == [False, True, False, True, False]
    assert [c.distinct for c in marked(given, [0, 1, 1, 0, 2])] == [True, True, False, True, True]


def test_crystals_are_compared_once_for_all_attempts(
    shelf: dict[str, list[Crystal]], monkeypatch: pytest.MonkeyPatch
) -> None:
    engines = Engines()
    first = run(PARTS, engines)
    assert {"crystals reduced to primitive cells", "crystals compared"} <= engines.notes()
    monkeypatch.setattr(train_generator, "group", lambda *_: pytest.fail("compared again"))
    resumed, again = Engines(), replace(PARTS, overrides={**OVERRIDES, "steps": 3})
    outputs = run(again, resumed)
    assert "crystals compared" not in resumed.notes()
    assert json.loads(outputs.card)["data"]["distinct"] == json.loads(first.card)["data"]["distinct"] == 6


@pytest.mark.parametrize("damage", ["", "[]", '{"digest": "other", "kinds": [7, 7, 7]}', '{"kinds": [1]}'])
def test_crystals_are_compared_anew_where_the_memory_of_it_is_damaged_or_of_others(place: Path, damage: str) -> None:
    (place / "checkpoint").mkdir()
    (place / "checkpoint" / "kinds.json").write_text(damage)
    crystals = small_crystals(6, compounds=False)
    assert kinds_of(crystals, Engines()) == [0, 1, 2, 0, 1, 2]
    assert kinds_of(crystals[1:], Engines()) == [0, 1, 2, 0, 1]


def test_a_large_data_set_is_not_compared_and_says_so(
    place: Path, shelf: dict[str, list[Crystal]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_generator, "MOST_COMPARED", 10)
    monkeypatch.setattr(train_generator, "group", lambda *_: pytest.fail("compared"))
    outputs = run(PARTS)
    data = json.loads(outputs.card)["data"]
    assert data["note"] == "copies are not looked for among more than 10 training crystals"
    assert "distinct" not in data
    assert all(c.distinct for c in read_crystals(place / outputs.folder))


def test_progress_is_told_of_every_hundredth_crystal_and_the_last(place: Path) -> None:
    engines = Engines()
    kinds_of(small_crystals(1) * 205, engines)
    told = [(done, total) for done, total, note in engines.progress.calls if note == "crystals compared"]
    assert told == [(100, 205), (200, 205), (205, 205)]
