"""What the networks must not see: place, direction, order. What is stored of them, and what is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from kappakit.crystals import Crystal
from kappakit.engines.cdvae import network
from kappakit.engines.cdvae.batches import Batch
from kappakit.engines.cdvae.configurations import CONFIGURATIONS, configuration
from kappakit.engines.cdvae.generator import CdvaeGenerator
from kappakit.engines.cdvae.geometry import MATRIX
from kappakit.engines.cdvae.parts import Mixture, without_drift
from kappakit.errors import InputError

ATOMS = 5
CELL = torch.tensor([[3.1, 0.2, 0.0], [0.4, 3.6, 0.1], [-0.5, 0.3, 4.2]], dtype=torch.float64)
SUPERCELL = (2, 1, 1)


@pytest.fixture(scope="module")
def vae() -> network.CrystalVae:
    description = network.Description(CONFIGURATIONS["tiny"], ("B", "N"), 20.0, (2.0,) * 3 + (90.0,) * 3, (0.5,) * 6)
    return network.build(description, seed=3).double().eval().requires_grad_(False)


def rotation() -> Tensor:
    turned = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    return torch.from_numpy(turned * np.linalg.det(turned))


def one(cell: Tensor = CELL, frac: Tensor | None = None, types: Tensor | None = None) -> Batch:
    rng = torch.Generator().manual_seed(5)
    where = torch.rand(ATOMS, 3, generator=rng, dtype=torch.float64) if frac is None else frac
    what = torch.tensor([0, 1, 1, 0, 1]) if types is None else types
    count = len(where)
    return Batch(where[None], cell[None], what[None], torch.ones(1, count, dtype=torch.bool), torch.tensor([count]))


def score(vae: network.CrystalVae, batch: Batch, sigma: float = 0.4) -> tuple[Tensor, Tensor]:
    z = torch.linspace(-1.0, 1.0, vae.architecture.latent, dtype=torch.float64)[None]
    basis = vae.basis(batch.frac, batch.cells, batch.mask)
    out, logits = vae.decoder(batch.types, batch.mask, basis, z, torch.tensor([sigma], dtype=torch.float64))
    return out[0], logits[0]


def pooled(vae: network.CrystalVae, batch: Batch) -> Tensor:
    """The mean over atoms, before the lattice and the number of atoms of the cell come in."""
    basis = vae.basis(batch.frac, batch.cells, batch.mask)
    x, _ = vae.encoder.backbone(vae.encoder.kinds(batch.types), basis)
    return vae.encoder.pooled(x).mean(1)


def shuffled(batch: Batch) -> tuple[Batch, Tensor]:
    order = torch.tensor([3, 0, 4, 1, 2])
    return one(batch.cells[0], batch.frac[0, order], batch.types[0, order]), order


def test_the_score_turns_with_the_crystal(vae: network.CrystalVae) -> None:
    given, turn = one(), rotation()
    (out, logits), (turned, same) = score(vae, given), score(vae, one(CELL @ turn))
    assert float(out.norm()) > 1e-2
    torch.testing.assert_close(turned, out @ turn, atol=1e-9, rtol=0)
    torch.testing.assert_close(same, logits, atol=1e-9, rtol=0)


def test_the_score_of_a_mirrored_crystal_is_mirrored(vae: network.CrystalVae) -> None:
    mirror = torch.diag(torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64))
    torch.testing.assert_close(score(vae, one(CELL @ mirror))[0], score(vae, one())[0] @ mirror, atol=1e-9, rtol=0)


def test_the_score_does_not_see_where_the_crystal_lies(vae: network.CrystalVae) -> None:
    given = one()
    moved = one(CELL, given.frac[0] + torch.tensor([0.3, -1.7, 0.55], dtype=torch.float64))
    torch.testing.assert_close(score(vae, moved)[0], score(vae, given)[0], atol=1e-9, rtol=0)


def test_the_score_follows_the_order_of_atoms(vae: network.CrystalVae) -> None:
    other, order = shuffled(one())
    torch.testing.assert_close(score(vae, other)[0], score(vae, one())[0][order], atol=1e-9, rtol=0)


def test_the_score_of_a_supercell_repeats_that_of_its_cell(vae: network.CrystalVae) -> None:
    out = score(vae, one())[0]
    torch.testing.assert_close(score(vae, supercell())[0], out.repeat(2, 1), atol=1e-9, rtol=0)


def supercell() -> Batch:
    given = one()
    half = torch.tensor([0.5, 1.0, 1.0], dtype=torch.float64)
    frac = torch.cat([given.frac[0] * half, given.frac[0] * half + torch.tensor([0.5, 0.0, 0.0], dtype=torch.float64)])
    return one(CELL * torch.tensor([[2.0], [1.0], [1.0]], dtype=torch.float64), frac, given.types[0].repeat(2))


def test_the_score_has_no_drift(vae: network.CrystalVae) -> None:
    assert float(score(vae, one())[0].sum(0).abs().max()) < 1e-12


def test_padding_is_left_out_of_the_drift() -> None:
    vectors, mask = torch.ones(1, 3, 3), torch.tensor([[True, True, False]])
    vectors[0, 0, 0] = 3.0
    assert without_drift(vectors, mask)[0, :, 0].tolist() == [1.0, -1.0, 0.0]


def test_the_decoder_is_told_the_noise(vae: network.CrystalVae) -> None:
    assert float((score(vae, one(), 0.05)[0] - score(vae, one(), 2.0)[0]).abs().max()) > 1e-4


def test_the_published_decoder_is_not_told_the_noise() -> None:
    published = replace(
        CONFIGURATIONS["tiny"], architecture=replace(CONFIGURATIONS["tiny"].architecture, told_noise=False)
    )
    description = network.Description(published, ("B", "N"), 20.0, (2.0,) * 6, (0.5,) * 6)
    vae = network.build(description).double().eval()
    torch.testing.assert_close(score(vae, one(), 0.05), score(vae, one(), 2.0), atol=0, rtol=0)


@pytest.mark.parametrize("change", ["rotation", "translation", "permutation"])
def test_the_posterior_does_not_see(vae: network.CrystalVae, change: str) -> None:
    given = one()
    other = {
        "rotation": one(CELL @ rotation()),
        "translation": one(CELL, given.frac[0] + 0.37),
        "permutation": shuffled(given)[0],
    }[change]
    for found, expected in zip(vae.encode(other), vae.encode(given), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-9, rtol=0)


def test_of_a_supercell_only_the_number_of_atoms_and_the_lattice_are_new_to_the_encoder(
    vae: network.CrystalVae,
) -> None:
    torch.testing.assert_close(pooled(vae, supercell()), pooled(vae, one()), atol=1e-9, rtol=0)
    assert float((vae.encode(supercell())[0] - vae.encode(one())[0]).abs().max()) > 1e-3


def test_padding_changes_neither_posterior_nor_score(vae: network.CrystalVae) -> None:
    given = one()
    frac, types, mask = (
        given.frac.new_zeros(1, ATOMS + 3, 3),
        torch.zeros(1, ATOMS + 3).long(),
        torch.zeros(1, ATOMS + 3),
    )
    frac[:, :ATOMS], types[:, :ATOMS], mask[:, :ATOMS] = given.frac, given.types, 1
    padded = Batch(frac, given.cells, types, mask.bool(), given.counts)
    torch.testing.assert_close(vae.encode(padded), vae.encode(given), atol=1e-9, rtol=0)
    out = score(vae, padded)[0]
    torch.testing.assert_close(out[:ATOMS], score(vae, given)[0], atol=1e-9, rtol=0)
    assert float(out[ATOMS:].abs().max()) == 0.0


def test_a_layer_multiplies_matrices_as_they_are(vae: network.CrystalVae) -> None:
    layer, rng = vae.decoder.backbone.layers[0], torch.Generator().manual_seed(0)
    full = torch.randn(1, 3, 3, 2, 4, generator=rng, dtype=torch.float64)
    full = full + full.transpose(1, 2)
    vector = torch.randn(1, 3, 2, 4, generator=rng, dtype=torch.float64)
    six = torch.stack([full[:, i, j] * (1.0 if i == j else 2**0.5) for i, j in MATRIX], 1)
    torch.testing.assert_close(
        layer._times(six, vector), torch.einsum("bijnf,bjnf->binf", full, vector), rtol=1e-6, atol=1e-6
    )
    square = layer._square(vector)
    assert float(square[:, :3].sum(1).abs().max()) < 1e-6
    torch.testing.assert_close(square[:, 3], 2**0.5 * vector[:, 0] * vector[:, 1], rtol=1e-6, atol=1e-6)


def test_the_lattice_mixture_is_a_mixture_of_gaussians() -> None:
    means = torch.tensor([[[0.0] * 6, [2.0] * 6]])
    mixture = Mixture(torch.log(torch.tensor([[0.25, 0.75]])), means, torch.full((1, 2, 6), 0.5))
    normal = torch.distributions.Normal(means, mixture.widths)
    target = torch.linspace(-1.0, 1.0, 6)[None]
    expected = normal.log_prob(target[:, None]).sum(-1) + 3.0 * np.log(2 * np.pi)
    torch.testing.assert_close(mixture.log_densities(target), expected)
    assert mixture.likeliest().tolist() == [[2.0] * 6]


def test_the_weights_of_a_lattice_mixture_add_up_to_one_and_no_width_vanishes(vae: network.CrystalVae) -> None:
    z = torch.randn(7, vae.architecture.latent, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    mixture = vae.heads.lattices(z, torch.arange(1, 8))
    torch.testing.assert_close(mixture.log_weights.exp().sum(1), torch.ones(7, dtype=torch.float64))
    assert float(mixture.widths.min()) >= 0.05
    assert mixture.means.shape == (7, vae.architecture.components, 6)


def test_a_lattice_is_standardised_and_back(vae: network.CrystalVae) -> None:
    given, counts = one(), torch.tensor([ATOMS])
    again = vae.cells(vae.standardised(given.cells, counts), counts)
    torch.testing.assert_close(torch.linalg.det(again).abs(), torch.linalg.det(given.cells).abs())


def test_no_cell_is_denser_than_matter_can_be(vae: network.CrystalVae) -> None:
    counts = torch.tensor([4])
    cells = vae.cells(torch.full((1, 6), -30.0, dtype=torch.float64), counts)
    assert float(torch.linalg.det(cells).abs()) / 4 >= network.DENSEST - 1e-6


@pytest.mark.parametrize("part", ["model.json", "model.safetensors"])
def test_a_generator_without_a_file_is_refused(tiny_folder: Path, tmp_path: Path, part: str) -> None:
    broken = copied(tiny_folder, tmp_path)
    (broken / part).unlink()
    with pytest.raises(InputError, match="holds no readable generator"):
        CdvaeGenerator(broken)


def test_damaged_weights_are_refused(tiny_folder: Path, tmp_path: Path) -> None:
    broken = copied(tiny_folder, tmp_path)
    (broken / "model.safetensors").write_bytes((tiny_folder / "model.safetensors").read_bytes()[:-9])
    with pytest.raises(InputError, match="holds no readable generator"):
        CdvaeGenerator(broken)


def test_a_generator_of_another_format_is_refused(tiny_folder: Path, tmp_path: Path) -> None:
    other = described(tiny_folder, tmp_path, format=network.FORMAT + 1)
    with pytest.raises(InputError, match="written by another version of this program; train the generator again"):
        CdvaeGenerator(other)


@pytest.mark.parametrize("content", ["[]", "{", '{"format": 1}', '{"format": 1, "configuration": {"name": "x"}}'])
def test_a_description_that_describes_nothing_is_refused(tiny_folder: Path, tmp_path: Path, content: str) -> None:
    broken = copied(tiny_folder, tmp_path)
    (broken / "model.json").write_text(content)
    with pytest.raises(InputError, match=r"holds no readable generator|written by another version"):
        CdvaeGenerator(broken)


def test_weights_of_another_network_are_refused(tiny_folder: Path, tmp_path: Path) -> None:
    other = described(tiny_folder, tmp_path, species=["B", "C", "N", "Si"])
    with pytest.raises(InputError, match="do not fit its description"):
        CdvaeGenerator(other)


def test_a_generator_without_its_bank_is_refused(tiny_folder: Path, tmp_path: Path) -> None:
    loaded, _ = network.load(tiny_folder)
    network.save(loaded, tmp_path)
    with pytest.raises(InputError, match="lacks the bank"):
        CdvaeGenerator(tmp_path)


def copied(folder: Path, target: Path) -> Path:
    return Path(shutil.copytree(folder, target / "copy"))


def described(folder: Path, target: Path, **changes: object) -> Path:
    copy = copied(folder, target)
    data = json.loads((copy / "model.json").read_text())
    (copy / "model.json").write_text(json.dumps({**data, **changes}))
    return copy


def test_what_is_stored_is_what_was_saved(tiny_folder: Path, tmp_path: Path) -> None:
    loaded, extra = network.load(tiny_folder)
    assert network.save(loaded, tmp_path, extra) == network.digest(tiny_folder)
    assert (tmp_path / "model.json").read_text() == (tiny_folder / "model.json").read_text()


def test_no_file_of_a_generator_is_a_pickle(tiny_folder: Path) -> None:
    names = {path.name for path in tiny_folder.iterdir()}
    assert {"model.safetensors", "crystals.safetensors", "checkpoint.safetensors"} <= names
    for path in tiny_folder.iterdir():
        start = path.read_bytes()[:9]
        assert start[8:] == b"{" if path.suffix == ".safetensors" else path.suffix in (".json", ".jsonl")


def test_nothing_in_the_engine_speaks_pickle() -> None:
    sources = [path.read_text() for path in Path(network.__file__).parent.glob("*.py")]
    assert sources
    assert not any(
        word in text for text in sources for word in ("import pickle", "torch.load(", "torch.save(", "joblib")
    )


@pytest.mark.parametrize(
    ("name", "overrides", "message"),
    [("carbon-huge", {}, "no configuration 'carbon-huge'; there are"), ("tiny", {"depth": 3}, "no field .*depth")],
)
def test_an_unknown_configuration_or_field_is_named(name: str, overrides: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        configuration(name, overrides)


def test_an_element_that_the_generator_never_saw_is_named(tiny_folder: Path) -> None:
    silicon = Crystal.from_symbols(2.7 * np.eye(3), [[0.0, 0.0, 0.0]], ["Si"])
    with pytest.raises(InputError, match="knows B, C, N, not Si"):
        CdvaeGenerator(tiny_folder, name="tiny").encode([silicon])
