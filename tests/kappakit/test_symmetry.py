"""Symmetry: what spglib says, in the units and conventions of the screen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from kappakit.crystals import Crystal
from kappakit.engines.search.demo_input import perturbed
from kappakit.matching import structure_of
from kappakit.reference import REFERENCES
from kappakit.symmetry import crystal_system, dimensionality, find_symmetry, shortest_distance

PAPER = {"symprec": 0.1, "angle_tolerance": 1.0}


def test_the_order_of_diamonds_point_group_is_48_in_any_cell() -> None:
    primitive = REFERENCES["diamond"].crystal
    conventional = find_symmetry(primitive, **PAPER).conventional
    for crystal in (primitive, conventional):
        found = find_symmetry(crystal, **PAPER)
        assert found.operations == 48
        assert (found.primitive.n_atoms, found.conventional.n_atoms) == (2, 8)
        assert found.wyckoff in {("C 8a",), ("C 8b",)}
        assert found.crystal_system == "cubic"


@pytest.mark.parametrize("repeats", [(1, 1, 2), (2, 1, 3)])
def test_a_supercell_of_lower_symmetry_hides_no_operation(repeats: tuple[int, int, int]) -> None:
    crystal = REFERENCES["diamond"].crystal
    shifts = np.array(list(np.ndindex(*repeats)))
    frac = np.concatenate([(crystal.frac + shift) / repeats for shift in shifts])
    supercell = Crystal(crystal.cell * np.array(repeats)[:, None], frac, np.tile(crystal.numbers, len(shifts)))
    found = find_symmetry(supercell, **PAPER)
    assert (found.operations, found.primitive.n_atoms, found.point_group) == (48, 2, "m-3m")


@pytest.mark.parametrize("name", sorted(REFERENCES))
def test_a_perturbed_crystal_has_the_space_group_that_pymatgen_finds(name: str) -> None:
    crystal = perturbed(REFERENCES[name].crystal, strain=0.002, rattle=0.01, rng=np.random.default_rng(4))
    analyzer = SpacegroupAnalyzer(structure_of(crystal), **PAPER)
    found = find_symmetry(crystal, **PAPER)
    assert found.number == analyzer.get_space_group_number()
    assert found.operations == len(analyzer.get_point_group_operations())
    assert found.primitive.n_atoms == len(analyzer.get_primitive_standard_structure())


@pytest.mark.parametrize(
    ("name", "dimensions"),
    [("diamond", 3), ("graphite", 2), ("hexagonal-BN", 2), ("BCO-C16", 3), ("lonsdaleite", 3), ("cubic-BN", 3)],
)
def test_layered_crystals_are_told_from_three_dimensional_ones(name: str, dimensions: int) -> None:
    assert dimensionality(REFERENCES[name].crystal) == dimensions


@pytest.mark.parametrize("spacing", [5.0, 8.0, 20.0])
def test_chains_and_molecules_have_fewer_dimensions(spacing: float) -> None:
    chain = Crystal.from_symbols(np.diag([spacing, spacing, 1.3]), [[0, 0, 0]], ["C"])
    molecule = Crystal.from_symbols(np.eye(3) * spacing, [[0, 0, 0], [0, 0, 1.1 / spacing]], ["N", "N"])
    assert (dimensionality(chain), dimensionality(molecule)) == (1, 0)


@settings(max_examples=30, deadline=None)
@given(name=st.sampled_from(sorted(REFERENCES)), shears=st.lists(st.integers(-3, 3), min_size=3, max_size=3))
def test_the_shortest_distance_does_not_depend_on_the_choice_of_cell(name: str, shears: list[int]) -> None:
    crystal = REFERENCES[name].crystal
    shear = np.array([[1, shears[0], shears[1]], [0, 1, shears[2]], [0, 0, 1]], dtype=float)
    skewed = Crystal(shear @ crystal.cell, crystal.frac @ np.linalg.inv(shear), crystal.numbers)
    assert shortest_distance(skewed) == pytest.approx(shortest_distance(crystal), abs=1e-9)


def test_one_atom_sees_its_own_image() -> None:
    assert shortest_distance(Crystal.from_symbols(np.diag([1.5, 4, 5]), [[0, 0, 0]], ["C"])) == pytest.approx(1.5)


def test_every_space_group_number_has_a_crystal_system() -> None:
    assert [crystal_system(n) for n in (1, 3, 16, 75, 143, 168, 195, 230)] == [
        "triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal", "cubic", "cubic",
    ]  # fmt: skip
