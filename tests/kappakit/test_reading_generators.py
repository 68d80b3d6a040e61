"""Crystals of other generators: AIRSS' blocks and USPEX' or CALYPSO's many POSCARs in one file, good beside broken."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import numpy as np
import pytest
from ase.io.res import Res
from hypothesis import given, settings
from hypothesis import strategies as st

from kappakit.errors import Rejected
from kappakit.reading.poscar import poscar_frames
from kappakit.reading.res import res_frames
from tests.kappakit.strangers_files import (
    AIRSS_BORON_NITRIDE,
    AIRSS_DIAMOND,
    DIAMOND,
    GOOD,
    USPEX_DIAMOND,
    USPEX_LONSDALEITE,
    read,
)

VASP4 = USPEX_DIAMOND.replace("   C\n", "")
SELECTIVE = re.sub(r"(Direct\n)(.+)\n(.+)\n", r"Selective dynamics\n\1\2 T F T\n\3 F F F\n", USPEX_DIAMOND)
VELOCITIES = "\n  0.1E-02  0.0E+00  0.0E+00\n  0.0E+00  0.2E-02  0.0E+00\n"
MOLECULAR_DYNAMICS = "\n 1\n 0.1E+01\n 0.2 0.1 0.0 0.0\n 0.1 0.1 0.1\n 0.2 0.2 0.2\n"


def reasons(refusals) -> dict[str, str]:
    return {source: refusal.reason for source, refusal in refusals.items()}


def test_blocks_of_airss_come_in_by_name_with_the_elements_of_sfac(tmp_path: Path) -> None:
    files = {"all.res": AIRSS_DIAMOND + AIRSS_BORON_NITRIDE, "b.res.gz": gzip.compress(AIRSS_DIAMOND.encode())}
    crystals, refusals = read(tmp_path, files)
    assert refusals == {}
    assert {source: found.label for source, found in crystals.items()} == {
        "all.res#1": "C-61524-8467-12",
        "all.res#2": "BN-7",
        "b.res.gz#1": "C-61524-8467-12",
    }
    diamond, nitride = crystals["all.res#1"].crystal, crystals["all.res#2"].crystal
    assert diamond.volume == pytest.approx(DIAMOND.volume, rel=2e-3)
    assert nitride.formula == "B2N2"
    assert nitride.frac[0] == pytest.approx([1 / 3, 2 / 3, 1 / 16], abs=1e-6)


def test_a_block_is_read_as_ase_reads_it_where_ase_reads_all_of_it() -> None:
    (frame,) = res_frames(AIRSS_DIAMOND)
    ours, theirs = frame.parse(200), Res.from_string(AIRSS_DIAMOND).atoms
    assert np.allclose(ours.cell[:], theirs.cell[:])
    assert np.allclose(ours.positions, theirs.positions)
    assert (ours.numbers == theirs.numbers).all()


BROKEN_BLOCKS = {
    "cut short": (AIRSS_DIAMOND.rsplit("C  ", 1)[0], "unreadable"),
    "no atoms": (AIRSS_DIAMOND.replace("C      1", "REM"), "no-atoms"),
    "half an atom": (AIRSS_DIAMOND.replace("1.0   0.04", "0.5"), "disordered"),
    "no such element": (AIRSS_DIAMOND.replace("SFAC C", "SFAC Qq"), "unknown-element"),
    "nothing in SFAC": (AIRSS_DIAMOND.replace("SFAC C\n", ""), "unreadable"),
    "words for numbers": (AIRSS_DIAMOND.replace("0.2500000000000 1.0", "a quarter"), "unreadable"),
    "a line of a refinement": (AIRSS_DIAMOND.replace("SFAC", "FVAR 1.0\nSFAC"), "unreadable"),
    "a centred lattice": (AIRSS_DIAMOND.replace("LATT -1", "LATT -4"), "unreadable"),
    "symmetry": (AIRSS_DIAMOND.replace("SFAC", "SYMM -X, -Y, Z\nSFAC"), "unreadable"),
    "no cell": (AIRSS_DIAMOND.replace("CELL", "REM"), "unreadable"),
    "angles of no cell": (AIRSS_DIAMOND.replace("60.00000", "170.0"), "no-volume"),
    "a crowd": (AIRSS_DIAMOND.replace("END", "C 1 0.1 0.2 0.3\n" * 300 + "END"), "too-many-atoms"),
}


def test_a_broken_block_is_refused_for_its_own_reason_and_those_around_it_come_in(tmp_path: Path) -> None:
    blocks = [block for broken, _ in BROKEN_BLOCKS.values() for block in (AIRSS_BORON_NITRIDE, broken)]
    crystals, refusals = read(tmp_path, {"all.res": "".join([*blocks, AIRSS_BORON_NITRIDE])})
    assert len(crystals) == len(BROKEN_BLOCKS) + 1
    assert {found.label for found in crystals.values()} == {"BN-7"}
    found = {name: refusals[f"all.res#{2 * i}"].reason for i, name in enumerate(BROKEN_BLOCKS, 1)}
    assert found == {name: reason for name, (_, reason) in BROKEN_BLOCKS.items()}
    assert refusals["all.res#8"].detail == "Qq is no known element"


def test_an_atom_that_a_refinement_would_hold_in_place_is_whole(tmp_path: Path) -> None:
    held = AIRSS_DIAMOND.replace(" 0.2500000000000 1.0", "10.2500000000000 11.0")
    crystals, _ = read(tmp_path, {"held.res": held})
    assert crystals["held.res#1"].crystal.frac[1] == pytest.approx([0.25] * 3)


GATHERED = ("gatheredPOSCARS", "BESTgatheredPOSCARS", "run.POSCARS", "POSCAR_all", "all.vasp")


def test_gathered_poscars_come_in_one_by_one_under_their_names(tmp_path: Path) -> None:
    crystals, refusals = read(tmp_path, dict.fromkeys(GATHERED, USPEX_DIAMOND + USPEX_LONSDALEITE))
    assert refusals == {}
    assert sorted(crystals) == sorted(f"{name}#{position}" for name in GATHERED for position in (1, 2))
    assert [crystals[f"gatheredPOSCARS#{i}"].label for i in (1, 2)] == ["EA12", "EA33"]
    assert [crystals[f"gatheredPOSCARS#{i}"].crystal.formula for i in (1, 2)] == ["C2", "C4"]
    assert crystals["all.vasp#1"].crystal.volume == pytest.approx(DIAMOND.volume, rel=1e-3)


@pytest.mark.parametrize(
    ("block", "label"),
    [
        (USPEX_DIAMOND.replace("EA12", "a title"), "a title 2.522 2.522 2.522 60.00 60.00 60.00 Sym.group:  227"),
        (USPEX_DIAMOND + VELOCITIES, "EA12"),
        (USPEX_DIAMOND + "Cartesian" + VELOCITIES, "EA12"),
        (USPEX_DIAMOND + VELOCITIES + MOLECULAR_DYNAMICS, "EA12"),
        (
            SELECTIVE,
            "EA12",
        ),
        (USPEX_DIAMOND.replace("1.0\n", "1.0 1.0 1.0\n", 1), "EA12"),
        (USPEX_DIAMOND.replace("1.0\n", "-11.34 a volume\n", 1), "EA12"),
        (USPEX_DIAMOND.replace("   2\n", "   2 ! atoms\n"), "EA12"),
        (USPEX_DIAMOND.replace("   C\n", "   C_h/0f3a\n"), "EA12"),
        ("\n" + USPEX_DIAMOND.split("\n", 1)[1], ""),
        ("C\n" + VASP4.split("\n", 1)[1], "C"),
        (USPEX_DIAMOND.replace("\n", "\r\n"), "EA12"),
    ],
)
def test_whatever_a_poscar_may_hold_the_next_one_begins_behind_it(block: str, label: str) -> None:
    first, second = poscar_frames(block + USPEX_LONSDALEITE)
    assert first.label == label
    diamond = first.parse(200)
    assert diamond.get_volume() == pytest.approx(DIAMOND.volume, rel=1e-3)
    assert diamond.get_distance(0, 1, mic=True) == pytest.approx(1.544, abs=2e-3)
    assert second.label == "EA33"
    assert len(second.parse(200)) == 4


BROKEN_POSCARS = {
    "a scale that is no number": USPEX_DIAMOND.replace("1.0\n", "1.O\n", 1),
    "a lattice vector too few": USPEX_DIAMOND.replace("     1.783150     0.000000     1.783150\n", ""),
    "no counts": USPEX_DIAMOND.replace("   2\n", "   two\n"),
    "an atom too few": USPEX_DIAMOND.rsplit("\n", 2)[0] + "\n",
    "an atom too many": USPEX_DIAMOND + "0.5 0.5 0.5\n",
    "counts that promise the next block": USPEX_DIAMOND.replace("   2\n", "   20\n"),
    "a word for a coordinate": USPEX_DIAMOND.replace("0.250000     0.250000\n", "0.250000     a quarter\n"),
    "two elements and one count": USPEX_DIAMOND.replace("   C\n", "   C N\n"),
    "prose": "This is a note that someone left here.\nIt has two lines.\n",
}


@pytest.mark.parametrize("broken", BROKEN_POSCARS.values(), ids=BROKEN_POSCARS)
def test_a_broken_poscar_is_one_refusal_between_its_neighbours(broken: str) -> None:
    first, middle, last = poscar_frames(USPEX_DIAMOND + broken + USPEX_LONSDALEITE)
    assert (len(first.parse(200)), len(last.parse(200))) == (2, 4)
    with pytest.raises((Rejected, ValueError)):
        middle.parse(200)


def test_when_no_block_begins_any_more_the_rest_of_the_file_is_one_refusal(tmp_path: Path) -> None:
    rest = BROKEN_POSCARS["no counts"] + BROKEN_POSCARS["a scale that is no number"]
    crystals, refusals = read(tmp_path, {"gatheredPOSCARS": USPEX_DIAMOND + rest, "next.extxyz": GOOD})
    assert sorted(crystals) == ["gatheredPOSCARS#1", "next.extxyz#1"]
    assert reasons(refusals) == {"gatheredPOSCARS#2": "unreadable"}
    assert refusals["gatheredPOSCARS#2"].detail.startswith("lines 11–31 are no POSCAR: title, scale")


def test_a_poscar_that_names_no_elements_is_refused_and_says_what_to_write(tmp_path: Path) -> None:
    crystals, refusals = read(
        tmp_path, {"POSCARS": VASP4 + USPEX_LONSDALEITE, "POSCAR_4": "In C\n" + VASP4.split("\n", 1)[1]}
    )
    assert sorted(crystals) == ["POSCARS#2"]
    assert reasons(refusals) == {"POSCARS#1": "no-elements", "POSCAR_4#1": "no-elements"}
    told = "no line names the elements (VASP 4): write their symbols above the counts"
    assert refusals["POSCARS#1"].detail == told


def test_a_crowd_is_counted_without_being_built() -> None:
    crowd = USPEX_DIAMOND.replace("   2\n", "   999999999999\n")
    first, second = poscar_frames(crowd + USPEX_LONSDALEITE)
    with pytest.raises(Rejected, match="999,999,999,999 atoms in the cell; at most 200"):
        first.parse(200)
    assert len(second.parse(200)) == 4


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, len(USPEX_DIAMOND) - 2), junk=st.text("0123456789.-eE \nCXT!", max_size=4))
def test_damage_in_one_poscar_stays_there(place: int, junk: str) -> None:
    damaged = USPEX_DIAMOND[:place] + junk + USPEX_DIAMOND[place + 1 :]
    frames = list(poscar_frames(USPEX_LONSDALEITE + damaged + USPEX_LONSDALEITE))
    assert len(frames[0].parse(200)) == 4
    assert (frames[-1].label, len(frames[-1].parse(200))) == ("EA33", 4)


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, len(AIRSS_DIAMOND) - 2), junk=st.text("0123456789.-eE \nCTILD", max_size=4))
def test_damage_in_one_block_of_airss_stays_there(place: int, junk: str) -> None:
    damaged = AIRSS_DIAMOND[:place] + junk + AIRSS_DIAMOND[place + 1 :]
    frames = list(res_frames(AIRSS_BORON_NITRIDE + damaged + AIRSS_BORON_NITRIDE))
    assert len(frames[0].parse(200)) == len(frames[-1].parse(200)) == 4
