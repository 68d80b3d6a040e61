"""Zip archives from strangers: crystals of every member come in, nothing is written, and no bomb goes off."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kappakit import writing
from kappakit.reading import Limits
from tests.kappakit.strangers_files import AIRSS_DIAMOND, DIAMOND, GOOD, QUICK, USPEX_DIAMOND, USPEX_LONSDALEITE, read

CIF = writing.cif(DIAMOND, "diamond")
CENTRAL = b"PK\x01\x02"
LOCAL = b"PK\x03\x04"


def zipped(*members: tuple[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return buffer.getvalue()


def reasons(refusals) -> dict[str, str]:
    return {source: refusal.reason for source, refusal in refusals.items()}


def test_every_format_comes_in_from_an_archive_by_its_path_in_it(tmp_path: Path) -> None:
    content = zipped(
        ("gen_0.cif", CIF),
        ("run/1/POSCAR", writing.poscar(DIAMOND)),
        ("run/gatheredPOSCARS", USPEX_DIAMOND + USPEX_LONSDALEITE),
        ("airss/all.res", AIRSS_DIAMOND * 2),
        ("windows\\generated_crystals.extxyz", GOOD),
        ("empty folder/", ""),
    )
    crystals, refusals = read(tmp_path, {"generated_crystals_cif.zip": content})
    assert refusals == {}
    assert list(crystals) == [
        f"generated_crystals_cif.zip/{place}"
        for place in (
            "gen_0.cif#1",
            "run/1/POSCAR#1",
            "run/gatheredPOSCARS#1",
            "run/gatheredPOSCARS#2",
            "airss/all.res#1",
            "airss/all.res#2",
            "windows/generated_crystals.extxyz#1",
        )
    ]
    assert crystals["generated_crystals_cif.zip/gen_0.cif#1"].label == "diamond"


def test_what_is_broken_or_strange_in_an_archive_is_refused_alone(tmp_path: Path) -> None:
    content = zipped(
        ("a.cif", CIF),
        ("README.txt", "how these were made"),
        ("cut.cif", CIF[:300]),
        ("empty.extxyz", ""),
        ("half.extxyz", f"{GOOD}no number of atoms\n{GOOD}"),
        ("rows.db", b"SQLite format 3\0"),
        ("more.zip", zipped(("b.cif", CIF))),
        ("more.cif", zipped(("b.cif", CIF))),
        ("more.cif.gz", b"\x1f\x8b"),
        ("z.cif", CIF),
    )
    crystals, refusals = read(tmp_path, {"mixed.zip": content, "next.extxyz": GOOD})
    assert list(crystals) == ["mixed.zip/a.cif#1", "mixed.zip/half.extxyz#1", "mixed.zip/z.cif#1", "next.extxyz#1"]
    assert reasons(refusals) == {
        "mixed.zip/README.txt#1": "unknown-format",
        "mixed.zip/cut.cif#1": "no-crystal",
        "mixed.zip/empty.extxyz#1": "no-crystal",
        "mixed.zip/half.extxyz#2": "unreadable",
        "mixed.zip/rows.db#1": "unknown-format",
        "mixed.zip/more.zip#1": "nested-archive",
        "mixed.zip/more.cif#1": "nested-archive",
        "mixed.zip/more.cif.gz#1": "nested-archive",
    }


def test_what_file_managers_hide_in_an_archive_is_passed_over(tmp_path: Path) -> None:
    clutter = [("__MACOSX/._a.cif", b"\0\5"), (".DS_Store", b"\0"), ("run/.git/x.cif", CIF), ("__MACOSX/", "")]
    crystals, refusals = read(tmp_path, {"mac.zip": zipped(*clutter, ("./a.cif", CIF))})
    assert (list(crystals), refusals) == (["mac.zip/a.cif#1"], {})


def test_a_path_that_climbs_out_of_an_archive_is_only_a_name(tmp_path: Path) -> None:
    inside = tmp_path / "deep" / "inside"
    inside.mkdir(parents=True)
    content = zipped(("../../etc/passwd", "root:x:0:0"), ("../../out.cif", CIF), ("/tmp/absolute.cif", CIF))
    before = sorted(tmp_path.rglob("*"))
    crystals, refusals = read(inside, {"climber.zip": content})
    assert list(crystals) == ["climber.zip/../../out.cif#1", "climber.zip/tmp/absolute.cif#1"]
    assert reasons(refusals) == {"climber.zip/../../etc/passwd#1": "unknown-format"}
    assert sorted(tmp_path.rglob("*")) == sorted([*before, inside / "climber.zip"])
    assert not Path("/tmp/absolute.cif").exists()


def test_a_bomb_is_stopped_by_the_bytes_that_come_out_of_it(tmp_path: Path) -> None:
    bomb = zipped(("a.cif", CIF), *((f"{i}.cif", "#" * (600 * 1024)) for i in range(4)))
    crystals, refusals = read(tmp_path, {"bomb.zip": bomb, "next.extxyz": GOOD})
    assert len(bomb) < 20_000
    assert list(crystals) == ["bomb.zip/a.cif#1", "next.extxyz#1"]
    assert reasons(refusals) == {"bomb.zip/0.cif#1": "unreadable", "bomb.zip/1.cif#1": "too-large"}
    told = "the archive holds more than 1 MiB: nothing is read from here on"
    assert refusals["bomb.zip/1.cif#1"].detail == told


def test_a_header_that_lies_about_its_size_gains_nothing(tmp_path: Path) -> None:
    honest = zipped(("big.cif", "#" * (4 * 2**20)), ("a.cif", CIF))
    size = (4 * 2**20).to_bytes(4, "little")
    small, huge = honest.replace(size, (10).to_bytes(4, "little")), honest.replace(size, b"\xf0\xff\xff\xff")
    crystals, refusals = read(tmp_path, {"small.zip": small, "huge.zip": huge, "next.extxyz": GOOD})
    assert list(crystals) == ["small.zip/a.cif#1", "next.extxyz#1"]
    assert reasons(refusals) == {"small.zip/big.cif#1": "unreadable", "huge.zip/big.cif#1": "too-large"}


def test_an_archive_of_too_many_files_is_refused_as_a_whole(tmp_path: Path) -> None:
    many = zipped(*((f"{i}.cif", CIF) for i in range(4)))
    limits = Limits(max_members=3)
    crystals, refusals = read(tmp_path, {"many.zip": many, "few.zip": zipped(("a.cif", CIF))}, limits)
    assert list(crystals) == ["few.zip/a.cif#1"]
    assert refusals["many.zip#1"].detail == "4 files in one archive; 3 at most"


def test_an_encrypted_member_is_refused_and_the_others_come_in(tmp_path: Path) -> None:
    content = bytearray(zipped(("secret.cif", CIF), ("a.cif", CIF)))
    content[content.index(LOCAL) + 6] |= 1
    content[content.index(CENTRAL) + 8] |= 1
    crystals, refusals = read(tmp_path, {"locked.zip": bytes(content)})
    assert list(crystals) == ["locked.zip/a.cif#1"]
    assert refusals["locked.zip/secret.cif#1"].detail == "secret.cif is encrypted: pack it without a password"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (zipped(), "no-crystal"),
        (zipped(("folder/", ""), ("__MACOSX/._x", "")), "no-crystal"),
        (zipped(("a.cif", CIF))[:-30], "unreadable"),
        (b"this is no archive", "unreadable"),
    ],
    ids=["empty", "folders alone", "cut short", "text"],
)
def test_an_archive_with_nothing_to_read_is_one_refusal(tmp_path: Path, content: bytes, reason: str) -> None:
    crystals, refusals = read(tmp_path, {"a.zip": content, "next.extxyz": GOOD})
    assert list(crystals) == ["next.extxyz#1"]
    assert reasons(refusals) == {"a.zip#1": reason}


def test_a_damaged_member_is_refused_and_the_others_come_in(tmp_path: Path) -> None:
    content = bytearray(zipped(("a.cif", CIF), ("b.cif", CIF), method=zipfile.ZIP_STORED))
    content[content.index(b"_cell_length")] ^= 0xFF
    crystals, refusals = read(tmp_path, {"damaged.zip": bytes(content)})
    assert list(crystals) == ["damaged.zip/b.cif#1"]
    assert reasons(refusals) == {"damaged.zip/a.cif#1": "unreadable"}


def test_members_packed_by_a_method_that_cannot_be_counted_are_refused(tmp_path: Path) -> None:
    _, refusals = read(tmp_path, {"x.zip": zipped(("a.cif", CIF), method=zipfile.ZIP_LZMA)})
    assert reasons(refusals) == {"x.zip/a.cif#1": "unreadable"}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_of_one_name_or_a_very_long_one_are_told_apart(tmp_path: Path) -> None:
    long = "deep/" * 60
    members = [("a.cif", CIF), ("a.cif", CIF), ("a#.cif", CIF), (f"{long}1/x.cif", CIF), (f"other/{long}1/x.cif", CIF)]
    crystals, _ = read(tmp_path, {"names.zip": zipped(*members)})
    names = [source.removeprefix("names.zip/") for source in crystals]
    assert names[:3] == ["a.cif#1", "a.cif (2)#1", "a_.cif#1"]
    assert names[4] == names[3].replace(".cif#", ".cif (2)#")
    assert all(len(name) < 95 for name in names)


def test_a_reader_that_dies_of_a_member_goes_on_behind_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, ase.io.cif as cif\n"
        "kept = cif.CIFBlock.get_atoms\n"
        "cif.CIFBlock.get_atoms = lambda self, **k: os.abort() if self.name == 'deadly' else kept(self, **k)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    content = zipped(("a.cif", CIF), ("b.cif", CIF.replace("data_diamond", "data_deadly")), ("c.cif", CIF))
    crystals, refusals = read(tmp_path, {"x.zip": content})
    assert list(crystals) == ["x.zip/a.cif#1", "x.zip/c.cif#1"]
    assert reasons(refusals) == {"x.zip/b.cif#1": "reader-crashed"}


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.tuples(st.integers(0, 10_000), st.binary(max_size=4)), min_size=30, max_size=30))
def test_a_damaged_archive_never_stops_the_next_file(tmp_path: Path, cuts: list[tuple[int, bytes]]) -> None:
    sound = zipped(("a.cif", CIF), ("b/POSCAR", writing.poscar(DIAMOND)), ("c.res", AIRSS_DIAMOND))
    files = {}
    for i, (place, junk) in enumerate(cuts):
        at = place % len(sound)
        files[f"{i}.zip"] = sound[:at] + junk + sound[at + 1 :]
    crystals, refusals = read(tmp_path, {**files, "last.extxyz": GOOD}, QUICK)
    assert "last.extxyz#1" in crystals
    told = {source.split("#")[0].split("/")[0] for source in {**crystals, **refusals}}
    assert told == {*files, "last.extxyz"}
    assert not any(refusal.reason == "reader-crashed" for refusal in refusals.values())
