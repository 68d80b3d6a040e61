"""Geometries, reference crystals and files as rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from apps.campaigns.models import Step
from apps.core.errors import Conflict, NotAllowed
from apps.structures.models import LiteratureValue, ReferenceCrystal, Structure
from apps.structures.selectors import crystal_of, crystals_by_id
from apps.structures.services import (
    import_file_add,
    reference_crystals_seed,
    structure_store,
    structures_record,
)
from apps.structures.services.imports import FileRefused
from tests.apps.outputs import boron_nitride, diamond
from tests.apps.rows import a_campaign, a_member, a_user

pytestmark = pytest.mark.django_db


def test_a_geometry_is_one_row_and_comes_back_to_the_last_digit():
    crystal = diamond(1.0 / 3.0)
    row = structure_store(crystal)
    again = structure_store(diamond(1.0 / 3.0))
    assert row == again
    back = crystal_of(Structure.objects.get(pk=row.pk))
    assert np.array_equal(back.cell, crystal.cell)
    assert back.digest == row.digest == crystal.digest


def test_the_row_tells_what_a_list_shows():
    row = structure_store(boron_nitride())
    assert (row.n_atoms, row.formula, row.chemical_system) == (2, "BN", "B-N")
    assert row.density == pytest.approx(3.49, abs=0.03)
    """g/cm³; cubic boron nitride, a = 3.615 Å: 3.487 (CRC Handbook of Chemistry and Physics)."""


def test_many_geometries_keep_their_order_and_equal_ones_share_a_row():
    rows = structures_record([diamond(1.2), diamond(1.1), diamond(1.2)])
    assert rows[0] == rows[2] != rows[1]
    assert crystals_by_id([rows[1].pk])[rows[1].pk].digest == diamond(1.1).digest


def test_many_geometries_take_few_queries(django_assert_num_queries):
    crystals = [diamond(1.0 + n / 1000) for n in range(300)]
    with django_assert_num_queries(3):
        structures_record(crystals)


def test_the_reference_crystals_are_seeded_once_with_their_literature():
    first = reference_crystals_seed()
    counts = ReferenceCrystal.objects.count(), LiteratureValue.objects.count(), Structure.objects.count()
    assert len(reference_crystals_seed()) == len(first)
    assert counts == (ReferenceCrystal.objects.count(), LiteratureValue.objects.count(), Structure.objects.count())
    found = ReferenceCrystal.objects.get(name="diamond")
    assert found.literature.exists()
    assert found.structure.name == "diamond"


def a_file(folder: Path, text: str = "data_x", name: str = "a.cif") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.fixture
def campaign(settings, tmp_path: Path):
    settings.ARTIFACTS = tmp_path / "artifacts"
    return a_campaign(a_user("owner"))


def test_the_same_content_is_imported_once_and_two_files_never_share_a_name(campaign, tmp_path: Path):
    user = campaign.owner
    first = import_file_add(campaign=campaign, file_name="a.cif", content=a_file(tmp_path), user=user)
    assert import_file_add(campaign=campaign, file_name="b.cif", content=a_file(tmp_path), user=user) == first
    other = a_file(tmp_path, "data_y")
    assert import_file_add(campaign=campaign, file_name="a.cif", content=other, user=user).file_name == "a (2).cif"


def test_a_file_name_is_the_last_part_of_a_path(campaign, tmp_path: Path):
    given = import_file_add(
        campaign=campaign, file_name="..\\..\\etc/pass\x00wd#1.cif", content=a_file(tmp_path), user=campaign.owner
    )
    assert given.file_name == "passwd_1.cif"


def test_an_empty_file_a_stranger_and_a_late_file_are_refused(campaign, tmp_path: Path):
    with pytest.raises(FileRefused, match="empty"):
        import_file_add(campaign=campaign, file_name="a.cif", content=a_file(tmp_path, ""), user=campaign.owner)
    viewer = a_member(campaign, "viewer")
    with pytest.raises(NotAllowed):
        import_file_add(campaign=campaign, file_name="a.cif", content=a_file(tmp_path), user=viewer)
    Step.objects.create(campaign=campaign, name="import_structures")
    with pytest.raises(Conflict, match="clone"):
        import_file_add(campaign=campaign, file_name="a.cif", content=a_file(tmp_path), user=campaign.owner)
