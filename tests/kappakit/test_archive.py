"""Records go to a folder and come back the same; a damaged folder is an InputError."""

from pathlib import Path

import numpy as np
import pytest

from kappakit import archive
from kappakit.crystals import Crystal
from kappakit.errors import InputError
from kappakit.ports import PotentialRef
from kappakit.stages.contracts import GeneratedItem, GenerateOutputs, Item, RelaxInputs

CARBON = Crystal.from_symbols(np.eye(3) * 2.5, [[0.1, 0.2, 0.3]], ["C"])


def test_nested_records_with_crystals_come_back(tmp_path: Path) -> None:
    inputs = RelaxInputs((Item("1", CARBON, -7.5), Item("2", CARBON)), PotentialRef("allegro", "carbon-laptop"))
    archive.write(tmp_path, "inputs", inputs)
    again = archive.read(tmp_path, "inputs", RelaxInputs)
    assert [item.id for item in again.items] == ["1", "2"]
    assert again.items[0].energy_per_atom == -7.5
    assert again.items[1].energy_per_atom is None
    assert again.items[0].crystal.digest == CARBON.digest
    assert again.potential == inputs.potential


def test_arrays_keep_every_bit(tmp_path: Path) -> None:
    latent = np.random.default_rng(0).normal(size=7)
    archive.write(tmp_path, "out", GenerateOutputs("cdvae", "1", "ab12", (GeneratedItem(0, 5, CARBON, latent),)))
    again = archive.read(tmp_path, "out", GenerateOutputs)
    assert again.sha256 == "ab12"
    assert again.crystals[0].latent is not None
    assert (again.crystals[0].latent == latent).all()


@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_a_damaged_record_is_named(tmp_path: Path, damage: str) -> None:
    archive.write(tmp_path, "inputs", RelaxInputs((Item("1", CARBON),), PotentialRef("allegro", "x")))
    if damage == "missing":
        (tmp_path / "inputs.npz").unlink()
    else:
        (tmp_path / "inputs.json").write_text('{"items": [')
    with pytest.raises(InputError, match="cannot be read"):
        archive.read(tmp_path, "inputs", RelaxInputs)
