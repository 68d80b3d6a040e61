"""Files of one crystal: what is written is read back the same, and a web process may do it."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest
from ase.io import read

from kappakit import writing
from kappakit.reference import REFERENCES

WRITERS = {"cif": writing.cif, "vasp": writing.poscar, "extxyz": writing.extxyz}


@pytest.mark.parametrize("name", ["diamond", "M-carbon", "wurtzite-BN"])
@pytest.mark.parametrize("kind", WRITERS)
def test_what_is_written_is_read_back(kind: str, name: str) -> None:
    crystal = REFERENCES[name].crystal
    text = WRITERS[kind](crystal)
    found = read(io.StringIO(text), format=kind)
    assert found.get_chemical_formula() == writing.atoms_of(crystal).get_chemical_formula()
    assert found.cell.cellpar() == pytest.approx(writing.atoms_of(crystal).cell.cellpar(), abs=1e-6)
    assert found.get_all_distances(mic=True).sum() == pytest.approx(
        writing.atoms_of(crystal).get_all_distances(mic=True).sum(), abs=1e-4
    )


def test_a_name_with_spaces_and_line_breaks_breaks_no_file() -> None:
    crystal = REFERENCES["diamond"].crystal
    name = "my crystal\nloop_ 'x'"
    assert len(read(io.StringIO(writing.cif(crystal, name)), format="cif")) == 2
    assert len(read(io.StringIO(writing.poscar(crystal, name)), format="vasp")) == 2
    assert read(io.StringIO(writing.extxyz(crystal, {"name": name})), format="extxyz").cell.volume == pytest.approx(
        crystal.volume
    )


def test_the_crystal_given_is_not_changed() -> None:
    crystal = REFERENCES["graphite"].crystal
    before = crystal.digest
    atoms = writing.atoms_of(crystal)
    atoms.positions += 1.0
    assert np.array_equal(atoms.numbers, crystal.numbers)
    assert crystal.digest == before


def test_writing_reading_and_references_load_no_engine() -> None:
    """The process that serves pages imports these; engines and their libraries stay out of it."""
    heavy = "{'torch', 'pymatgen', 'dscribe', 'sklearn', 'phono3py', 'pyxtal'}"
    modules = "kappakit.writing, kappakit.reading, kappakit.reference"
    code = f"import sys, {modules}; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
