"""Folders of force sets that somebody else made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from phonopy import Phonopy
from phonopy.file_IO import write_FORCE_SETS

from kappakit.displacements import crystal_of, displaced
from kappakit.errors import InputError
from kappakit.protocol import ConductivitySettings
from kappakit.stages import force_sets
from kappakit.stages.contracts import ForceSetInputs
from tests.kappakit.reference_cells import diamond
from tests.kappakit.stages.conftest import QuietEngines
from tests.kappakit.tersoff_potential import TersoffPotential

SETTINGS = ConductivitySettings()
SMALL = ConductivitySettings(
    supercell_rule="repeat", displacements="systematic", fc3_supercell=2, fc2_supercell=2, pair_cutoff=2.0
)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "stage"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def asked(folder: Path) -> ForceSetInputs:
    return ForceSetInputs(str(folder), (5, 5, 5), (300.0,))


def harmonic_folder(folder: Path) -> Phonopy:
    """FORCE_SETS of diamond by Tersoff's potential, in phonopy's way."""
    folder.mkdir()
    phonons = Phonopy(displaced(diamond(), SMALL).unitcell, supercell_matrix=[2] * 3, primitive_matrix=np.eye(3))
    phonons.generate_displacements(distance=0.03)
    cells = [crystal_of(cell) for cell in phonons.supercells_with_displacements]
    phonons.forces = [evaluation.forces for evaluation in TersoffPotential().evaluate(cells)]
    phonons.save(folder / "phonopy_disp.yaml", settings={"force_sets": False, "displacements": True})
    write_FORCE_SETS(phonons.dataset, filename=str(folder / "FORCE_SETS"))
    return phonons


def test_second_order_forces_alone_give_phonons_and_no_conductivity(tmp_path: Path) -> None:
    harmonic_folder(tmp_path / "harmonic")
    found = force_sets.run(asked(tmp_path / "harmonic"), SETTINGS, engines=QuietEngines())
    assert found.id == "harmonic"
    assert found.verdict.dynamical == "stable"
    assert found.tensors == ()
    assert found.notes == ("no third-order forces: phonons only",)
    assert found.residuals.asr_fc2 < 1e-8
    assert set(found.files) == {"phonopy_yaml", "fc2"}


def test_a_unit_cell_and_a_configuration_serve_where_there_is_no_yaml(tmp_path: Path) -> None:
    """The shape of the Kyoto phonon database's entries."""
    folder = tmp_path / "old"
    phonons = harmonic_folder(folder)
    (folder / "phonopy_disp.yaml").unlink()
    rows = "\n".join(" ".join(f"{x:.12f}" for x in row) for row in diamond().cell)
    sites = "\n".join(" ".join(f"{x:.12f}" for x in row) for row in diamond().frac)
    (folder / "POSCAR-unitcell").write_text(f"C\n1.0\n{rows}\nC\n2\nDirect\n{sites}\n")
    (folder / "phonopy.conf").write_text("DIM = 2 2 2 # supercell\nPRIMITIVE_AXIS = 1 0 0 0 1 0 0 0 2/2\n")
    found = force_sets.run(asked(folder), SETTINGS, engines=QuietEngines())
    phonons.produce_force_constants()
    phonons.symmetrize_force_constants()
    highest = phonons.run_qpoints([[0, 0, 0]]).frequencies.max()
    assert found.bands.frequencies[0].max() == pytest.approx(highest, rel=1e-4)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither a phono3py yaml nor FORCE_SETS"):
        force_sets.run(asked(tmp_path), SETTINGS, engines=QuietEngines())


def test_displacements_without_forces_are_refused(tmp_path: Path) -> None:
    displaced(diamond(), SMALL).save(tmp_path / "phono3py_disp.yaml")
    with pytest.raises(InputError, match="FORCES_FC3 is missing"):
        force_sets.run(asked(tmp_path), SETTINGS, engines=QuietEngines())


@pytest.mark.parametrize("text", ["0 0 0\n" * 20, "forces\n", ""])
def test_forces_that_do_not_fit_their_displacements_are_refused(tmp_path: Path, text: str) -> None:
    displaced(diamond(), SMALL).save(tmp_path / "phono3py_disp.yaml")
    (tmp_path / "FORCES_FC3").write_text(text)
    with pytest.raises(InputError, match=r"cannot be read|missing"):
        force_sets.run(asked(tmp_path), SETTINGS, engines=QuietEngines())


@pytest.mark.parametrize("text", ["", "[1, 2", "phono3py: {version: 4}", "!!python/object/apply:os.getcwd []"])
def test_a_yaml_that_is_none_of_phono3py_s_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "phono3py_disp.yaml").write_text(text)
    with pytest.raises(InputError):
        force_sets.run(asked(tmp_path), SETTINGS, engines=QuietEngines())


def test_a_configuration_without_a_supercell_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    harmonic_folder(folder)
    (folder / "phonopy_disp.yaml").unlink()
    (folder / "POSCAR-unitcell").write_text("C\n1.0\n1 0 0\n0 1 0\n0 0 1\nC\n1\nDirect\n0 0 0\n")
    with pytest.raises(InputError, match="DIM"):
        force_sets.run(asked(folder), SETTINGS, engines=QuietEngines())
