"""All members in one pass give what each gives alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kappakit.crystals import Crystal
from kappakit.engines.allegro.committee import AllegroCommittee, load
from kappakit.engines.allegro.configurations import CONFIGURATIONS
from kappakit.engines.allegro.network import Description, build, digest, save
from kappakit.engines.doors import RealEngines
from kappakit.errors import InputError
from kappakit.ports import PotentialRef, SilentProgress
from tests.kappakit.labelled_frames import rattled_diamonds
from tests.kappakit.reference_cells import lonsdaleite

TINY = CONFIGURATIONS["carbon-tiny"].architecture


def stored(folder: Path, index: int, **changes: int) -> PotentialRef:
    """Fresh weights with a scale, a shift and a mean number of neighbours of their own."""
    description = Description(replace(TINY, **changes), ("C",), 20.0 + 7 * index, 1.0 + index, (-5.0 * index,))
    sha256 = save(build(description, dtype="float32", seed=index), description, folder)
    (folder / "card.json").write_text("{}")
    return PotentialRef("allegro", str(index), str(folder), sha256)


@pytest.fixture(scope="module")
def refs(tmp_path_factory: pytest.TempPathFactory) -> list[PotentialRef]:
    return [stored(tmp_path_factory.mktemp(f"m{index}"), index) for index in range(3)]


@pytest.fixture(scope="module")
def committee(refs: list[PotentialRef]) -> AllegroCommittee:
    return load(refs)


def test_batched_members_equal_single_ones(committee: AllegroCommittee) -> None:
    crystals = [*rattled_diamonds(3), lonsdaleite()]
    together = committee.evaluate(crystals)
    for index in range(committee.size):
        for crystal, found, alone in zip(crystals, together, committee.member(index).evaluate(crystals), strict=True):
            assert found.forces.shape == (3, crystal.n_atoms, 3)
            assert found.energies[index] == pytest.approx(alone.energy, rel=1e-12)
            np.testing.assert_allclose(found.forces[index], alone.forces, rtol=1e-9, atol=1e-11)


def test_many_chunks_give_what_one_gives(committee: AllegroCommittee, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = committee.evaluate(rattled_diamonds(5))
    monkeypatch.setattr("kappakit.engines.allegro.committee.CHUNK_EDGES", 60)
    for one, other in zip(whole, committee.evaluate(rattled_diamonds(5)), strict=True):
        np.testing.assert_allclose(one.energies, other.energies, rtol=1e-12)
        np.testing.assert_allclose(one.forces, other.forces, rtol=1e-9, atol=1e-11)


def test_an_isolated_atom_has_each_members_own_shift(committee: AllegroCommittee) -> None:
    atom = Crystal(9.0 * np.eye(3), np.zeros((1, 3)), np.array([6]))
    (found,) = committee.evaluate([atom])
    np.testing.assert_allclose(found.energies, [0.0, -5.0, -10.0], atol=1e-9)
    np.testing.assert_allclose(found.forces, 0.0)


def test_the_door_opens_a_committee_of_one_engine(refs: list[PotentialRef]) -> None:
    engines = RealEngines(SilentProgress())
    assert engines.committee(refs).size == 3
    with pytest.raises(InputError, match="of one engine"):
        engines.committee([refs[0], PotentialRef("emt", "emt")])


def test_members_that_do_not_fit_together_are_refused(refs: list[PotentialRef], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one architecture"):
        load([refs[0], stored(tmp_path, 1, scalar_features=16)])
    with pytest.raises(InputError, match="sha256 differs"):
        load([refs[0], replace(refs[1], sha256=digest(Path(refs[0].folder)))])
    with pytest.raises(InputError, match="has members"):
        load([])


def test_an_element_that_the_members_do_not_know_is_refused(committee: AllegroCommittee) -> None:
    silicon = Crystal(5.43 * np.eye(3), np.zeros((1, 3)), np.array([14]))
    with pytest.raises(InputError, match="not Si"):
        committee.evaluate([silicon])
