"""One point of a convergence study: the same κ_L as the conductivity stage's, on one mesh, with what it took."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kappakit import archive
from kappakit.crystals import Crystal
from kappakit.errors import InputError
from kappakit.ports import PotentialRef
from kappakit.protocol import ConductivitySettings
from kappakit.stages import conductivity, kappa_study
from kappakit.stages.contracts import ConductivityInputs, StudyInputs, StudyOutputs
from tests.kappakit.reference_cells import diamond, simple_cubic
from tests.kappakit.stages.tersoff_engines import TersoffEngines

SMALL = ConductivitySettings(
    supercell_rule="repeat",
    displacements="systematic",
    fc3_supercell=2,
    fc2_supercell=2,
    pair_cutoff=2.0,
    mesh_length=12.0,
    mesh_step=1.0,
)
TERSOFF = PotentialRef(engine="tersoff", name="tersoff")


def point(settings: ConductivitySettings = SMALL, crystal: Crystal | None = None) -> StudyOutputs:
    inputs = StudyInputs("7", crystal or diamond(), TERSOFF)
    return kappa_study.run(inputs, settings, engines=TersoffEngines())


@pytest.fixture(scope="module")
def found() -> StudyOutputs:
    return point()


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_point_is_the_kappa_of_the_conductivity_stage_on_that_mesh(found: StudyOutputs) -> None:
    whole = conductivity.run(
        ConductivityInputs("7", diamond(), TERSOFF, symprec=0.1, lbte="no"), SMALL, engines=TersoffEngines()
    )
    (tensor,) = whole.tensors
    assert tensor.mesh == found.mesh
    at = np.flatnonzero(tensor.temperatures == SMALL.temperature)[0]
    np.testing.assert_allclose(found.principal, tensor.principal[at], rtol=1e-10)
    assert (found.uvw, found.dynamical, found.note) == (("any direction",) * 3, "stable", "")


def test_a_longer_mesh_has_more_points_and_the_same_forces(found: StudyOutputs) -> None:
    longer = point(replace(SMALL, mesh_length=18.0))
    assert longer.mesh.points > found.mesh.points
    assert longer.irreducible > found.irreducible
    assert longer.mesh.length >= 18.0
    assert (longer.supercells, longer.evaluations) == (found.supercells, found.evaluations)
    assert longer.principal != found.principal


def test_a_longer_cutoff_displaces_more_pairs(found: StudyOutputs) -> None:
    farther = point(replace(SMALL, pair_cutoff=2.6))
    assert farther.supercells > found.supercells
    assert farther.mesh == found.mesh


def test_displacements_that_are_small_change_little(found: StudyOutputs) -> None:
    larger = point(replace(SMALL, displacement=0.02))
    assert larger.principal[0] == pytest.approx(found.principal[0], rel=0.05)
    assert larger.principal[0] != found.principal[0]


def test_what_it_took_is_told_part_by_part(found: StudyOutputs) -> None:
    assert list(found.parts) == ["forces", "force constants", "phonons", "Boltzmann equation"]
    assert sum(found.parts.values()) == pytest.approx(found.seconds, rel=0.05)
    assert found.atoms_per_supercell == 16
    assert found.evaluations == 16 * found.supercells
    assert found.supercell == ((2, 0, 0), (0, 2, 0), (0, 0, 2))
    assert "phono3py 4" in found.engine_version


def test_imaginary_modes_leave_a_point_without_kappa() -> None:
    unstable = point(crystal=simple_cubic(2.0))
    assert (unstable.principal, unstable.uvw, unstable.dynamical) == ((), (), "imaginary")
    assert "no κ_L was computed" in unstable.note
    assert unstable.lowest < -0.1


def test_a_mesh_that_no_machine_holds_is_refused_before_any_force() -> None:
    class Unasked(TersoffEngines):
        def potential(self, ref: PotentialRef):  # type: ignore[no-untyped-def]
            potential = super().potential(ref)
            potential.evaluate = lambda crystals: pytest.fail("forces were computed")  # type: ignore[method-assign]
            return potential

    with pytest.raises(InputError, match="q-points"):
        kappa_study.run(StudyInputs("7", diamond(), TERSOFF), replace(SMALL, mesh_length=1e4), engines=Unasked())


def test_outputs_survive_the_archive(found: StudyOutputs, own_folder: Path) -> None:
    archive.write(own_folder, "outputs", found)
    back = archive.read(own_folder, "outputs", StudyOutputs)
    assert (back.principal, back.mesh, back.supercell, back.parts) == (
        found.principal,
        found.mesh,
        found.supercell,
        found.parts,
    )
