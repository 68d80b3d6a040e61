"""From a crystal and a potential to κ_L, its evidence and its files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from kappakit import archive
from kappakit.crystals import Crystal
from kappakit.ports import PotentialRef
from kappakit.protocol import ConductivitySettings
from kappakit.stages import conductivity, force_sets
from kappakit.stages.contracts import ConductivityInputs, ConductivityOutputs, ForceSetInputs, Tensor
from tests.kappakit.reference_cells import diamond, lonsdaleite, simple_cubic
from tests.kappakit.stages.tersoff_engines import TersoffEngines
from tests.kappakit.tersoff_potential import BORON_CARBON_NITROGEN, TersoffPotential

SMALL = ConductivitySettings(
    supercell_rule="repeat",
    displacements="systematic",
    fc3_supercell=2,
    fc2_supercell=2,
    pair_cutoff=2.0,
    mesh_step=1.0,
    mesh_length=12.0,
)
TERSOFF = PotentialRef(engine="tersoff", name="tersoff")


def asked(crystal: Crystal, **changes: Any) -> ConductivityInputs:
    return replace(ConductivityInputs("7", crystal, TERSOFF, symprec=0.1, lbte="no"), **changes)


def on_mesh(length: float) -> ConductivitySettings:
    return replace(SMALL, mesh_length=length)


def at_300(tensor: Tensor) -> np.ndarray:
    return tensor.kappa[np.flatnonzero(tensor.temperatures == 300.0)[0]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("diamond")


@pytest.fixture(scope="module")
def of_diamond(folder: Path) -> ConductivityOutputs:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return conductivity.run(asked(diamond(), lbte="yes"), SMALL, engines=TersoffEngines())


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_diamond_conducts_alike_in_every_direction(of_diamond: ConductivityOutputs) -> None:
    for tensor in of_diamond.tensors:
        np.testing.assert_allclose(at_300(tensor), at_300(tensor)[0, 0] * np.eye(3), atol=1e-6 * at_300(tensor)[0, 0])
        assert tensor.uvw == ("any direction",) * 3


def test_diamond_conducts_heat_extremely_well(of_diamond: ConductivityOutputs) -> None:
    """An order of magnitude: a coarse mesh and a small supercell, but Tersoff's carbon is as stiff as diamond."""
    rta, _ = of_diamond.tensors
    assert 500.0 < at_300(rta)[0, 0] < 5000.0


def test_the_full_solution_exceeds_the_relaxation_time_approximation_in_diamond(
    of_diamond: ConductivityOutputs,
) -> None:
    """Normal processes do not resist a heat current: A. Ward et al., Phys. Rev. B 80, 125203 (2009)."""
    rta, lbte = of_diamond.tensors
    assert (rta.method, lbte.method) == ("rta", "lbte")
    assert 1.05 < at_300(lbte)[0, 0] / at_300(rta)[0, 0] < 2.0


def test_conductivity_falls_as_a_crystal_gets_hotter(of_diamond: ConductivityOutputs) -> None:
    rta = of_diamond.tensors[0]
    assert {100.0, 300.0, 1000.0} <= set(rta.temperatures.tolist())
    assert np.all(np.diff(rta.principal[:, 0]) < 0)
    hot = rta.principal[-1, 0] * rta.temperatures[-1] / (rta.principal[-2, 0] * rta.temperatures[-2])
    assert hot == pytest.approx(1.0, abs=0.05), "1/T where every mode is excited"


def test_modes_add_up_to_the_tensor(of_diamond: ConductivityOutputs) -> None:
    modes = of_diamond.modes
    assert modes is not None
    assert modes.weights.sum() == 4 * 5**3, "four primitive cells a cube, five points along each of its edges"
    assert modes.frequencies.shape == modes.linewidths.shape == modes.group_velocities.shape
    assert modes.cumulative[-1] == pytest.approx(np.trace(at_300(of_diamond.tensors[0])) / 3, rel=1e-6)
    assert np.all(np.diff(modes.cumulative) >= -1e-9)
    assert np.all(np.diff(modes.mean_free_paths) > 0)


def test_the_evidence_of_the_force_constants_is_kept(of_diamond: ConductivityOutputs) -> None:
    assert of_diamond.verdict.dynamical == "stable"
    assert of_diamond.residuals.asr_fc3 < 1e-6
    assert of_diamond.residuals.permutation_fc3 < 1e-10
    assert of_diamond.residuals.force_noise == 0.0
    assert of_diamond.nac == "not needed"
    assert of_diamond.engine_version.startswith("phono3py 4.")
    assert of_diamond.notes == ()


def test_outputs_survive_the_archive(of_diamond: ConductivityOutputs, own_folder: Path) -> None:
    archive.write(own_folder, "outputs", of_diamond)
    back = archive.read(own_folder, "outputs", ConductivityOutputs)
    np.testing.assert_array_equal(back.tensors[1].kappa, of_diamond.tensors[1].kappa)
    assert back.tensors[0].uvw == of_diamond.tensors[0].uvw
    assert back.bands.ticks == of_diamond.bands.ticks


def test_anybody_s_phono3py_reads_the_files_and_finds_the_same_conductivity(
    of_diamond: ConductivityOutputs, folder: Path
) -> None:
    assert set(of_diamond.files) == {"phono3py_yaml", "fc2", "fc3", "forces"}
    assert all((folder / path).is_file() for path in of_diamond.files.values())
    again = force_sets.run(ForceSetInputs(str(folder), (12.0,), (300.0,)), SMALL, engines=TersoffEngines())
    np.testing.assert_allclose(again.tensors[0].kappa[0], at_300(of_diamond.tensors[0]), rtol=1e-4, atol=1e-3)


def test_a_turned_crystal_conducts_alike_along_its_axis() -> None:
    """In the plane phonopy splits degenerate group velocities along a fixed Cartesian direction: a few per cent on so
    coarse a mesh. Every planned cell is standardised, so its orientation is always the same one."""
    rotation = Rotation.from_euler("xyz", [0.3, 0.7, -0.4]).as_matrix()
    straight = lonsdaleite()
    turned = Crystal(straight.cell @ rotation.T, straight.frac, straight.numbers)
    (one,), (other,) = (
        conductivity.run(asked(crystal), on_mesh(6.0), engines=TersoffEngines()).tensors
        for crystal in (straight, turned)
    )
    axis = rotation @ [0.0, 0.0, 1.0]
    np.testing.assert_allclose(axis @ other.kappa @ axis, one.kappa[:, 2, 2], rtol=1e-4)
    np.testing.assert_allclose(other.principal, one.principal, rtol=0.1)
    np.testing.assert_allclose(np.abs(other.directions[0, 0] @ axis), 1.0, atol=1e-9)
    assert other.uvw == one.uvw


def test_a_hexagonal_crystal_names_its_axis_and_its_plane() -> None:
    (tensor,) = conductivity.run(asked(lonsdaleite()), on_mesh(6.0), engines=TersoffEngines()).tensors
    assert sorted(tensor.uvw) == sorted(["[001]"] + ["any direction in the plane ⊥ [001]"] * 2)


def test_an_imaginary_crystal_gets_no_conductivity_but_keeps_its_phonons(own_folder: Path) -> None:
    found = conductivity.run(asked(simple_cubic(1.6), lbte="yes"), on_mesh(6.0), engines=TersoffEngines())
    assert found.verdict.dynamical == "imaginary"
    assert found.tensors == ()
    assert found.modes is None
    assert found.notes == ("imaginary modes: no κ_L was computed",)
    assert found.bands.frequencies.min() < -1.0
    assert (own_folder / found.files["fc2"]).is_file()


def test_the_noise_of_single_precision_is_stored() -> None:
    engines = TersoffEngines(TersoffPotential(precision="float32"))
    found = conductivity.run(asked(diamond()), on_mesh(6.0), engines=engines)
    assert 1e-7 < found.residuals.force_noise < 1e-4


def test_cubic_boron_nitride_says_that_its_polar_correction_is_missing() -> None:
    nitride = Crystal(diamond(3.658).cell, diamond().frac, [5, 7])
    engines = TersoffEngines(TersoffPotential(BORON_CARBON_NITROGEN))
    found = conductivity.run(asked(nitride), on_mesh(9.0), engines=engines)
    assert found.nac == "missing"
    assert found.tensors[0].principal[0, 0] > 0.0


def test_a_cell_that_is_only_nearly_symmetric_says_so() -> None:
    bent = Crystal(diamond().cell, diamond().frac + np.array([[0, 0, 0], [0.002, 0, 0]]), diamond().numbers)
    found = conductivity.run(asked(bent), on_mesh(4.0), engines=TersoffEngines())
    assert any("Fd-3m at 0.1 Å" in note for note in found.notes)


@pytest.mark.parametrize(
    ("changes", "methods"),
    [
        ({"lbte": "no"}, ["rta"]),
        ({"lbte": "auto"}, ["rta", "lbte"]),
        ({"lbte": "auto", "dimensionality": 2}, ["rta"]),
        ({"lbte": "yes", "dimensionality": 2}, ["rta", "lbte"]),
    ],
)
def test_the_full_solution_follows_where_it_is_due(changes: dict[str, Any], methods: list[str]) -> None:
    found = conductivity.run(asked(diamond(), **changes), on_mesh(9.0), engines=TersoffEngines())
    assert [tensor.method for tensor in found.tensors] == methods


def test_below_the_limit_the_full_solution_is_not_asked_for() -> None:
    settings = replace(SMALL, lbte_above=1e5)
    found = conductivity.run(asked(diamond(), lbte="auto"), settings, engines=TersoffEngines())
    assert [tensor.method for tensor in found.tensors] == ["rta"]
    assert found.notes == ()


def test_a_full_solution_that_takes_too_long_is_left_out_with_a_note() -> None:
    inputs = asked(diamond(), lbte="yes", minutes=1e-6)
    found = conductivity.run(inputs, SMALL, engines=TersoffEngines())
    assert [tensor.method for tensor in found.tensors] == ["rta"]
    (note,) = found.notes
    assert note.startswith("LBTE expected to take")


def test_two_meshes_from_the_same_force_constants_tell_what_the_last_step_changed(own_folder: Path) -> None:
    engines = TersoffEngines()
    settings = replace(SMALL, mesh_length=11.0, mesh_step=1.5, max_mesh_length=11.0, mesh_change=1.0)
    (tensor,) = conductivity.run(asked(diamond()), settings, engines=engines).tensors
    assert [step.mesh.numbers for step in tensor.steps] == [(3, 3, 3), (5, 5, 5)]
    assert tensor.mesh == tensor.steps[-1].mesh
    found = tensor.convergence
    assert found is not None
    before, after = (np.linalg.eigvalsh(step.kappa).max() for step in tensor.steps)
    assert found.largest == pytest.approx((after - before) / after)
    assert found.error > abs(found.largest)
    (again,) = conductivity.run(asked(diamond()), on_mesh(11.0), engines=TersoffEngines()).tensors
    np.testing.assert_allclose(again.kappa, tensor.kappa, rtol=1e-8, atol=1e-6)
    assert again.convergence is None


def test_a_mesh_that_still_changes_too_much_is_refined_until_the_longest() -> None:
    settings = replace(SMALL, mesh_length=11.0, mesh_step=1.5, max_mesh_length=11.0, mesh_change=1e-9)
    found = conductivity.run(asked(diamond()), settings, engines=TersoffEngines())
    assert [step.mesh.numbers[0] for step in found.tensors[0].steps] == [3, 5]
    assert found.notes == ("the mesh was not refined beyond 17.8 Å, the protocol's longest",)


def test_a_mesh_is_not_refined_beyond_the_time_that_is_left() -> None:
    settings = replace(SMALL, mesh_length=11.0, mesh_step=1.5, max_mesh_length=40.0, mesh_change=1e-9)
    found = conductivity.run(asked(diamond(), minutes=1e-6), settings, engines=TersoffEngines())
    assert [step.mesh.numbers[0] for step in found.tensors[0].steps] == [3, 5]
    (note,) = found.notes
    assert note.startswith("the mesh was not refined beyond")
    assert note.endswith("0.0 min are left")


@pytest.mark.parametrize(("changes", "share"), [({"isotopes": "natural"}, 0.99), ({"boundary": 0.1}, 0.7)])
def test_what_scatters_beside_three_phonons_lowers_the_conductivity(changes: dict[str, Any], share: float) -> None:
    pure, real = (
        conductivity.run(asked(diamond()), settings, engines=TersoffEngines()).tensors[0]
        for settings in (on_mesh(9.0), replace(on_mesh(9.0), **changes))
    )
    assert at_300(real)[0, 0] < share * at_300(pure)[0, 0]


def test_both_ways_to_the_interaction_strengths_agree() -> None:
    one, other = (
        conductivity.run(asked(diamond()), replace(on_mesh(9.0), interaction=name), engines=TersoffEngines())
        for name in ("torch", "phono3py")
    )
    np.testing.assert_allclose(one.tensors[0].kappa, other.tensors[0].kappa, rtol=1e-6, atol=1e-6)
    assert "phono3py" in other.engine_version


def test_seconds_are_told_for_each_part(of_diamond: ConductivityOutputs) -> None:
    assert list(of_diamond.parts) == ["forces", "force constants", "phonons", "Boltzmann equation"]
    assert sum(of_diamond.parts.values()) == pytest.approx(of_diamond.seconds, rel=0.2)
