"""Maps and samples: frozen versions, recorded choices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from apps.core.errors import ApplicationError, NotThere
from apps.maps.models import Selection, SelectionKind, SoapMap
from apps.maps.selectors import (
    SpaceUnknown,
    map_points,
    map_vectors,
    neighbours_of,
    newest_map,
    selections_of,
    vectors_of,
)
from apps.maps.services import Chosen, selection_record
from apps.maps.stages import embed, sample
from apps.structures.models import Candidate, Outcome, ReferenceCrystal
from apps.structures.services import candidate_exclude, reference_crystals_seed
from kappakit.protocol import PROTOCOLS, SampleSettings
from tests.apps.driving import step_begun, step_through
from tests.apps.outputs import first_and_last, on_a_line
from tests.apps.rows import a_campaign, a_candidate, a_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(settings, tmp_path: Path):
    settings.ARTIFACTS = tmp_path / "artifacts"
    return a_campaign(a_user("owner"), protocol=PROTOCOLS["smoke"])


@pytest.fixture
def kept(campaign) -> list[Candidate]:
    return [a_candidate(campaign, n) for n in range(1, 7)]


def test_kept_candidates_become_the_first_map(campaign, kept):
    a_candidate(campaign, 9, outcome=Outcome.SCREENED_OUT)
    touched, report = step_through(campaign, embed.BINDING, on_a_line)
    found = newest_map(campaign)
    assert report == {"map_id": found.pk, "points": 6}
    assert touched == {row.pk for row in kept}
    assert (found.version, found.perplexity, found.notes) == (1, 5.0, ["perplexity reduced"])
    assert found.settings["r_cut"] == 5.0


def test_the_map_s_points_and_vectors_come_back_in_order(campaign, kept):
    step_through(campaign, embed.BINDING, on_a_line)
    points = map_points(campaign)
    assert [point.candidate_id for point in points] == [row.pk for row in kept]
    assert [(point.x, point.y) for point in points][:2] == [(0.0, 0.0), (1.0, 0.0)]
    ids, vectors = map_vectors(newest_map(campaign))
    assert ids == [row.pk for row in kept]
    assert (vectors.shape, vectors.dtype) == ((6, 4), np.float32)
    assert vectors_of(newest_map(campaign), "plane")[1][5].tolist() == [5.0, 0.0]
    with pytest.raises(SpaceUnknown):
        vectors_of(newest_map(campaign), "hyperspace")


def test_a_second_map_leaves_the_first_as_it_was(campaign, kept):
    step_through(campaign, embed.BINDING, on_a_line)
    first = SoapMap.objects.get()
    _, (job,) = step_begun(campaign, embed.BINDING)
    Candidate.objects.filter(pk=kept[0].pk).update(outcome=Outcome.SCREENED_OUT)
    embed.BINDING.save(job, on_a_line(embed.BINDING.load(job)), {})
    assert newest_map(campaign).version == 2
    assert len(map_points(campaign, first.version)) == 6
    assert len(map_points(campaign)) == 5
    with pytest.raises(NotThere):
        map_points(campaign, 3)


def test_without_a_kept_crystal_there_is_no_map_and_a_reason(campaign):
    a_candidate(campaign, 1, outcome=Outcome.SCREENED_OUT)
    with pytest.raises(ApplicationError, match="1 screened out"):
        step_begun(campaign, embed.BINDING)
    assert map_points(campaign) == []


def test_the_sample_is_a_recorded_selection(campaign, kept):
    step_through(campaign, embed.BINDING, on_a_line)
    touched, report = step_through(campaign, sample.BINDING, first_and_last)
    selection = Selection.objects.get()
    assert report == {"selection_id": selection.pk, "candidates": (kept[0].pk, kept[5].pk)}
    assert touched == {kept[0].pk, kept[5].pk}
    assert (selection.kind, selection.notes, selection.map) == ("sample", ["small pool"], newest_map(campaign))
    assert [(m.how, m.distance) for m in selection.members.order_by("order")] == [("fps", None), ("fps", 3.0)]


@pytest.mark.parametrize(("space", "width"), [("soap", 4), ("plane", 2)])
def test_distances_are_taken_where_the_protocol_says(settings, tmp_path: Path, space: str, width: int):
    settings.ARTIFACTS = tmp_path / "artifacts"
    protocol = replace(PROTOCOLS["smoke"], sample=SampleSettings(count=2, space=space))
    campaign = a_campaign(a_user("owner"), protocol=protocol)
    rows = [a_candidate(campaign, n) for n in range(1, 4)]
    step_through(campaign, embed.BINDING, on_a_line)
    _, (job,) = step_begun(campaign, sample.BINDING)
    inputs = sample.BINDING.load(job).inputs
    assert inputs.vectors.shape == (3, width)
    assert inputs.ids == tuple(str(row.pk) for row in rows)
    assert inputs.energies == (-7.5, -7.5, -7.5)


def test_reference_crystals_have_to_be_in_the_sample_and_excluded_ones_stay_out(campaign, kept):
    reference_crystals_seed()
    diamond = ReferenceCrystal.objects.get(name="diamond")
    Candidate.objects.filter(pk=kept[1].pk).update(known_as=diamond)
    Candidate.objects.filter(pk=kept[2].pk).update(origin="reference")
    Candidate.objects.filter(pk=kept[3].pk).update(known_as=ReferenceCrystal.objects.get(name="graphite"))
    step_through(campaign, embed.BINDING, on_a_line)
    root = a_user("root", is_superuser=True)
    candidate_exclude(candidate=kept[4], user=root, reason="explosive")
    _, (job,) = step_begun(campaign, sample.BINDING)
    inputs = sample.BINDING.load(job).inputs
    assert inputs.mandatory == (str(kept[1].pk), str(kept[2].pk))
    assert str(kept[4].pk) not in inputs.ids
    assert len(inputs.vectors) == len(inputs.ids) == 5


def test_neighbours_are_the_nearest_on_the_newest_map(campaign, kept):
    assert neighbours_of(kept[0]) == []
    step_through(campaign, embed.BINDING, on_a_line)
    near = neighbours_of(kept[2], k=3)
    assert [n.candidate_id for n in near] == [kept[1].pk, kept[3].pk, kept[0].pk]
    assert [n.distance for n in near] == pytest.approx([1.0, 1.0, 2.0])
    assert len(neighbours_of(kept[2], k=100, space="plane")) == 5


def test_selections_keep_whose_neighbour_somebody_is(campaign, kept, django_assert_max_num_queries):
    step_through(campaign, embed.BINDING, on_a_line)
    found = newest_map(campaign)
    members = [Chosen(kept[1].pk, 1, 1.0, "knn", kept[0].pk), Chosen(kept[1].pk, 1, 1.0, "knn", kept[2].pk)]
    selection_record(map=found, kind=SelectionKind.NEIGHBOURS, sweep=1, settings={"k": 1}, notes=[], members=members)
    with django_assert_max_num_queries(2):
        (selection,) = selections_of(campaign)
        assert {member.centre for member in selection.members.all()} == {kept[0], kept[2]}
