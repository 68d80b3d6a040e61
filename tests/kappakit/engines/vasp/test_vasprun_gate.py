"""A vasprun.xml counts only where it is whole and what was asked; otherwise every difference is named."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase.io import read
from pymatgen.io.vasp.outputs import Vasprun

from kappakit.crystals import Crystal
from kappakit.dft import RELAX, DftTask, method_digest
from kappakit.engines.doors import RealEngines
from kappakit.engines.vasp.scan import MAX_BYTES
from kappakit.engines.vasp.vasprun import Differs, checked
from kappakit.errors import InputError
from kappakit.ports import DftResult, SilentProgress
from kappakit.stages import check_upload
from kappakit.stages.contracts import CalculateOutputs, UploadInputs
from kappakit.stages.table import NoSettings
from tests.kappakit.real_vasprun import (
    DIAMOND,
    FREE,
    SALT,
    SALT_EDITS,
    SIGMA0,
    diamond_task,
    diamond_text,
    edited,
    salt_task,
)


def result_of(folder: Path, text: str, task: DftTask) -> DftResult:
    path = folder / "vasprun.xml"
    path.write_text(text, encoding="latin-1")
    return checked(path, task)


def refused(folder: Path, text: str, task: DftTask) -> list[str]:
    with pytest.raises(InputError) as caught:
        result_of(folder, text, task)
    return str(caught.value).splitlines()


def test_a_run_that_was_asked_gives_its_numbers(tmp_path: Path) -> None:
    result = result_of(tmp_path, diamond_text(), diamond_task())
    assert result.energy == pytest.approx(FREE, abs=1e-8)
    assert result.energy_sigma0 == pytest.approx(SIGMA0, abs=1e-8)
    assert result.forces.shape == (2, 3)
    assert np.abs(result.forces).max() == 0.0
    assert (result.k_mesh, result.iterations, result.steps) == ((4, 4, 4), 9, 0)
    assert result.version == "VASP 6.3.0 (20jan22)"
    assert (result.method["engine"], result.method["version"]) == ("vasp", "6.3.0")
    assert result.method["paw"] == "PAW C 22Mar2012"
    assert result.method_sha256 == method_digest(result.method)
    assert result.magnetic_moment is None
    assert result.notes == ()


def test_stretched_diamond_is_under_tension(tmp_path: Path) -> None:
    """The file has -165.996 kbar at 3.57 Å, where LDA's diamond is 3.535 Å long: 16.6 GPa of tension, positive here."""
    stress = result_of(tmp_path, diamond_text(), diamond_task()).stress
    assert stress is not None
    assert np.diag(stress) == pytest.approx([16.59956258 / 160.21766208] * 3, abs=1e-9)
    atoms = read(DIAMOND)
    assert stress == pytest.approx(atoms.get_stress(voigt=False), abs=1e-6)


def test_the_gap_is_that_between_filled_and_empty_levels(tmp_path: Path) -> None:
    """pymatgen's own, from occupations, agrees where the smearing leaves none above the gap."""
    gap = result_of(tmp_path, diamond_text(), diamond_task()).gap
    assert gap == pytest.approx(14.5994 - 9.0490, abs=1e-6)
    real = Vasprun(str(DIAMOND), parse_dos=False, parse_potcar_file=False)
    assert gap == pytest.approx(float(real.eigenvalue_band_properties[0]), abs=1e-6)


def test_the_real_file_differs_from_all_that_can_be_asked_and_each_difference_is_named(tmp_path: Path) -> None:
    assert refused(tmp_path, DIAMOND.read_text(), diamond_task()) == [
        "functional: LASPH = .FALSE., LDA takes .TRUE.",
        "smearing: ISMEAR = 1, asked is 0 (gaussian)",
        "precision: PREC = Normal, asked is Accurate",
        "other physics: PSTRESS = 1, asked is 0",
        "k points: the mesh is not centred on Γ",
    ]


@pytest.mark.parametrize(
    ("settings", "difference"),
    [
        ({"functional": "PBE"}, "functional: GGA = CA, PBE takes PE"),
        ({"functional": "PBE"}, "PAW set: 'PAW C' was taken, asked are PAW_PBE C"),
        ({"functional": "optB88-vdW"}, "functional: LUSE_VDW = .FALSE., optB88-vdW takes .TRUE."),
        ({"functional": "optB88-vdW"}, "functional: PARAM1 = 0.1234, optB88-vdW takes 0.183333"),
        ({"functional": "optB88-vdW"}, "functional: AGGAC = 1, optB88-vdW takes 0"),
        ({"cutoff": 600.0}, "cutoff: ENCUT = 400 eV, asked is 600"),
        ({"cutoff": 300.0}, "cutoff: ENCUT = 400 eV, asked is 300"),
        ({"spin": True}, "spin: ISPIN = 1, asked is 2"),
        ({"smearing": "fermi-dirac"}, "smearing: ISMEAR = 0, asked is -1 (fermi-dirac)"),
        ({"smearing_width": 0.05}, "smearing: SIGMA = 0.2 eV, asked is 0.05"),
        ({"energy_tolerance": 1e-8}, "electronic tolerance: EDIFF = 0.0001, asked is at most 1e-08"),
        ({"k_spacing": 0.5}, "k points: a mesh of 4×4×4, KSPACING = 0.5 asks 7×7×7"),
    ],
)
def test_another_setting_is_refused_by_name(tmp_path: Path, settings: dict[str, object], difference: str) -> None:
    assert difference in refused(tmp_path, diamond_text(), diamond_task(**settings))


@pytest.mark.parametrize(
    ("edit", "difference"),
    [
        (
            ('type="logical" name="LHFCALC"> F ', 'type="logical" name="LHFCALC"> T '),
            "other physics: LHFCALC = .TRUE., asked is .FALSE.",
        ),
        (('name="LDAU"> F ', 'name="LDAU"> T '), "other physics: LDAU = .TRUE., asked is .FALSE."),
        (('name="LREAL"> F ', 'name="LREAL"> T '), "other physics: LREAL = .TRUE., asked is .FALSE."),
        (("<incar>", '<incar>\n  <i type="int" name="IVDW">12</i>'), "other physics: IVDW = 12, asked is 0"),
        (("<incar>", '<incar>\n  <i name="NELECT">9.0</i>'), "set by hand (NELECT = 9.0)"),
        (('name="finalpos"', 'name="lastpos"'), "completeness: the run did not write its final structure"),
        (('name="NELM">    60', 'name="NELM">     9'), "electrons: not converged within NELM = 9 steps"),
        (
            ("    -20.24695945 </i>", "    -20.24995945 </i>"),
            "electrons: the last step still changed the energy by more than 0.0001 eV",
        ),
        (('param="Monkhorst-Pack"', 'param="Reciprocal"'), "k points: a list instead of a mesh"),
    ],
)
def test_another_run_is_refused_by_name(tmp_path: Path, edit: tuple[str, str], difference: str) -> None:
    assert difference in "\n".join(refused(tmp_path, diamond_text(edit), diamond_task()))


def test_electrons_that_did_not_converge_are_no_other_calculation(tmp_path: Path) -> None:
    with pytest.raises(Differs) as caught:
        result_of(tmp_path, diamond_text(('name="NELM">    60', 'name="NELM">     9')), diamond_task())
    assert caught.value.unconverged


def moved(task: DftTask, by: float) -> DftTask:
    crystal = task.crystal
    frac = crystal.frac + np.array([[0.0, 0.0, 0.0], [by, 0.0, 0.0]]) @ np.linalg.inv(crystal.cell)
    return replace(task, crystal=Crystal(crystal.cell, frac, crystal.numbers))


def test_a_moved_atom_a_strained_cell_and_another_element_are_refused(tmp_path: Path) -> None:
    task, text = diamond_task(), diamond_text()
    assert result_of(tmp_path, text, moved(task, 0.9e-4)).energy == pytest.approx(FREE)
    assert refused(tmp_path, text, moved(task, 1.1e-4))[0].startswith("structure: atoms stand elsewhere")
    strained = replace(task, crystal=Crystal(task.crystal.cell * 1.001, task.crystal.frac, task.crystal.numbers))
    assert refused(tmp_path, text, strained)[0].startswith("structure: the lattice vectors differ by up to 0.0018 Å")
    silicon = replace(task, crystal=Crystal(task.crystal.cell, task.crystal.frac, np.array([14, 14])))
    assert refused(tmp_path, text, silicon)[0] == "structure: C2 was computed, Si2 is asked"


def test_atoms_come_back_in_the_order_and_image_that_was_asked(tmp_path: Path) -> None:
    text = edited(SALT, *SALT_EDITS)
    start = text.index('<varray name="forces"')
    first, second = text[start:].split("\n")[1:3]
    head, tail = text[:start], text[start:]
    tail = tail.replace(first, "<v> 0.1 0.0 0.0 </v>", 1).replace(second, "<v> -0.1 0.0 0.0 </v>", 1)
    task = salt_task()
    result = result_of(tmp_path, head + tail, task)
    assert result.forces[:, 0].tolist() == [-0.1, 0.1]
    assert result.crystal.symbols == ("Cl", "Na")
    assert result.crystal.frac == pytest.approx(task.crystal.frac, abs=1e-7)
    assert result.energy == pytest.approx(-6.74587304, abs=1e-8)
    assert result.notes == ("EDIFF was 1e-08 eV, tighter than asked",)


def test_a_left_handed_crystal_comes_back_left_handed(tmp_path: Path) -> None:
    task = diamond_task()
    axes = [0, 2, 1]
    mirrored = Crystal(task.crystal.cell[axes], task.crystal.frac[:, axes], task.crystal.numbers)
    assert np.linalg.det(mirrored.cell) < 0.0
    result = result_of(tmp_path, diamond_text(), replace(task, crystal=mirrored))
    assert result.crystal.cell == pytest.approx(mirrored.cell, abs=1e-8)


def test_spins_give_a_moment(tmp_path: Path) -> None:
    """The file's levels twice, the second time with the highest filled one empty: one μ_B a cell, and no gap."""
    text = diamond_text(('name="ISPIN">     1', 'name="ISPIN">     2'))
    start = text.index('<set comment="spin 1">')
    end = text.index("    </set>\n   </array>\n  </eigenvalues>")
    block = text[start:end]
    down = block.replace("spin 1", "spin 2")
    lines = down.splitlines()
    for place, line in enumerate(lines):
        if "1.0000 </r>" in line and "0.0000 </r>" in lines[place + 1]:
            lines[place] = line.replace("1.0000 </r>", "0.0000 </r>")
    both = text[:end] + "     " + "\n".join(lines) + "\n" + text[end:]
    result = result_of(tmp_path, both, diamond_task(spin=True))
    assert result.magnetic_moment == pytest.approx(1.0, abs=1e-6)
    assert result_of(tmp_path, text[:end] + "     " + down + text[end:], diamond_task(spin=True)).magnetic_moment == 0.0


def relaxation(tmp_path: Path, stress: str, **settings: object) -> list[str] | DftResult:
    task = replace(diamond_task(**settings), task=RELAX)
    text = diamond_text(
        ('name="NSW">     0', 'name="NSW">    50'),
        ('name="ISIF">     2', 'name="ISIF">     3'),
        ("165.99562580", stress),
    )
    try:
        return result_of(tmp_path, text, task)
    except Differs as error:
        return str(error).splitlines()


def test_a_relaxation_must_end_without_forces_and_stress(tmp_path: Path) -> None:
    assert relaxation(tmp_path, "165.99562580") == ["relaxation: stress up to 16.600 GPa, asked is 0.1"]
    relaxed = relaxation(tmp_path, "0.90000000")
    assert isinstance(relaxed, DftResult)
    fixed_cell = refused(tmp_path, diamond_text(), replace(diamond_task(), task=RELAX))
    assert "relaxation: ISIF = 2, asked is 3 (cell and positions)" in fixed_cell


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.8, 0.95, 0.9999])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, share: float) -> None:
    text = diamond_text().rstrip()
    (line,) = refused(tmp_path, text[: int(len(text) * share)], diamond_task())
    assert line.startswith("the file is not whole: it is cut off or no XML")


def test_a_cut_off_file_that_somebody_closed_by_hand_is_refused(tmp_path: Path) -> None:
    text = diamond_text()
    whole = text[: text.index('<structure name="finalpos"')] + "</modeling>"
    assert refused(tmp_path, whole, diamond_task())[0].startswith("completeness:")
    no_forces = text.replace('<varray name="forces"', '<varray name="velocities"')
    assert refused(tmp_path, no_forces, diamond_task())[0].startswith("this is no whole vasprun.xml")
    nothing = text[: text.index("<calculation>")] + "</modeling>"
    assert "no calculation" in refused(tmp_path, nothing, diamond_task())[0]


LAUGHS = '<?xml version="1.0"?>\n<!DOCTYPE modeling [<!ENTITY a "ha">{}]>\n<modeling>&j;</modeling>'.format(
    "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True))
)
OUTSIDE = '<?xml version="1.0"?>\n<!DOCTYPE m [<!ENTITY x SYSTEM "file:///etc/hostname">]>\n<modeling>&x;</modeling>'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("data_diamond\n_cell_length_a 3.57\n", "cut off or no XML"),
        ("", "cut off or no XML"),
        ("<html><body>login</body></html>", "its outermost element is 'html'"),
        (LAUGHS, "declares a document type or entities"),
        (OUTSIDE, "declares a document type or entities"),
        ("<a>" * 100_000, "the file nests 40 elements"),
        ('<?xml version="1.0" encoding="no-such-code"?><modeling/>', "cut off or no XML"),
        ("<modeling><calculation/></modeling>", "this is no whole vasprun.xml"),
    ],
)
def test_what_is_no_vasprun_is_refused_with_a_reason(tmp_path: Path, text: str, reason: str) -> None:
    assert reason in refused(tmp_path, text, diamond_task())[0]


def test_numbers_that_do_not_fit_their_columns_are_refused(tmp_path: Path) -> None:
    text = diamond_text(("    -165.99562580       0.00000000      -0.00000000", "*************** 0.0 0.0"))
    assert refused(tmp_path, text, diamond_task())[0].startswith("this is no whole vasprun.xml")


def test_a_file_of_more_than_500_mb_or_a_packed_one_is_not_opened(tmp_path: Path) -> None:
    large = tmp_path / "vasprun.xml"
    large.touch()
    os.truncate(large, MAX_BYTES + 1)
    with pytest.raises(InputError, match="at most 500 are read"):
        checked(large, diamond_task())
    with pytest.raises(InputError, match="unpack it"):
        checked(tmp_path / "vasprun.xml.gz", diamond_task())


def upload(path: Path, task: DftTask) -> CalculateOutputs:
    engines = RealEngines(SilentProgress())
    return check_upload.run(UploadInputs(task.text(), str(path)), NoSettings(), engines=engines)


def test_an_upload_is_a_result_or_a_list_of_differences(tmp_path: Path) -> None:
    path = tmp_path / "vasprun.xml"
    path.write_text(diamond_text(), encoding="latin-1")
    good = upload(path, diamond_task())
    assert good.result is not None
    assert (good.result.energy, good.failure) == (pytest.approx(FREE), "")
    bad = upload(path, diamond_task(cutoff=600.0, spin=True))
    assert (bad.result, bad.failure) == (None, "input")
    assert bad.message == "cutoff: ENCUT = 400 eV, asked is 600\nspin: ISPIN = 1, asked is 2"


def test_no_vasprun_answers_what_was_asked_of_another_engine(tmp_path: Path) -> None:
    path = tmp_path / "vasprun.xml"
    path.write_text(diamond_text(), encoding="latin-1")
    assert "gpaw are not taken by file" in upload(path, diamond_task(engine="gpaw")).message
    with pytest.raises(InputError, match="asked of gpaw"):
        checked(path, diamond_task(engine="gpaw"))
