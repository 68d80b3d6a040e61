"""The command line of the latent space."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase.io import read

from kappakit.engines.cdvae import tools
from kappakit.engines.cdvae.generator import CdvaeGenerator
from kappakit.reading import ReadCrystal, ReadRefusal
from tests.kappakit.small_crystals import small_crystals

CRYSTALS = small_crystals(2, compounds=False)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder; a file named after a number holds so many crystals and something else, read without a process."""

    def take(files: list[tuple[str, Path]]) -> tuple[list[ReadCrystal], list[ReadRefusal]]:
        found = [
            ReadCrystal(crystal, f"label {i}", f"{name}#{i + 1}")
            for name, path in files
            for i, crystal in enumerate(CRYSTALS[: int(path.stem)])
        ]
        return found, [ReadRefusal("notes", "no-crystal", "it holds no crystal")]

    monkeypatch.setattr(tools, "read_files", take)
    monkeypatch.setattr(tools, "WIDE", replace(tools.WIDE, max_atoms=4, tries=1))
    return tmp_path


def run(folder: Path, *arguments: object) -> None:
    tools.main([str(folder), "--device", "cpu", *map(str, arguments)])


def test_encoding_writes_one_row_a_crystal(tiny_folder: Path, shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tiny_folder, "encode", "2.xyz", "--output", shelf / "z.csv")
    with (shelf / "z.csv").open() as table:
        header, *rows = list(csv.reader(table))
    assert header == ["source", "label", *(f"z{i}" for i in range(16))]
    assert [row[:2] for row in rows] == [["2.xyz#1", "label 0"], ["2.xyz#2", "label 1"]]
    means, _ = CdvaeGenerator(tiny_folder, device="cpu").encode(CRYSTALS)
    np.testing.assert_allclose([list(map(float, row[2:])) for row in rows], means, rtol=1e-6)
    assert "it holds no crystal" in capsys.readouterr().err


@pytest.mark.parametrize(("command", "file"), [("around", "1.xyz"), ("between", "2.xyz")])
def test_crystals_about_one_and_between_two_are_those_of_the_generator(
    tiny_folder: Path, shelf: Path, command: str, file: str
) -> None:
    run(tiny_folder, command, file, "--count", 3, "--seed", 4, "--output", shelf / "made.xyz")
    frames = read(shelf / "made.xyz", ":")
    assert [frame.info["name"] for frame in frames] == ["generated-0", "generated-1", "generated-2"]
    centres = CRYSTALS[: int(file[0])]
    expected = CdvaeGenerator(tiny_folder, device="cpu").generate(
        seed=4, start=0, count=3, settings=replace(tools.WIDE, count=3), centres=centres, progress=lambda *_: None
    )
    np.testing.assert_allclose([f.cell.array for f in frames], [m.crystal.cell for m in expected], atol=1e-6)


@pytest.mark.parametrize(("command", "file"), [("around", "2.xyz"), ("between", "1.xyz")])
def test_another_number_of_crystals_than_asked_for_is_said(
    tiny_folder: Path, shelf: Path, command: str, file: str
) -> None:
    with pytest.raises(SystemExit, match=f"'{command}' takes . crystal"):
        run(tiny_folder, command, file)


def test_a_folder_without_a_generator_is_said(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="holds no readable generator"):
        run(tmp_path, "encode", "1.xyz")
