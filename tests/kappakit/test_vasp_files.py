"""VASP's input files, as text."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
import yaml
from pymatgen.core import Lattice
from pymatgen.io.vasp.inputs import Incar, Kpoints, Poscar

from kappakit.crystals import Crystal
from kappakit.dft import LABEL, RELAX, DftTask, inputs_sha256, k_mesh
from kappakit.protocol import DftRunSettings, DftSettings
from kappakit.vasp_files import PAW_NAMES, layout, paw_names, vasp_inputs

PAPER = DftSettings(engine="vasp")
NITRIDE = Crystal.from_symbols(
    [[2.5, 0.0, 0.1], [0.3, 2.6, 0.0], [0.0, 0.2, 6.7]],
    [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9], [0.15, 0.25, -0.35]],
    ["B", "N", "B", "N"],
)
CARBON = Crystal.from_symbols(1.785 * (np.ones((3, 3)) - np.eye(3)), [[0, 0, 0], [0.25, 0.25, 0.25]], ["C", "C"])


def test_the_papers_settings() -> None:
    """Choudhary et al. and the VASP wiki: optB88-vdW is GGA = BO with PARAM1 = 0.1833333333 (= 1.1/6), PARAM2 = 0.22."""
    task = DftTask(LABEL, CARBON, PAPER)
    inputs = vasp_inputs(task, DftRunSettings())
    assert set(inputs) == {"INCAR", "POSCAR", "POTCAR.spec"}
    digest = inputs_sha256(task.text())
    assert inputs["INCAR"].splitlines() == [
        f"# C2 label, optB88-vdW; inputs sha256 {digest}",
        "# Join the POTCAR files that POTCAR.spec names, in its order. Give back vasprun.xml, unchanged.",
        "# Before VASP 6.4.3 the file vdw_kernel.bindat must lie in the folder.",
        "GGA = BO",
        "PARAM1 = 0.1833333333",
        "PARAM2 = 0.22",
        "LUSE_VDW = .TRUE.",
        "AGGAC = 0.0",
        "LASPH = .TRUE.",
        "PREC = Accurate",
        "ENCUT = 600",
        "EDIFF = 1e-05",
        "ISPIN = 2",
        "ISMEAR = -1",
        "SIGMA = 0.05",
        "KSPACING = 0.15",
        "KGAMMA = .TRUE.",
        "LREAL = .FALSE.",
        "NSW = 0",
        "IBRION = -1",
        "ISIF = 2",
        "NELM = 200",
        "LWAVE = .FALSE.",
        "LCHARG = .FALSE.",
    ]
    assert inputs["POTCAR.spec"] == "C PBE.54\n"
    assert inputs["POSCAR"].splitlines()[0] == f"C2 label, inputs sha256 {digest}"


def tags(task: DftTask, run: DftRunSettings | None = None) -> dict[str, object]:
    return dict(Incar.from_str(vasp_inputs(task, run or DftRunSettings())["INCAR"]))


def test_pymatgen_reads_the_incar_back() -> None:
    read = tags(DftTask(LABEL, CARBON, replace(PAPER, energy_tolerance=1e-8)))
    assert (read["GGA"], read["LUSE_VDW"], read["AGGAC"]) == ("Bo", True, 0.0)
    assert (read["EDIFF"], read["ISMEAR"], read["LREAL"], read["ENCUT"]) == (1e-8, -1, False, 600)


def test_other_functionals_spins_and_smearings() -> None:
    settings = replace(PAPER, functional="PBE", spin=False, smearing="gaussian", smearing_width=0.1)
    read = tags(DftTask(LABEL, CARBON, settings))
    assert (read["GGA"], read["ISPIN"], read["ISMEAR"], read["SIGMA"]) == ("Pe", 1, 0, 0.1)
    assert not {"LUSE_VDW", "AGGAC", "PARAM1"} & set(read)
    lda = vasp_inputs(DftTask(LABEL, CARBON, replace(PAPER, functional="LDA")), DftRunSettings())
    assert "GGA = CA\n" in lda["INCAR"]
    assert lda["POTCAR.spec"] == "C LDA.54\n"


def test_a_relaxation_moves_cell_and_atoms_to_the_asked_force() -> None:
    read = tags(DftTask(RELAX, CARBON, PAPER))
    assert (read["IBRION"], read["ISIF"], read["NSW"], read["EDIFFG"]) == (2, 3, 200, -0.005)


def test_run_settings_change_the_steps_and_the_mixing_alone() -> None:
    task = DftTask(LABEL, CARBON, PAPER)
    usual, gentle = tags(task), tags(task, DftRunSettings(mixing=0.025, max_iterations=400))
    changed = {name: gentle[name] for name in gentle if gentle[name] != usual.get(name)}
    assert changed == {"NELM": 400, "AMIX": 0.2, "AMIX_MAG": 0.8}


def test_species_stand_together_and_the_way_back_is_known() -> None:
    task = DftTask(LABEL, NITRIDE, PAPER)
    text = vasp_inputs(task, DftRunSettings())["POSCAR"]
    assert text.splitlines()[5:7] == ["B N", "2 2"]
    structure = Poscar.from_str(text).structure
    place = layout(NITRIDE)
    assert place.atoms.tolist() == [0, 2, 1, 3]
    back = np.empty((4, 3))
    back[place.atoms] = structure.frac_coords
    assert back == pytest.approx(NITRIDE.frac, abs=1e-14)
    assert structure.lattice.matrix == pytest.approx(NITRIDE.cell, abs=1e-14)
    assert paw_names(task) == ["B", "N"]


def test_a_left_handed_cell_is_written_right_handed() -> None:
    left = Crystal(NITRIDE.cell[[0, 2, 1]], NITRIDE.frac[:, [0, 2, 1]], NITRIDE.numbers)
    structure = Poscar.from_str(vasp_inputs(DftTask(LABEL, left, PAPER), DftRunSettings())["POSCAR"]).structure
    assert np.linalg.det(structure.lattice.matrix) > 0.0
    assert structure.lattice.matrix == pytest.approx(NITRIDE.cell, abs=1e-14)


def test_a_fixed_mesh_takes_the_place_of_the_spacing() -> None:
    inputs = vasp_inputs(DftTask(LABEL, CARBON, PAPER), DftRunSettings(), mesh=(5, 5, 3))
    assert "KSPACING" not in inputs["INCAR"]
    kpoints = Kpoints.from_str(inputs["KPOINTS"])
    assert (kpoints.style.name, tuple(kpoints.kpts[0])) == ("Gamma", (5, 5, 3))


def test_the_mesh_follows_vasps_rule_for_kspacing() -> None:
    """N_i = max(1, ceil(|b_i| / KSPACING)) with 2π in b_i (VASP wiki, KSPACING); pymatgen's reciprocal lattice has it."""
    for cell in (NITRIDE.cell, CARBON.cell, np.diag([3.0, 8.0, 40.0])):
        for spacing in (0.15, 0.22, 0.4, 0.8):
            lengths = np.array(Lattice(cell).reciprocal_lattice.abc)
            assert k_mesh(cell, spacing) == tuple(np.maximum(1, np.ceil(lengths / spacing)).astype(int))
    assert k_mesh(CARBON.cell, 0.15) == (21, 21, 21)


def test_the_paw_sets_are_those_of_the_materials_project() -> None:
    table = yaml.safe_load((files("pymatgen.io.vasp") / "MPSCANRelaxSet.yaml").read_text())
    assert table["POTCAR_FUNCTIONAL"] == "PBE_54"
    assert {symbol: name for symbol, name in table["POTCAR"].items() if symbol != name} == PAW_NAMES
