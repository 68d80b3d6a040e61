"""The anharmonic part of a validation, on forces of DFT that somebody published: silicon, PBEsol."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kappakit.crystals import Crystal
from kappakit.displacements import crystal_of, second_displacements
from kappakit.force_files import read_third_order
from kappakit.protocol import ConductivitySettings
from kappakit.stages.force_sets import Wanted, third_order
from kappakit.supercells import asked_supercells, forces_may_remain, forces_return
from tests.reference.engines import NoPotential

SILICON = Path(__file__).parents[1] / "data" / "silicon_pbesol"


def test_silicon_s_supercells_computed_one_by_one_conduct_as_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """109.1 W/(m·K), RTA, 300 K, 11×11×11: phono3py's example Si-PBEsol; 0.3: its versions differ by 0.1.

    Each supercell comes back as a calculation of its own, with its atoms in another order.
    """
    monkeypatch.chdir(tmp_path)
    published = read_third_order(SILICON)
    entries = [*published.dataset["first_atoms"], *second_displacements(published.dataset)]
    forces = [np.array(entry.pop("forces")) for entry in entries]
    assert not forces_may_remain(published)
    asked = asked_supercells(published)
    cells = [crystal_of(cell) for cell in published.supercells_with_displacements]
    assert len(asked.places) == len(cells) == 111
    first = {place: index for index, place in reversed(list(enumerate(asked.places)))}
    computed = [shuffled(cells[first[n]], forces[first[n]], n) for n in range(len(asked.cells))]
    forces_return(published, computed, asked)
    wanted = Wanted("silicon", (11, 11, 11), (300.0,))
    found = third_order(published, wanted, ConductivitySettings(), NoPotential())
    (rta,) = found.tensors
    np.testing.assert_allclose(rta.principal[0], 109.1, atol=0.3)


def shuffled(cell: Crystal, forces: np.ndarray, seed: int) -> tuple[Crystal, np.ndarray]:
    order = np.random.default_rng(seed).permutation(cell.n_atoms)
    return Crystal(cell.cell, cell.frac[order], cell.numbers[order]), forces[order]
