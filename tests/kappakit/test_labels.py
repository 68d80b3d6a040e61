"""Labelled configurations: the shipped ones, files, packed files."""

from __future__ import annotations

import gzip
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kappakit.dft import method_digest, method_of
from kappakit.errors import InputError
from kappakit.labels import read_frames, shipped_labels, write_frames
from kappakit.protocol import DftSettings
from scripts.shipped_labels import PAW, VERSION
from tests.kappakit.labelled_frames import labelled_frames


def test_the_shipped_labels_are_what_their_description_says() -> None:
    """423 frames, 160 distinct crystals, 3656 atoms, −12.084 to −9.084 eV/atom: the data set's own description."""
    frames = read_frames(shipped_labels())
    per_atom = np.array([f.evaluation.energy / f.crystal.n_atoms for f in frames])
    assert (len(frames), len({f.group for f in frames})) == (423, 160)
    assert sum(f.crystal.n_atoms for f in frames) == 3656
    assert per_atom.min() == pytest.approx(-12.084, abs=5e-4)
    assert per_atom.max() == pytest.approx(-9.084, abs=5e-4)
    kinds = Counter(f.kind for f in frames)
    assert kinds == {"fps": 155, "fps-min": 88, "supercell": 82, "ref": 68, "hot": 30}


def test_the_shipped_labels_have_the_digest_that_gpaw_gives_its_own_with_these_settings() -> None:
    settings = DftSettings(engine="gpaw", k_spacing=0.4, spin=False)
    digest = method_digest(method_of(settings, engine_version=VERSION, paw=PAW))
    assert {f.method for f in read_frames(shipped_labels())} == {digest}


def test_a_packed_file_reads_as_the_plain_one(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.extxyz", tmp_path / "a.extxyz.gz"
    write_frames(plain, labelled_frames(3))
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    for one, other in zip(read_frames(plain), read_frames(packed), strict=True):
        assert one.crystal.digest == other.crystal.digest
        assert (one.evaluation.energy, one.group, one.kind) == (other.evaluation.energy, other.group, other.kind)


@pytest.mark.parametrize("content", [b"no gzip", gzip.compress(b"x" * 999)[:-12], gzip.compress(b"2\nnonsense")])
def test_a_damaged_packed_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.xyz.gz").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.xyz\.gz"):
        read_frames(tmp_path / "a.xyz.gz")


@pytest.mark.parametrize(("kind", "method"), [("ref", "a" * 64), ("", "")])
def test_a_frame_comes_back_with_its_labels_also_where_it_has_neither_kind_nor_method(
    tmp_path: Path, kind: str, method: str
) -> None:
    """Positions are written with 8 decimals (Å)."""
    given = [replace(frame, kind=kind, method=method) for frame in labelled_frames(3)]
    write_frames(tmp_path / "labels.extxyz", given)
    for old, new in zip(given, read_frames(tmp_path / "labels.extxyz"), strict=True):
        assert (new.group, new.kind, new.method) == (old.group, old.kind, old.method)
        assert new.evaluation.energy == pytest.approx(old.evaluation.energy, abs=1e-12)
        np.testing.assert_allclose(new.evaluation.forces, old.evaluation.forces, atol=1e-8)
        np.testing.assert_allclose(new.evaluation.stress, old.evaluation.stress, atol=1e-12)
