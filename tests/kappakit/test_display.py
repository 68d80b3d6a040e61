"""What the eye sees of a crystal: closed faces, four bonds an atom in diamond, the right edges."""

from __future__ import annotations

import numpy as np

from kappakit.crystals import Crystal
from kappakit.display import bonds, closed_cell, colours_of, display_cell, edges, radii_of

DIAMOND = Crystal(
    3.5667 * np.eye(3),
    np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]] * 2) + np.repeat([[0.0], [0.25]], 4, axis=0),
    np.full(8, 6),
)
GRAPHITE = Crystal(
    [[2.46, 0, 0], [-1.23, 2.1304, 0], [0, 0, 6.71]],
    [[0, 0, 0.25], [0, 0, 0.75], [1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]],
    [6, 6, 6, 6],
)


def test_a_corner_atom_is_shown_on_all_eight_corners_and_a_face_atom_on_both_faces() -> None:
    frac, sites = closed_cell(DIAMOND)
    assert [(sites == i).sum() for i in range(8)] == [8, 2, 2, 2, 1, 1, 1, 1]
    assert frac.min() >= 0
    assert frac.max() <= 1


def test_an_atom_a_hair_below_a_face_counts_as_on_it() -> None:
    nearly = Crystal(3 * np.eye(3), [[0.9999, 0.5, 0.5]], [6])
    frac, _ = closed_cell(nearly)
    assert len(frac) == 2
    assert np.abs(frac[:, 0] - [0, 1]).max() < 1e-3


def test_every_inner_atom_of_diamond_has_four_bonds_of_the_right_length() -> None:
    cell = display_cell(DIAMOND)
    lengths = np.linalg.norm(cell.positions[cell.bonds[:, 0]] - cell.positions[cell.bonds[:, 1]], axis=1)
    np.testing.assert_allclose(lengths, 3.5667 * np.sqrt(3) / 4, atol=1e-6)
    inner = [i for i, site in enumerate(cell.sites) if site >= 4]
    assert [(cell.bonds == i).sum() for i in inner] == [4, 4, 4, 4]


def test_graphite_s_layers_are_not_bonded_to_each_other() -> None:
    cell = display_cell(GRAPHITE, (2, 2, 1))
    heights = cell.positions[cell.bonds][:, :, 2]
    assert len(cell.bonds) > 0
    assert np.abs(heights[:, 0] - heights[:, 1]).max() < 0.1


def test_a_supercell_shows_its_own_outline_and_that_of_the_cell() -> None:
    cell = display_cell(DIAMOND, (2, 2, 2))
    assert cell.edges.shape == (24, 2, 3)
    assert cell.edges.max() == 2 * 3.5667
    assert len({tuple(np.round(p, 3)) for p in cell.positions}) == len(cell.positions)


def test_a_cell_has_twelve_edges_four_along_each_vector() -> None:
    lines = edges(GRAPHITE.cell)
    spans = np.round(lines[:, 1] - lines[:, 0], 6)
    assert [int((spans == np.round(v, 6)).all(axis=1).sum()) for v in GRAPHITE.cell] == [4, 4, 4]


def test_too_many_atoms_are_drawn_without_bonds_and_strange_elements_with_a_default() -> None:
    assert bonds(np.zeros((2501, 3)), np.full(2501, 6)).shape == (0, 2)
    np.testing.assert_allclose(radii_of(np.array([6, 118])), [0.76, 1.70])
    assert colours_of(np.array([6, 118])) == ["#909090", "#FF0000"]
