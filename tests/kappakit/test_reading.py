"""Files from strangers: what is a crystal comes in, what is broken or hostile is refused, and the rest goes on."""

from __future__ import annotations

import gzip
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from ase.db import connect
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kappakit import writing
from kappakit.crystals import Crystal
from kappakit.reading import Limits, read_files
from tests.kappakit.strangers_files import DIAMOND, GOOD, QUICK, read


def frame(n_atoms: int, lattice: str = "", species: str = "C", positions: np.ndarray | None = None) -> str:
    lattice = lattice or "10 0 0 0 10 0 0 0 10"
    positions = np.random.default_rng(0).random((n_atoms, 3)) * 10 if positions is None else positions
    body = "\n".join(f"{species} {x} {y} {z}" for x, y, z in positions)
    return f'{n_atoms}\nLattice="{lattice}" Properties=species:S:1:pos:R:3 pbc="T T T"\n{body}\n'


def test_every_format_gives_the_same_crystal(tmp_path: Path) -> None:
    rows = 'material_id,cif\nC-1,"' + writing.cif(DIAMOND).replace('"', '""') + '"\n'
    connect(tmp_path / "e.db").write(writing.atoms_of(DIAMOND), name="from the database")
    files = {
        "a.csv": rows,
        "b.csv.gz": gzip.compress(rows.encode()),
        "c.cif": writing.cif(DIAMOND, "diamond"),
        "POSCAR": writing.poscar(DIAMOND, "diamond"),
        "d.extxyz": GOOD,
        "e.db": (tmp_path / "e.db").read_bytes(),
    }
    crystals, refusals = read(tmp_path, files)
    assert refusals == {}
    assert sorted(crystals) == [f"{name}#1" for name in sorted(files)]
    for found in crystals.values():
        assert found.crystal.formula == "C2"
        assert found.crystal.volume == pytest.approx(DIAMOND.volume, rel=1e-6)
        assert np.allclose(found.crystal.cell, DIAMOND.cell, atol=1e-6) or found.source.startswith(("a", "b", "c"))
    labels = {source: found.label for source, found in crystals.items()}
    assert labels["a.csv#1"] == "C-1"
    assert labels["c.cif#1"] == "diamond"
    assert labels["d.extxyz#1"] == "good"
    assert labels["e.db#1"] == "from the database"


def test_a_cif_with_symmetry_operations_is_expanded(tmp_path: Path) -> None:
    text = """data_bn
_cell_length_a 3.6157
_cell_length_b 3.6157
_cell_length_c 3.6157
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F -4 3 m'
_symmetry_Int_Tables_number 216
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
B1 B 0 0 0
N1 N 0.25 0.25 0.25
"""
    crystals, _ = read(tmp_path, {"bn.cif": text})
    assert crystals["bn.cif#1"].crystal.formula == "B4N4"


HOSTILE = {
    "nan_cell.extxyz": (frame(2, lattice="nan 0 0 0 nan 0 0 0 nan"), "not-finite"),
    "infinite_position.extxyz": (frame(1, positions=np.array([[np.inf, 0, 0]])), "not-finite"),
    "flat.extxyz": (frame(2, lattice="3 0 0 0 3 0 3 3 0"), "no-volume"),
    "crowd.extxyz": (frame(10_000, lattice="60 0 0 0 60 0 0 0 60"), "too-many-atoms"),
    "liar.extxyz": ('1000000000\nLattice="9 0 0 0 9 0 0 0 9"\nC 0 0 0\n', "too-many-atoms"),
    "molecule.xyz": ("1\nno lattice here\nC 0 0 0\n", "not-periodic"),
    "element.extxyz": (frame(1, species="Qq"), "unknown-element"),
    "overlap.extxyz": (
        frame(2, positions=np.array([[0, 0, 0], [0.1, 0, 0]]), lattice="3 0 0 0 3 0 0 0 3"),
        "overlapping-atoms",
    ),
    "image_overlap.extxyz": (frame(1, lattice="0.4 0 0 0 6 0 0 0 6"), "overlapping-atoms"),
    "dilute.extxyz": (frame(1, lattice="50 0 0 0 50 0 0 0 50"), "volume"),
    "needle.extxyz": (frame(8, lattice="900 0 0 0 2 0 0 0 2"), "cell-too-long"),
    "cut.cif": (writing.cif(DIAMOND)[:300], "no-crystal"),
    "empty.cif": ("", "unreadable"),
    "text.cif": ("this is no crystal\n" * 10, "unreadable"),
    "short.extxyz": (GOOD.rsplit("\n", 2)[0] + "\n", "unreadable"),
    "words.csv": ("a,b\n1,2\n", "unreadable"),
    "binary.db": (b"\x00" * 4096, "unreadable"),
    "broken.db": (b"SQLite format 3\x00" + b"\xff" * 4096, "unreadable"),
    "cut.csv.gz": (gzip.compress(b"material_id,cif\n" * 1000)[:40], "unreadable"),
    "bomb.cif.gz": (gzip.compress(b"data_x\n" + b"#" * (4 * 2**20)), "too-large"),
    "song.mp3": (b"ID3", "unknown-format"),
    "POSCAR_huge": ("x\n1.0\n9 0 0\n0 9 0\n0 0 9\nC\n100000000000\nDirect\n0 0 0\n", "too-many-atoms"),
    "blank.extxyz": ("\n\n", "no-crystal"),
}


def test_each_hostile_file_is_refused_for_its_own_reason_and_the_good_ones_come_in(tmp_path: Path) -> None:
    files = {"first.extxyz": GOOD, **{name: content for name, (content, _) in HOSTILE.items()}, "last.extxyz": GOOD}
    crystals, refusals = read(tmp_path, files)
    assert sorted(crystals) == ["first.extxyz#1", "last.extxyz#1"]
    assert refusals["crowd.extxyz#1"].detail == "10,000 atoms in the cell; at most 200 are taken"
    assert {name: refusals[f"{name}#1"].reason for name in HOSTILE} == {n: reason for n, (_, reason) in HOSTILE.items()}


def test_a_broken_row_is_refused_and_the_rows_around_it_come_in(tmp_path: Path) -> None:
    cif = writing.cif(DIAMOND).replace('"', '""')
    rows = f'material_id,cif\nC-1,"{cif}"\nC-2,"data_nothing"\nC-3,"{cif}"\n'
    crystals, refusals = read(tmp_path, {"rows.csv": rows})
    assert sorted(crystals) == ["rows.csv#1", "rows.csv#3"]
    assert refusals["rows.csv#2"].reason == "no-crystal"


def test_what_breaks_the_file_behind_a_crystal_is_refused_at_its_own_position(tmp_path: Path) -> None:
    crystals, refusals = read(tmp_path, {"frames.extxyz": f"{GOOD}no number of atoms\n"})
    assert sorted(crystals) == ["frames.extxyz#1"]
    assert {source: found.reason for source, found in refusals.items()} == {"frames.extxyz#2": "unreadable"}


def test_a_label_comes_in_without_what_no_one_can_print(tmp_path: Path) -> None:
    crystals, _ = read(tmp_path, {"POSCAR": writing.poscar(DIAMOND).replace("crystal", "bell \a and nil \0 within")})
    assert crystals["POSCAR#1"].label == "bell  and nil  within"


def test_a_partly_occupied_site_is_refused(tmp_path: Path) -> None:
    text = writing.cif(DIAMOND).replace("0.0  0.0  0.0  1.0000", "0.0  0.0  0.0  0.5000")
    _, refusals = read(tmp_path, {"half.cif": text})
    assert refusals["half.cif#1"].reason == "disordered"


def test_a_file_that_takes_too_long_is_stopped_and_the_next_one_comes_in(tmp_path: Path) -> None:
    sites = "".join(f"C{i} C {x} {y} {z}\n" for i, (x, y, z) in enumerate(np.random.default_rng(0).random((190, 3))))
    header = writing.cif(DIAMOND).split("loop_")[0].replace("P 1", "F m -3 m").replace("number       1", "number 225")
    columns = "loop_\n_atom_site_label\n_atom_site_type_symbol\n" + "".join(f"_atom_site_fract_{x}\n" for x in "xyz")
    files = {"endless.cif": header + columns + sites, "next.extxyz": GOOD}
    crystals, refusals = read(tmp_path, files, Limits(frame_seconds=0.3))
    assert refusals["endless.cif#1"].reason == "time-limit"
    assert "next.extxyz#1" in crystals


def test_a_reader_that_no_alarm_reaches_is_killed_from_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    misbehave(tmp_path, monkeypatch, "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGPROF]); time.sleep(60)")
    blocks = "".join(writing.cif(DIAMOND, name) for name in ("one", "deadly", "three"))
    crystals, refusals = read(tmp_path, {"blocks.cif": blocks}, Limits(frame_seconds=0.5, answer_seconds=3.0))
    assert sorted(crystals) == ["blocks.cif#1", "blocks.cif#3"]
    assert refusals["blocks.cif#2"].reason == "time-limit"


def test_a_crystal_that_takes_too_much_memory_costs_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    misbehave(tmp_path, monkeypatch, "bytearray(2**40)")
    blocks = "".join(writing.cif(DIAMOND, name) for name in ("one", "deadly", "three"))
    crystals, refusals = read(tmp_path, {"blocks.cif": blocks})
    assert sorted(crystals) == ["blocks.cif#1", "blocks.cif#3"]
    assert refusals["blocks.cif#2"].reason == "memory-limit"


def test_a_reader_that_dies_costs_one_crystal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    misbehave(tmp_path, monkeypatch, "os.abort()")
    blocks = "".join(writing.cif(DIAMOND, name) for name in ("one", "deadly", "three"))
    crystals, refusals = read(tmp_path, {"blocks.cif": blocks, "next.extxyz": GOOD})
    assert sorted(crystals) == ["blocks.cif#1", "blocks.cif#3", "next.extxyz#1"]
    assert refusals["blocks.cif#2"].reason == "reader-crashed"


def misbehave(folder: Path, monkeypatch: pytest.MonkeyPatch, misdeed: str) -> None:
    """In the reader's process, a CIF block named 'deadly' does the misdeed."""
    (folder / "sitecustomize.py").write_text(
        "import os, signal, time, ase.io.cif as cif\n"
        "kept = cif.CIFBlock.get_atoms\n"
        "def get_atoms(self, **choices):\n"
        f"    if self.name == 'deadly':\n        {misdeed}\n"
        "    return kept(self, **choices)\n"
        "cif.CIFBlock.get_atoms = get_atoms\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(folder))


def test_a_database_with_a_hostile_row_is_read_around_it(tmp_path: Path) -> None:
    path = tmp_path / "rows.db"
    database = connect(path)
    for _ in range(3):
        database.write(writing.atoms_of(DIAMOND))
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE systems SET cell = ? WHERE id = 2", (np.full(9, np.nan).tobytes(),))
    crystals, refusals = read_files([("rows.db", path)], QUICK)
    assert [c.source for c in crystals] == ["rows.db#1", "rows.db#3"]
    assert [(r.source, r.reason) for r in refusals] == [("rows.db#2", "not-finite")]


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=8)), min_size=30, max_size=30))
def test_a_damaged_file_never_stops_the_others(tmp_path: Path, cuts: list[tuple[int, bytes]]) -> None:
    texts = [GOOD.encode(), writing.cif(DIAMOND).encode(), writing.poscar(DIAMOND).encode()]
    names = ["d.extxyz", "d.cif", "d.vasp"]
    files = {}
    for i, (place, junk) in enumerate(cuts):
        text = texts[i % 3]
        at = place % len(text)
        files[f"{i}{names[i % 3]}"] = text[:at] + junk + text[at + 1 :]
    crystals, refusals = read(tmp_path, {**files, "last.extxyz": GOOD})
    assert "last.extxyz#1" in crystals
    assert {source.split("#")[0] for source in {**crystals, **refusals}} == {*files, "last.extxyz"}
    assert all(isinstance(found.crystal, Crystal) for found in crystals.values())
