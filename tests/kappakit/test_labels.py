"""Labelled frames survive their file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kappakit.labels import read_frames, read_geometries, shipped_labels, write_frames
from tests.kappakit.labelled_frames import labelled_frames


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


def test_the_labels_that_come_with_the_program_are_of_carbon() -> None:
    assert {symbol for crystal, _, _ in read_geometries(shipped_labels()) for symbol in crystal.symbols} == {"C"}
