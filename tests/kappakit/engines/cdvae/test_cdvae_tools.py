"""The command line of the latent space, and the gradient search behind it."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from ase.io import read

from kappakit.engines.cdvae import tools
from kappakit.engines.cdvae.bank import Bank
from kappakit.engines.cdvae.climbing import Surrogate, climb, simplicity
from kappakit.engines.cdvae.generator import CdvaeGenerator
from kappakit.reading import ReadCrystal, ReadRefusal
from tests.kappakit.small_crystals import small_crystals

CRYSTALS = small_crystals(2, compounds=False)
LATENT = 6


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


def test_a_search_compares_itself_with_plain_sampling(
    tiny_folder: Path, shelf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tiny_folder, "search", "--count", 4, "--steps", 20, "--output", shelf / "made.xyz")
    printed = capsys.readouterr().out
    lines = [line for line in printed.splitlines() if "search " in line]
    assert [line.split("  ")[0] for line in lines] == ["without search", "with search"]
    predicted = [float(line.split("search")[1].split()[0]) for line in lines]
    assert predicted[1] > predicted[0]
    assert len(read(shelf / "made.xyz", ":")) == 4


def plain_bank(size: int = 200) -> Bank:
    """Simplicity grows along the first axis of the latent space."""
    means = np.random.default_rng(0).normal(size=(size, LATENT))
    operations = np.where(means[:, 0] > 0.5, 48, np.where(means[:, 0] > -0.5, 8, 1))
    return Bank(means, np.full_like(means, 0.1), np.full(size, 2), operations)


def test_simplicity_doubles_with_operations_and_halves_with_atoms() -> None:
    assert simplicity(np.array([1, 2, 4]), np.array([48, 48, 1])) == pytest.approx([5.585, 4.585, -2.0], abs=1e-3)


def test_the_surrogate_learns_what_the_bank_knows() -> None:
    bank = plain_bank()
    other = np.random.default_rng(1).normal(size=(200, LATENT))
    predicted = Surrogate(bank, 0)(torch.tensor(other, dtype=torch.float32)).numpy()
    known = np.where(other[:, 0] > 0.5, np.log2(24), np.where(other[:, 0] > -0.5, 2.0, -1.0))
    assert np.corrcoef(predicted, known)[0, 1] > 0.85


def test_equal_crystals_make_a_surrogate_that_knows_one_number() -> None:
    bank = Bank(np.ones((9, LATENT)), np.ones((9, LATENT)), np.full(9, 2), np.full(9, 48))
    assert float(Surrogate(bank, 0)(torch.ones(1, LATENT, dtype=torch.float32))) == pytest.approx(np.log2(24), abs=1e-3)


def test_a_climb_raises_what_is_predicted_and_the_penalty_holds_it_back() -> None:
    surrogate, start = Surrogate(plain_bank(), 0), np.random.default_rng(2).normal(size=(20, LATENT))
    free, held = (climb(surrogate, start, steps=100, rate=0.05, penalty=weight) for weight in (0.0, 50.0))

    def predicted(z: np.ndarray) -> float:
        return float(surrogate(torch.tensor(z, dtype=torch.float32)).mean())

    assert predicted(free) > predicted(start) + 0.5
    assert np.abs(free - start).mean() > np.abs(held - start).mean()
    np.testing.assert_array_equal(climb(surrogate, start, steps=0, rate=0.05, penalty=1.0), start.astype(np.float32))


def test_the_penalty_is_the_log_density_of_the_posteriors_a_dimension() -> None:
    bank, z = plain_bank(20), np.random.default_rng(3).normal(size=(5, LATENT))
    squares = (((z[:, None] - bank.means) / bank.widths) ** 2).sum(-1)
    density = np.exp(-0.5 * squares).sum(1) / np.prod(bank.widths[0])
    found = Surrogate(bank, 0).penalty(torch.tensor(z, dtype=torch.float32)).numpy()
    np.testing.assert_allclose(found, -np.log(density) / LATENT, rtol=1e-3)


def test_a_climb_of_one_does_not_see_the_others() -> None:
    surrogate, start = Surrogate(plain_bank(), 0), np.random.default_rng(2).normal(size=(5, LATENT))
    together = climb(surrogate, start, steps=30, rate=0.05, penalty=1.0)
    alone = climb(surrogate, start[2:3], steps=30, rate=0.05, penalty=1.0)
    np.testing.assert_allclose(together[2:3], alone, atol=1e-4)
