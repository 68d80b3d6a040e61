"""Training: learns, resumes exactly, gives way where memory is short, and says what it cannot do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from kappakit.crystals import Crystal
from kappakit.engines.cdvae import checkpoint, training
from kappakit.engines.cdvae.bank import Bank
from kappakit.engines.cdvae.batches import niggli
from kappakit.engines.cdvae.configurations import CONFIGURATIONS
from kappakit.engines.cdvae.crystal_file import CRYSTALS, read_crystals
from kappakit.engines.cdvae.generator import CdvaeGenerator
from kappakit.engines.cdvae.network import load
from kappakit.engines.cdvae.training import Training
from kappakit.errors import InputError
from kappakit.ports import SilentProgress, TrainingCrystal
from tests.kappakit.small_crystals import STEPS, train_tiny, training_crystals


class CutOff(Exception):
    pass


class Cutter(SilentProgress):
    """Ends a training at a step, as a lost node would."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.step = step

    def __call__(self, done: int, total: int, note: str) -> None:
        if done == self.step:
            raise CutOff


def cut_off(folder: Path, step: int, monkeypatch: pytest.MonkeyPatch, **overrides: float | str) -> None:
    """A training that ended at `step`, its last checkpoint a step before."""
    with monkeypatch.context() as often:
        often.setattr(training, "CHECKPOINT_EVERY", -1.0)
        with pytest.raises(CutOff):
            train_tiny(folder, progress=Cutter(step), **overrides)


def same_weights(one: Path, other: Path) -> bool:
    first, second = load_file(one / "checkpoint.safetensors"), load_file(other / "checkpoint.safetensors")
    return all(torch.equal(first[k], second[k]) for k in first.keys() | second.keys() if k != "state")


def test_a_training_learns_and_leaves_a_generator_that_loads(tmp_path: Path) -> None:
    diamonds = [c for c in training_crystals(120, compounds=False) if c.crystal.n_atoms == 2]
    result = train_tiny(tmp_path, diamonds, steps=120, validate_every=20, learning_rate=4e-3)
    first, last = result.curve[0], result.curve[-1]
    assert last.val_number < 0.1
    assert last.val_lattice < 0.3 * first.val_lattice
    assert last.val_coordinates < 0.7 * first.val_coordinates
    assert result.card["training"]["steps"] == 120
    found = CdvaeGenerator(tmp_path, device="cpu")
    assert (found.sha256, found.species) == (result.sha256, ("C",))


def test_the_curve_is_written_as_it_goes(tmp_path: Path) -> None:
    progress = SilentProgress()
    result = train_tiny(tmp_path, steps=6, validate_every=2, progress=progress)
    assert [point.step for point in result.curve] == [2, 4, 6]
    assert len((tmp_path / "curve.jsonl").read_text().splitlines()) == 3
    assert [done for done, total, _ in progress.calls if total == 6] == [2, 4, 6]


def test_a_training_that_was_cut_off_resumes_to_the_same_bits(
    tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off(tmp_path, 16, monkeypatch)
    resumed = train_tiny(tmp_path)
    assert [point.step for point in resumed.curve] == [8, 16, 24]
    assert same_weights(tmp_path, tiny_folder)
    assert resumed.sha256 == CdvaeGenerator(tiny_folder).sha256


def test_a_training_whose_lattices_are_its_own_resumes_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = {"lattice": "predicted", "steps": 12, "validate_every": 6}
    whole = train_tiny(tmp_path / "whole", **chosen)
    cut_off(tmp_path / "pieces", 6, monkeypatch, **chosen)
    assert train_tiny(tmp_path / "pieces", **chosen).sha256 == whole.sha256


def test_a_finished_training_is_finished(tmp_path: Path) -> None:
    first = train_tiny(tmp_path, steps=8)
    again = train_tiny(tmp_path, steps=8)
    assert again.sha256 == first.sha256
    assert [point.step for point in again.curve] == [8]


def test_a_curve_that_a_crash_tore_is_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    brief = {"steps": 6, "validate_every": 2}
    cut_off(tmp_path, 4, monkeypatch, **brief)
    with (tmp_path / "curve.jsonl").open("a") as curve:
        curve.write('{"step": 1')
    assert [point.step for point in train_tiny(tmp_path, **brief).curve] == [2, 4, 6]


def test_a_crash_while_a_checkpoint_is_written_leaves_the_older_one(tmp_path: Path) -> None:
    train_tiny(tmp_path, steps=8)
    (tmp_path / "checkpoint.safetensors.new").write_bytes(b"half")
    assert train_tiny(tmp_path, steps=8).card["training"]["steps"] == 8


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    train_tiny(tmp_path, steps=8)
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match="cannot be resumed"):
        train_tiny(tmp_path, steps=16)


def test_a_checkpoint_of_another_version_is_refused(tmp_path: Path) -> None:
    train_tiny(tmp_path, steps=8)
    path = tmp_path / "checkpoint.safetensors"
    tensors = load_file(path)
    tensors["state"][0] = checkpoint.VERSION + 1
    save_file(tensors, path)
    with pytest.raises(InputError, match="another version of this program; start anew"):
        train_tiny(tmp_path, steps=16)


@pytest.mark.parametrize("change", [{"features": 16}, {"decoder_layers": 1}, {"decoder_layers": 3}, {"latent": 8}])
def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path, change: dict[str, int]) -> None:
    train_tiny(tmp_path, steps=8)
    with pytest.raises(InputError, match=r"cannot be resumed: .*another network"):
        train_tiny(tmp_path, steps=16, **change)


def test_a_checkpoint_that_knew_fewer_elements_is_refused(tmp_path: Path) -> None:
    train_tiny(tmp_path, training_crystals(compounds=False), steps=8)
    with pytest.raises(InputError, match=r"cannot be resumed: .*another network"):
        train_tiny(tmp_path, steps=16)


def test_a_gradient_that_is_not_finite_is_skipped_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, calls = Training._accumulated, []

    def sometimes(self: Training, task: object) -> tuple[torch.Tensor, torch.Tensor]:
        terms, norm = whole(self, task)
        calls.append(len(calls))
        return terms, norm * float("nan") if len(calls) == 3 else norm

    monkeypatch.setattr(Training, "_accumulated", sometimes)
    result = train_tiny(tmp_path, steps=8)
    assert result.card["training"]["skipped_steps"] == 1
    assert all(bool(torch.isfinite(w).all()) for w in load(tmp_path)[0].parameters())


def test_a_training_that_diverges_ends_with_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "MOST_SKIPPED", 2)
    with pytest.raises(InputError, match="the training diverges: lower the learning rate"):
        train_tiny(tmp_path, clip=float("inf"), learning_rate=1e30, warmup_steps=0)


class SmallMemory:
    """An objective that holds so many crystals at most."""

    def __init__(self, crystals: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.crystals, self.refused, self.sizes = crystals, 0, []
        self.whole = training.Replay.__call__
        monkeypatch.setattr(training.Replay, "__call__", lambda *given: self(*given))

    def __call__(self, objective: training.Replay, task: training.Task) -> torch.Tensor:
        if len(task.counts) > self.crystals:
            self.refused += 1
            raise torch.OutOfMemoryError("CUDA out of memory")
        self.sizes.append(len(task.counts))
        return self.whole(objective, task)


def test_where_memory_does_not_suffice_the_batch_is_halved_and_no_crystal_is_lost(
    tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = SmallMemory(4, monkeypatch)
    train_tiny(tmp_path)
    assert memory.refused == 1
    assert sum(memory.sizes) == 8 * STEPS
    assert set(memory.sizes) == {4}
    whole, halved = load_file(tiny_folder / "checkpoint.safetensors"), load_file(tmp_path / "checkpoint.safetensors")
    assert halved["state"].tolist()[3] == 4.0
    for name in (n for n in whole if n.endswith(".weight")):
        torch.testing.assert_close(halved[name], whole[name], atol=1e-3, rtol=0)


def test_a_crystal_that_no_memory_holds_ends_the_training_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SmallMemory(0, monkeypatch)
    with pytest.raises(InputError, match="not one crystal fits into the device's memory"):
        train_tiny(tmp_path)


def test_a_training_by_the_clock_ends(tmp_path: Path) -> None:
    description = load(train_and_return(tmp_path / "first"))[0].description
    brief = replace(description, configuration=replace(description.configuration, name="brief"))
    clocked = Training(brief, seed=0, device="cpu", folder=tmp_path / "second", minutes=1e-9)
    clocked.state.seconds = 1.0
    assert clocked.share >= 1.0
    assert clocked.rate() == pytest.approx(brief.configuration.training.learning_rate * 0.02 / 20, rel=1e-6)


def train_and_return(folder: Path) -> Path:
    train_tiny(folder, steps=8)
    return folder


def test_the_learning_rate_warms_up_and_falls(tmp_path: Path) -> None:
    description = load(train_and_return(tmp_path / "first"))[0].description
    settings = replace(description.configuration.training, steps=100, warmup_steps=10)
    chosen = replace(description, configuration=replace(description.configuration, training=settings))
    run = Training(chosen, seed=0, device="cpu", folder=tmp_path / "second")
    rates = []
    for run.state.step in range(100):
        rates.append(run.rate())
    assert rates[0] == pytest.approx(0.1 * settings.learning_rate, rel=1e-3)
    assert int(np.argmax(rates)) == 9
    assert rates[9:] == sorted(rates[9:], reverse=True)


def cubic(count: int, symbol: str = "C") -> list[TrainingCrystal]:
    sides = np.linspace(2.0, 2.6, count)
    return [
        TrainingCrystal(Crystal.from_symbols(a * np.eye(3), [[0, 0, 0]], [symbol]), "train", f"{a:.2f}") for a in sides
    ]


def test_cells_of_one_atom_train(tmp_path: Path) -> None:
    result = train_tiny(tmp_path, cubic(10), steps=4)
    assert result.card["data"]["atoms"] == [1, 1]
    assert result.card["species"] == ["C"]
    assert all(np.isfinite(list(terms.values())).all() for terms in result.card["errors"].values())


def test_a_data_set_without_held_out_crystals_trains(tmp_path: Path) -> None:
    result = train_tiny(tmp_path, cubic(10), steps=4)
    assert result.card["data"]["validation"] == result.card["data"]["test"] == 0
    assert set(result.card["errors"]) == {"train"}
    assert np.isfinite(result.curve[-1].val_lattice)


def test_equal_crystals_train(tmp_path: Path) -> None:
    result = train_tiny(tmp_path, cubic(1) * 12, steps=4)
    assert np.isfinite(result.curve[-1].val_lattice)


def test_crystals_of_several_elements_train(tmp_path: Path) -> None:
    result = train_tiny(tmp_path, [*cubic(6, "C"), *cubic(6, "Si")], steps=4)
    assert result.card["species"] == ["C", "Si"]


def test_too_few_crystals_are_too_few(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="7 training crystals are too few to learn from, 8 are needed"):
        train_tiny(tmp_path, cubic(7))


def test_held_out_crystals_do_not_count_as_training_ones(tmp_path: Path) -> None:
    held_out = [replace(given, part="test") for given in cubic(20)]
    with pytest.raises(InputError, match="5 training crystals are too few"):
        train_tiny(tmp_path, [*cubic(5), *held_out])


def large(atoms: int, part: str = "train") -> TrainingCrystal:
    frac = np.random.default_rng(0).random((atoms, 3))
    return TrainingCrystal(Crystal(9.0 * np.eye(3), frac, np.full(atoms, 6)), part)


def test_cells_that_are_too_large_are_left_out_and_told(tmp_path: Path) -> None:
    result = train_tiny(tmp_path, [*cubic(9), large(25), large(40), large(24, "test")], steps=4)
    assert result.card["data"]["left_out"] == {"more than 24 atoms in the cell": 2}
    assert result.card["data"]["train"] == 9
    assert [c.crystal.n_atoms for c in read_crystals(tmp_path)] == [1] * 9 + [24]


def test_where_all_cells_are_too_large_it_says_why(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"0 training crystals .*9 with more than 24 atoms in the cell were left out"):
        train_tiny(tmp_path, [large(30)] * 9)


def test_an_unknown_part_is_said_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no part 'exam'; there are train, validation, test"):
        train_tiny(tmp_path, [*cubic(9), replace(cubic(1)[0], part="exam")])
    assert not (tmp_path / "checkpoint.safetensors").exists()


def test_the_stored_data_set_is_what_was_given_reduced(tiny_folder: Path) -> None:
    given, stored = training_crystals(), read_crystals(tiny_folder)
    assert [(c.part, c.source, c.distinct) for c in stored] == [(c.part, c.source, True) for c in given]
    for one, other in zip(given, stored, strict=True):
        np.testing.assert_allclose(other.crystal.cell, niggli(one.crystal).cell, atol=1e-5)
        assert other.crystal.symbols == one.crystal.symbols


@pytest.mark.parametrize("damage", [b"", b"not a data set", None])
def test_a_damaged_data_set_is_refused(tiny_folder: Path, tmp_path: Path, damage: bytes | None) -> None:
    if damage is not None:
        (tmp_path / CRYSTALS).write_bytes(damage)
    with pytest.raises(InputError, match="holds no readable data set"):
        read_crystals(tmp_path)


def test_the_bank_holds_where_the_stored_network_puts_its_training_crystals(tiny_folder: Path) -> None:
    found = CdvaeGenerator(tiny_folder, device="cpu")
    trained = [c.crystal for c in found.training_set() if c.part == "train"]
    means, widths = found.encode(trained)
    bank: Bank = found.bank
    assert len(bank) == len(trained) == 32
    np.testing.assert_allclose(bank.means, means, atol=5e-3)
    np.testing.assert_allclose(bank.widths, widths, rtol=1e-2)


def test_the_card_says_what_was_trained(tiny_folder: Path) -> None:
    card = json.loads((tiny_folder / "card.json").read_text())
    assert (card["name"], card["engine"], card["seed"]) == ("tiny", "cdvae", 0)
    assert card["configuration"]["architecture"]["latent"] == CONFIGURATIONS["tiny"].architecture.latent
    assert {part: card["data"][part] for part in ("train", "validation", "test")} == {
        "train": 32,
        "validation": 4,
        "test": 4,
    }
    assert set(card["errors"]) == {"train", "validation", "test"}
    assert card["version"].startswith("cdvae 1 (torch ")


def test_another_seed_gives_other_weights(tmp_path: Path) -> None:
    first, second = (train_tiny(tmp_path / str(seed), seed=seed, steps=1).sha256 for seed in (0, 1))
    assert first != second
