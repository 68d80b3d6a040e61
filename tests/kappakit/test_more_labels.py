"""The labels of scripts/label_carbon.py: of the shipped ones' method, none of the test set, none twice."""

from __future__ import annotations

import json

import numpy as np
import pytest
from ase.io import iread

from kappakit.engines.gpaw.places import ROOT
from kappakit.labels import read_frames, shipped_labels
from kappakit.ports import LabelledCrystal

MORE = shipped_labels().with_name("carbon_dft_more.extxyz.gz")
CARD = ROOT / "models" / "carbon-laptop" / "card.json"


@pytest.fixture(scope="module")
def more() -> list[LabelledCrystal]:
    return read_frames(MORE)


def test_every_number_is_finite_and_plausible(more: list[LabelledCrystal]) -> None:
    """Shipped: −12.084 to −9.084 eV/atom, forces up to 36 eV/Å."""
    for frame in more:
        found = frame.evaluation
        assert np.isfinite(found.forces).all()
        assert np.isfinite(found.stress).all()
        assert -12.2 < found.energy / frame.crystal.n_atoms < -8.0
        assert np.abs(found.forces).max() < 60.0
        np.testing.assert_allclose(found.forces.sum(axis=0), 0.0, atol=0.05)


def test_the_method_is_that_of_the_shipped_labels(more: list[LabelledCrystal]) -> None:
    assert {frame.method for frame in more} == {frame.method for frame in read_frames(shipped_labels())}


def test_no_frame_is_of_a_test_group_of_the_shipped_potential(more: list[LabelledCrystal]) -> None:
    test = set(json.loads(CARD.read_text())["split"]["test"]["groups"])
    assert len(test) == 16
    assert not test & {frame.group for frame in more}


def test_no_id_and_no_configuration_is_there_twice(more: list[LabelledCrystal]) -> None:
    ids = [atoms.info["id"] for path in (shipped_labels(), MORE) for atoms in iread(str(path), ":", format="extxyz")]
    new = [frame.crystal.digest for frame in more]
    assert len(set(ids)) == len(ids)
    assert len(set(new)) == len(new)
    assert not set(new) & {frame.crystal.digest for frame in read_frames(shipped_labels())}
