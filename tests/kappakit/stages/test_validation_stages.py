"""A validation: the supercells that are asked for, and the force constants that their forces give back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kappakit.crystals import Crystal
from kappakit.displacements import displaced, evaluate_displacements
from kappakit.errors import InputError
from kappakit.force_constants import produce
from kappakit.phonons import frequencies_at
from kappakit.ports import PotentialRef, SilentProgress
from kappakit.protocol import ConductivitySettings
from kappakit.stages import validate, validation_cells
from kappakit.stages.contracts import (
    CellForces,
    ValidateInputs,
    ValidateOutputs,
    ValidationCellsInputs,
    ValidationCellsOutputs,
)
from kappakit.stages.kappa_results import harmonic_of
from kappakit.supercells import asked_supercells, displaced_harmonic, forces_may_remain, forces_return
from tests.kappakit.reference_cells import diamond, lonsdaleite
from tests.kappakit.stages.tersoff_engines import TersoffEngines
from tests.kappakit.tersoff_potential import TersoffPotential

SETTINGS = ConductivitySettings(
    supercell_rule="repeat",
    displacements="systematic",
    fc3_supercell=2,
    fc2_supercell=2,
    pair_cutoff=2.0,
    mesh_length=12.0,
    mesh_step=1.0,
)
TERSOFF = PotentialRef("tersoff", "tersoff")


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def cells_of(
    crystal: Crystal, part: str = "harmonic", *, potential: PotentialRef | None = TERSOFF
) -> ValidationCellsOutputs:
    inputs = ValidationCellsInputs(crystal, part, 2, 0.02, 0.01, -1.0, potential)
    return validation_cells.run(inputs, SETTINGS, engines=TersoffEngines())  # type: ignore[arg-type]


def computed(cells: tuple[Crystal, ...]) -> tuple[CellForces, ...]:
    """Tersoff's potential stands for DFT; atoms in an order of its own."""
    found = []
    for number, cell in enumerate(cells):
        order = np.random.default_rng(number).permutation(cell.n_atoms)
        mine = Crystal(cell.cell, cell.frac[order] + 1.0, cell.numbers[order])
        (evaluation,) = TersoffPotential().evaluate([mine])
        found.append(CellForces(mine, evaluation.forces))
    return tuple(found)


def validated(asked: ValidationCellsOutputs, part: str = "harmonic", **changes: object) -> ValidateOutputs:
    inputs = ValidateInputs("7", asked.primitive, part, 2, 0.02, computed(asked.cells), asked.primitive, TERSOFF)
    return validate.run(replace(inputs, **changes), SETTINGS, engines=TersoffEngines())  # type: ignore[arg-type]


def test_diamond_takes_one_displaced_supercell_and_no_undisplaced_one() -> None:
    """Every atom sits on a site of symmetry -43m: one displacement, and no force without it."""
    asked = cells_of(diamond())
    assert len(asked.cells) == 1
    assert not asked.perfect
    assert asked.cells[0].n_atoms == 16
    assert asked.number == 227
    harmonic, anharmonic = asked.sizes
    assert (harmonic.part, harmonic.supercells) == ("harmonic", 1)
    assert anharmonic.supercells > harmonic.supercells


def test_where_symmetry_lets_a_force_remain_the_undisplaced_supercell_is_computed_too() -> None:
    """Lonsdaleite's atoms are free along c."""
    asked = cells_of(lonsdaleite())
    assert asked.perfect
    assert asked.labels[0].startswith("undisplaced")
    assert asked.labels[1] == "supercell 1"


@pytest.mark.parametrize("crystal", [diamond(), lonsdaleite()], ids=["diamond", "lonsdaleite"])
def test_forces_computed_elsewhere_give_the_force_constants_that_the_potential_gives_itself(crystal: Crystal) -> None:
    """1e-6 eV/Å²: the same forces, returned in another order of atoms, against a calculation that never left here."""
    settings = replace(SETTINGS, displacement=0.02, pair_cutoff=0.0)
    elsewhere = displaced(crystal, settings)
    asked = asked_supercells(elsewhere)
    forces_return(elsewhere, [(cell.crystal, cell.forces) for cell in computed(asked.cells)], asked)
    here = displaced(crystal, settings)
    evaluate_displacements(here, TersoffPotential(), SilentProgress())
    produce(elsewhere)
    produce(here)
    np.testing.assert_allclose(elsewhere.fc2, here.fc2, atol=1e-6)
    np.testing.assert_allclose(elsewhere.fc3, here.fc3, atol=1e-4)


def test_the_harmonic_supercells_give_the_bands_of_the_potential() -> None:
    """Its own forces: no deviation, and Γ's optical modes as by the FC2 of a calculation that never left here."""
    asked = cells_of(diamond())
    found = validated(asked)
    assert found.same
    assert found.deviation == pytest.approx(0.0, abs=1e-6)
    assert found.result.verdict.dynamical == "stable"
    assert set(found.result.files) == {"phonopy_yaml", "fc2"}
    here = displaced(asked.primitive, replace(SETTINGS, displacement=0.02))
    evaluate_displacements(here, TersoffPotential(), SilentProgress())
    produce(here)
    expected = frequencies_at(harmonic_of(here), np.zeros((1, 3)))[0]
    np.testing.assert_allclose(found.result.bands.frequencies[0], expected, atol=1e-3)


def test_forces_of_the_undisplaced_supercell_are_subtracted() -> None:
    """A wind of 0.01 eV/Å along c on every second atom, in all calculations, is gone from the force constants."""
    crystal = lonsdaleite()
    asked = asked_supercells(displaced_harmonic(crystal, 2, 0.02))
    wind = np.zeros((asked.cells[0].n_atoms, 3))
    wind[::2, 2], wind[1::2, 2] = 0.01, -0.01
    plain, blown = (displaced_harmonic(crystal, 2, 0.02) for _ in range(2))
    assert forces_may_remain(plain)
    forces = [e.forces for e in TersoffPotential().evaluate(asked.cells)]
    forces_return(plain, list(zip(asked.cells, forces, strict=True)), asked)
    forces_return(blown, [(c, f + wind) for c, f in zip(asked.cells, forces, strict=True)], asked)
    np.testing.assert_allclose(blown.forces, plain.forces, atol=1e-12)


def test_another_potential_s_cell_lies_beside_at_the_same_wave_vectors() -> None:
    """A lattice 1 % wider is softer: the deviation is not zero and the overlay has the path of DFT's bands."""
    asked = cells_of(diamond())
    wider = Crystal(asked.primitive.cell * 1.01, asked.primitive.frac, asked.primitive.numbers)
    found = validated(asked, reference=wider)
    assert found.overlay is not None
    np.testing.assert_array_equal(found.overlay.distances, found.result.bands.distances)
    assert found.deviation is not None
    assert 0.1 < found.deviation < 5.0


def test_another_structure_is_called_so_and_not_overlaid() -> None:
    found = validated(cells_of(diamond()), reference=lonsdaleite())
    assert not found.same
    assert found.overlay is None
    assert found.deviation is None


def test_the_anharmonic_part_gives_a_conductivity() -> None:
    asked = cells_of(diamond(), "anharmonic")
    found = validated(asked, "anharmonic", temperatures=(300.0,), lbte=True)
    assert [tensor.method for tensor in found.result.tensors] == ["rta", "lbte"]
    assert found.deviation == pytest.approx(0.0, abs=1e-6)
    assert {"fc2", "fc3", "forces"} <= set(found.result.files)


def test_a_calculation_of_another_geometry_is_refused() -> None:
    asked = cells_of(diamond())
    (cell,) = computed(asked.cells)
    moved = Crystal(cell.crystal.cell, cell.crystal.frac + np.eye(16, 3) * 0.01, cell.crystal.numbers)
    with pytest.raises(InputError, match="not of the supercell"):
        validated(asked, forces=(CellForces(moved, cell.forces),))


def test_a_crystal_that_cannot_be_standardised_is_the_asker_s_matter() -> None:
    """Two atoms on one place: no symmetry is found."""
    crystal = diamond()
    doubled = Crystal(crystal.cell, np.zeros((2, 3)), crystal.numbers)
    with pytest.raises(InputError, match="cannot be displaced"):
        cells_of(doubled, potential=None)


def test_a_missing_calculation_is_refused() -> None:
    with pytest.raises(InputError, match="0 calculations for 1 supercells"):
        validated(cells_of(diamond()), forces=())
