"""Whole-array arithmetic of supercells against phono3py's loops."""

from __future__ import annotations

import numpy as np
import pytest
from phono3py import Phono3py
from phono3py.phonon3.interaction import Interaction

from kappakit.crystals import Crystal
from kappakit.displacements import phonopy_atoms
from kappakit.engines.boltzmann.terms import shortest_triplets, sites
from tests.kappakit.reference_cells import diamond, graphite, lonsdaleite


@pytest.mark.parametrize("crystal", [diamond(), lonsdaleite(), graphite()], ids=["diamond", "lonsdaleite", "graphite"])
@pytest.mark.parametrize("repeats", [(2, 2, 2), (3, 2, 1)], ids=str)
def test_triplets_of_shortest_vectors_are_phono3py_s(crystal: Crystal, repeats: tuple[int, int, int]) -> None:
    calculation = Phono3py(
        phonopy_atoms(crystal), supercell_matrix=np.diag(repeats), primitive_matrix=np.eye(3), is_mesh_symmetry=False
    )
    calculation.mesh_numbers = [1, 1, 1]
    primitive, symmetry = calculation.primitive, calculation.primitive_symmetry
    reference = Interaction(primitive, calculation.grid, symmetry)
    found = shortest_triplets(sites(primitive), primitive, symmetry.tolerance)
    np.testing.assert_array_equal(found, reference.all_shortest)
