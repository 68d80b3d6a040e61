"""Periodic geometry: every image within the cutoff, whatever the cell, summed into the basis that the layers see."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from matscipy.neighbours import neighbour_list

from kappakit.crystals import Crystal
from kappakit.engines.cdvae.batches import Batch, buckets, epoch_batches, niggli, store
from kappakit.engines.cdvae.geometry import cells_from_parameters, edges, neighbourhood, parameters_of, spacings
from tests.kappakit.small_crystals import small_crystals

SKEWED = np.array([[3.0, 0.0, 0.0], [8.5, 2.8, 0.0], [-7.0, 9.0, 3.1]])
SMALL = np.array([[1.6, 0.0, 0.0], [0.1, 1.7, 0.0], [0.2, -0.3, 1.8]])
CUTOFF = 4.0


def crystal(cell: np.ndarray, atoms: int) -> Crystal:
    return Crystal(cell, np.random.default_rng(2).random((atoms, 3)), np.full(atoms, 6))


def batch_of(*crystals: Crystal) -> Batch:
    stored = store(crystals, ("B", "C", "N"))
    return stored.batch(torch.arange(len(crystals)))


def double(batch: Batch, *crystals: Crystal) -> Batch:
    """The batch with the crystals' own double precision."""
    frac = batch.frac.double()
    for row, given in enumerate(crystals):
        frac[row, : given.n_atoms] = torch.from_numpy(given.frac.copy())
    cells = torch.from_numpy(np.stack([given.cell for given in crystals]))
    return Batch(frac, cells, batch.types, batch.mask, batch.counts)


def by_matscipy(given: Crystal, cutoff: float) -> list[tuple[float, ...]]:
    i, j, vector = neighbour_list(
        "ijD", cutoff=cutoff, positions=given.positions.copy(), cell=given.cell.copy(), pbc=[True] * 3
    )
    return sorted((*pair, *np.round(v, 6).tolist()) for *pair, v in zip(i.tolist(), j.tolist(), vector, strict=True))


@pytest.mark.parametrize(
    ("cell", "atoms"), [(SKEWED, 5), (SMALL, 1), (SMALL, 2), (9.0 * np.eye(3), 8), (12.0 * np.eye(3), 1)]
)
def test_edges_are_those_of_matscipy(cell: np.ndarray, atoms: int) -> None:
    given = crystal(cell, atoms)
    batch = double(batch_of(given), given)
    pair, vectors = edges(batch.frac, batch.cells, batch.mask, CUTOFF)
    found = sorted(
        (p // atoms, p % atoms, *v) for p, v in zip(pair.tolist(), np.round(vectors, 6).tolist(), strict=True)
    )
    np.testing.assert_allclose(np.reshape(found, (-1, 5)), np.reshape(by_matscipy(given, CUTOFF), (-1, 5)), atol=2e-6)


def test_edges_of_a_padded_batch_are_those_of_its_crystals() -> None:
    crystals = [crystal(SKEWED, 5), crystal(SMALL, 2)]
    batch = double(batch_of(*crystals), *crystals)
    pair, _ = edges(batch.frac, batch.cells, batch.mask, CUTOFF)
    counts = torch.bincount(pair // 25, minlength=2).tolist()
    assert counts == [len(by_matscipy(given, CUTOFF)) for given in crystals]


def test_the_basis_sums_bessel_functions_times_directions_over_all_images() -> None:
    given = crystal(SMALL, 2)
    batch = double(batch_of(given), given)
    basis = neighbourhood(batch.frac, batch.cells, batch.mask, cutoff=CUTOFF, radial=3, rank=2)
    expected = np.zeros((10, 2, 2, 3))
    for i, j, *vector in by_matscipy(given, CUTOFF):
        x, unit = np.linalg.norm(vector) / CUTOFF, np.array(vector) / np.linalg.norm(vector)
        envelope = 1 - 28 * x**6 + 48 * x**7 - 21 * x**8
        waves = [math.sqrt(2) / (x + 0.1) * math.sin(k * math.pi * x) * envelope for k in (1, 2, 3)]
        matrix = np.outer(unit, unit) - np.eye(3) / 3
        upper = [matrix[0, 1], matrix[0, 2], matrix[1, 2]]
        components = [1.0, *unit, *np.diag(matrix), *(math.sqrt(2) * entry for entry in upper)]
        expected[:, int(i), int(j)] += np.outer(components, waves)
    np.testing.assert_allclose(basis[0].reshape(10, 2, 2, 3).numpy(), expected, atol=1e-4)


def test_an_atom_that_crosses_the_cutoff_does_not_jump() -> None:
    def basis(distance: float) -> torch.Tensor:
        frac = torch.tensor([[[0.0, 0.0, 0.0], [distance / 20.0, 0.0, 0.0]]], dtype=torch.float64)
        cells, mask = 20.0 * torch.eye(3, dtype=torch.float64)[None], torch.ones(1, 2, dtype=torch.bool)
        return neighbourhood(frac, cells, mask, cutoff=CUTOFF, radial=3, rank=2)

    assert float(basis(CUTOFF + 1e-3).abs().max()) == 0.0
    assert float(basis(CUTOFF - 1e-3).abs().max()) < 1e-8
    assert float(basis(0.5 * CUTOFF).abs().max()) > 0.1


def test_cells_and_their_parameters_are_each_others_inverse() -> None:
    lengths = torch.tensor([[3.0, 4.0, 5.0], [2.5, 2.5, 6.0]], dtype=torch.float64)
    angles = torch.tensor([[80.0, 95.0, 110.0], [90.0, 90.0, 120.0]], dtype=torch.float64)
    found = parameters_of(cells_from_parameters(lengths, angles))
    torch.testing.assert_close(found, (lengths, angles))


def test_angles_that_no_cell_has_still_span_a_volume() -> None:
    cells = cells_from_parameters(torch.full((1, 3), 3.0), torch.tensor([[20.0, 160.0, 90.0]]))
    assert float(torch.linalg.det(cells)) > 1.0


def test_spacings_are_the_distances_of_lattice_planes() -> None:
    (found,) = spacings(torch.from_numpy(SKEWED)[None]).tolist()
    a, b, c = SKEWED
    volume = abs(np.linalg.det(SKEWED))
    areas = [np.linalg.norm(np.cross(*sides)) for sides in ((b, c), (c, a), (a, b))]
    np.testing.assert_allclose(found, [volume / area for area in areas])


def test_a_reduced_crystal_is_the_same_crystal_turned() -> None:
    given = crystal(SKEWED, 4)
    reduced = niggli(given)
    assert reduced.volume == pytest.approx(given.volume)
    assert (reduced.frac >= 0.0).all()
    assert abs(reduced.cell[0, 1:]).max() == pytest.approx(0.0, abs=1e-9)
    distances = [sorted(np.linalg.norm(row[2:]) for row in by_matscipy(c, CUTOFF)) for c in (given, reduced)]
    np.testing.assert_allclose(*distances, atol=1e-5)


def test_equal_crystals_in_other_cells_look_alike() -> None:
    turned = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    turned *= np.linalg.det(turned)
    sheared = np.array([[1, 2, 0], [0, 1, 0], [0, -1, 1]])
    plain = Crystal(np.diag([2.5, 3.1, 4.2]) @ np.eye(3), [[0.0, 0.0, 0.0]], [6])
    other = Crystal(sheared @ plain.cell @ turned, plain.frac, plain.numbers)
    np.testing.assert_allclose(niggli(other).cell, niggli(plain).cell, atol=1e-6)


def test_each_bucket_holds_like_sizes_and_an_epoch_every_crystal_of_a_full_batch_once() -> None:
    homes = buckets([1, 1, 2, 4, 5, 4, 24])
    assert [(home.indices.tolist(), home.atoms) for home in homes] == [([0, 1], 1), ([2], 2), ([3, 4, 5], 5), ([6], 24)]
    batches = epoch_batches(homes, 2, (0, 0))
    assert sorted(len(b.indices) for b in batches) == [1, 1, 2, 2]
    drawn = np.concatenate([b.indices for b in batches])
    assert len(set(drawn.tolist())) == len(drawn)


def test_a_store_gives_its_crystals_back_in_any_order() -> None:
    crystals = small_crystals(4)
    batch = store(crystals, ("B", "C", "N")).batch(torch.tensor([3, 0, 1]))
    for row, number in enumerate((3, 0, 1)):
        given = crystals[number]
        np.testing.assert_allclose(batch.frac[row, : given.n_atoms], given.frac, atol=1e-6)
        assert batch.mask[row].sum() == batch.counts[row] == given.n_atoms
    assert batch.cells[2].numpy() == pytest.approx(crystals[1].cell, abs=1e-6)
