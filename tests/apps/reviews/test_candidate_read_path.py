"""What page, REST and export read of candidates."""

from __future__ import annotations

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.artifacts.services import store_bytes
from apps.campaigns.models import Campaign
from apps.conductivity.models import PhononFile, PlanState
from apps.core.errors import NotThere
from apps.maps.services import Chosen, map_record, selection_record
from apps.reviews import services
from apps.reviews.selectors import (
    InvalidQuery,
    candidate_dossier,
    candidates_list,
    controls,
    matching,
    ranked_table,
)
from apps.structures.models import Candidate, DuplicateMatch, Import, LiteratureValue, Outcome, ReferenceCrystal
from tests.apps.rows import (
    a_campaign,
    a_candidate,
    a_crystal,
    a_member,
    a_plan,
    a_result,
    a_structure,
    a_tensor,
    a_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign() -> Campaign:
    return a_campaign(a_user("owner"))


@pytest.fixture
def candidates(campaign: Campaign) -> list[Candidate]:
    return [a_candidate(campaign, index) for index in range(4)]


def ids(rows) -> list[int]:
    return [row.candidate_id for row in rows]


def test_a_stranger_is_told_that_there_is_no_such_candidate(campaign, candidates) -> None:
    with pytest.raises(NotThere):
        candidate_dossier(a_user("stranger"), candidates[0].pk)
    with pytest.raises(NotThere):
        candidates_list(a_user("other"), campaign, {})
    with pytest.raises(NotThere):
        candidate_dossier(campaign.owner, 0)


def test_a_dossier_of_a_bare_candidate_says_what_is_not_there(campaign) -> None:
    bare = a_candidate(
        campaign, 7, relaxation=None, relaxed=None, symmetry=None, outcome=Outcome.PENDING, label="fresh"
    )
    dossier = candidate_dossier(campaign.owner, bare.pk)
    assert dossier.relaxed is None
    assert dossier.symmetry is None
    assert dossier.plan is None
    assert dossier.tensors == ()
    assert dossier.displayed == dossier.start
    assert [link.kind for link in dossier.provenance] == ["structure", "import", "protocol"]
    assert dossier.name == "fresh"


def test_a_dossier_walks_from_kappa_back_to_the_file(campaign, candidates) -> None:
    first = candidates[0]
    phonons = a_result(first, 2000.0)
    fc3 = store_bytes(b"numbers", kind="fc3", name="fc3.hdf5")
    PhononFile.objects.create(phonons=phonons, kind="fc3", artifact=fc3)
    dossier = candidate_dossier(campaign.owner, first.pk)
    kinds = [link.kind for link in dossier.provenance]
    assert kinds == [
        "kappa", "force-constants", "file", "displacements", "potential", "structure", "relaxation", "structure",
        "structure", "import", "protocol",
    ]  # fmt: skip
    digests = {link.kind: link.digest for link in dossier.provenance}
    assert digests["file"] == fc3.sha256
    assert digests["potential"] == campaign.potential.sha256
    assert digests["protocol"] == campaign.protocol_digest
    stored = [download for download in dossier.downloads if download.artifact_id]
    assert [(d.kind, d.sha256, d.size) for d in stored] == [("fc3", fc3.sha256, 7)]
    assert {d.kind for d in dossier.downloads} >= {"cif", "poscar", "extxyz", "json"}


def test_a_crystal_of_an_archive_is_traced_back_to_the_archive(campaign) -> None:
    archive = store_bytes(b"members", kind="import", name="all.zip")
    Import.objects.create(campaign=campaign, file_name="all.zip", artifact=archive, uploaded_by=campaign.owner)
    member = a_candidate(campaign, 8, source="all.zip/run 1/gen_0.cif#1")
    digests = {link.kind: link.digest for link in candidate_dossier(campaign.owner, member.pk).provenance}
    assert digests["import"] == archive.sha256


def test_a_dossier_lists_lattice_and_sites_in_angstrom(campaign, candidates) -> None:
    dossier = candidate_dossier(campaign.owner, candidates[0].pk)
    assert dossier.displayed.lattice.alpha == pytest.approx(60.0)
    assert dossier.displayed.lattice.a == pytest.approx(1.784 * 2**0.5)
    assert [site.symbol for site in dossier.displayed.sites] == ["C", "C"]
    assert dossier.displayed.sites[1].position == pytest.approx((0.892, 0.892, 0.892))


def test_a_duplicate_carries_its_evidence_in_both_directions(campaign, candidates) -> None:
    one, other = candidates[:2]
    DuplicateMatch.objects.create(
        campaign=campaign, representative=one, duplicate=other, rms_forward=0.01, conflict="one-way"
    )
    (seen,) = candidate_dossier(campaign.owner, other.pk).duplicates
    assert (seen.role, seen.other.id, seen.rms_forward, seen.rms_backward) == ("duplicate", one.pk, 0.01, None)
    (back,) = candidate_dossier(campaign.owner, one.pk).duplicates
    assert (back.role, back.other.id, back.live, back.conflict) == ("representative", other.pk, True, "one-way")


def test_a_dossier_shows_the_place_on_the_map_with_neighbours_in_the_protocols_space(campaign, candidates) -> None:
    vectors = np.array([[0.0, 0.0], [1.0, 0.0], [3.0, 0.0], [9.0, 0.0]])
    found = map_record(
        campaign=campaign,
        ids=[c.pk for c in candidates],
        descriptors=vectors,
        plane=vectors[::-1],
        settings={"seed": 0},
        perplexity=1.0,
        notes=[],
    )
    members = [Chosen(candidates[1].pk, 1, 1.0, "knn", candidates[0].pk)]
    selection_record(map=found, kind="neighbours", sweep=1, settings={"space": "soap"}, notes=[], members=members)
    dossier = candidate_dossier(campaign.owner, candidates[1].pk)
    assert dossier.map_place is not None
    near = [(n.candidate.id, n.distance) for n in dossier.map_place.neighbours]
    assert near == [(candidates[0].pk, 1.0), (candidates[2].pk, 2.0), (candidates[3].pk, 8.0)]
    (selected,) = dossier.selections
    assert (selected.how, selected.space, selected.centre.id) == ("knn", "soap", candidates[0].pk)


def test_a_dossier_takes_no_more_than_sixteen_queries(campaign, candidates, django_assert_max_num_queries) -> None:
    a_result(candidates[0], 2000.0)
    services.candidate_comment(candidate=candidates[0], user=campaign.owner, text="good")
    with django_assert_max_num_queries(16):
        candidate_dossier(campaign.owner, candidates[0].pk)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, [0, 1, 2, 3]),
        ({"sort": "-kappa_rta"}, [1, 0, 2, 3]),
        ({"sort": "kappa_rta"}, [0, 1, 2, 3]),
        ({"kappa_min": "1000"}, [1]),
        ({"kappa_max": "1000"}, [0]),
        ({"method": "lbte", "kappa_min": "1"}, []),
        ({"name": "STAL 3"}, [3]),
        ({"formula": "c2"}, [0, 1, 2, 3]),
        ({"chemical_system": "C-B"}, []),
        ({"outcome": ["kept", "rejected"], "kappa_state": ["DONE"]}, [0, 1]),
        ({"space_group_number": "227", "n_atoms_max": "2", "n_atoms_min": "2"}, [0, 1, 2, 3]),
        ({"above_hull_max": "0.1"}, [2]),
        ({"dynamical": ["stable"], "dimensionality": "3", "rankable": "true"}, [0, 1]),
        ({"verdict": ["shortlist"]}, [3]),
        ({"excluded": "true"}, [2]),
        ({"tag": "cubic"}, [1]),
    ],
)
def test_candidates_are_found_by_every_filter(campaign, candidates, params, expected) -> None:
    owner = campaign.owner
    a_result(candidates[0], 500.0)
    a_result(candidates[1], 2000.0)
    Candidate.objects.filter(pk=candidates[2].pk).update(above_hull=0.05)
    services.candidate_exclude(candidate=candidates[2], user=owner, reason="broken file")
    services.candidate_shortlist(candidate=candidates[3], user=owner)
    services.structure_tag(structure=candidates[1].relaxed, tags=["cubic"], user=owner)
    found = ids(candidates_list(owner, campaign, params))
    assert found == [candidates[i].pk for i in expected]


def test_candidates_on_a_list_are_found_until_taken_off(campaign, candidates) -> None:
    owner = campaign.owner
    named = services.list_create(campaign=campaign, user=owner, name="for DFT")
    services.list_add(candidate_list=named, candidate_ids=[c.pk for c in candidates[:2]], user=owner)
    assert ids(matching(campaign, {"list": named.pk})) == [c.pk for c in candidates[:2]]
    services.list_remove(candidate_list=named, candidate_ids=[candidates[0].pk], user=owner)
    assert ids(matching(campaign, {"list": named.pk})) == [candidates[1].pk]
    services.list_add(candidate_list=named, candidate_ids=[candidates[0].pk], user=owner)
    assert ids(matching(campaign, {"list": named.pk})) == [c.pk for c in candidates[:2]]


@pytest.mark.parametrize(
    "params",
    [{"colour": "red"}, {"sort": "price"}, {"n_atoms_min": "many"}, {"outcome": ["gone"]}, {"kappa_min": "nan"}],
)
def test_an_unknown_parameter_or_value_is_refused_with_its_name(campaign, params) -> None:
    with pytest.raises(InvalidQuery) as refused:
        matching(campaign, params)
    assert refused.value.status == 400
    assert set(refused.value.detail) == set(params)


def test_a_list_of_a_thousand_is_read_by_as_many_queries_as_a_list_of_four(campaign, candidates) -> None:
    with CaptureQueriesContext(
        connection,
    ) as few:
        list(candidates_list(campaign.owner, campaign, {"sort": "-kappa_rta"})[:50])
    more = [Candidate(campaign=campaign, index=i, origin="imported", source=f"more#{i}",
                      start=candidates[0].start) for i in range(10, 1010)]  # fmt: skip
    services.candidate_summaries_refresh(c.pk for c in Candidate.objects.bulk_create(more))
    with CaptureQueriesContext(connection) as many:
        found = list(candidates_list(campaign.owner, campaign, {"sort": "-kappa_rta"})[:50])
    assert len(found) == 50
    assert len(many) == len(few) <= 3


def test_only_what_may_be_compared_is_ranked(campaign) -> None:
    made = {name: a_candidate(campaign, i, label=name) for i, name in enumerate(
        ["best", "second", "imaginary", "borderline", "broken", "layered", "waiting", "running", "failed", "excluded",
         "doubled", "lbte"])}  # fmt: skip
    a_result(made["second"], 900.0)
    a_result(made["best"], 2200.0)
    a_result(made["imaginary"], dynamical="imaginary")
    a_result(made["borderline"], 9000.0, dynamical="borderline")
    a_result(made["broken"], 9000.0, symmetry_kept=False)
    a_result(made["layered"], 9000.0, dimensionality=2)
    a_plan(made["waiting"])
    a_plan(made["running"], state=PlanState.STARTED)
    a_plan(made["failed"], state=PlanState.FAILED)
    a_result(made["excluded"], 9000.0)
    services.candidate_exclude(candidate=made["excluded"], user=campaign.owner, reason="typed wrongly")
    a_result(made["doubled"], 9000.0)
    services.duplicate_mark(
        candidate=made["doubled"], representative=made["best"], user=campaign.owner, reason="same crystal"
    )
    only_lbte = a_result(made["lbte"], 9000.0)
    only_lbte.tensors.update(method="LBTE")
    table = ranked_table(campaign, "rta")
    assert [row.name for row in table.rows] == ["best", "second"]
    assert [row.rank for row in table.rows] == [1, 2]
    assert [row.ultrahigh for row in table.rows] == [True, True]
    assert table.rows[0].principal == (2200.0, 1100.0, pytest.approx(2200 / 3))
    assert [row.name for row in table.layered] == ["layered"]
    left = table.left_out
    assert {k: v for k, v in vars(left).items() if v != 1} == {}
    assert left.total == 9


def test_two_methods_are_never_in_one_table(campaign, candidates) -> None:
    a_tensor(a_result(candidates[0], 2000.0), 2600.0, "LBTE")
    a_result(candidates[1], 1500.0)
    assert [row.largest for row in ranked_table(campaign, "RTA").rows] == [2000.0, 1500.0]
    lbte = ranked_table(campaign, "lbte")
    assert [row.largest for row in lbte.rows] == [2600.0]
    assert (lbte.method, lbte.left_out.other_method) == ("LBTE", 1)
    assert ranked_table(campaign).method == "RTA"


def test_the_ranked_table_takes_two_queries(campaign, candidates, django_assert_num_queries) -> None:
    for candidate in candidates:
        a_result(candidate, 1000.0 + candidate.index)
    with django_assert_num_queries(2):
        assert len(ranked_table(campaign, "rta").rows) == 4


def test_controls_show_theirs_and_ours_side_by_side(campaign, candidates) -> None:
    known = ReferenceCrystal.objects.create(
        name="diamond", structure=a_structure(a_crystal(0.99)), space_group="Fd-3m", citation="Hom 1975"
    )
    for low, high, citation in [(2000, 3500, "Wei 1993"), (2573, 2573, "Guo, doi 10.1038/s41524-025-01592-8")]:
        LiteratureValue.objects.create(
            reference=known, kappa_low=low, kappa_high=high, method="experiment", citation=citation
        )
    Candidate.objects.filter(pk=candidates[0].pk).update(known_as=known)
    a_result(candidates[0], 2400.0)
    (row,) = controls(campaign.owner)
    assert [(v.kappa_low, v.kappa_high) for v in row.literature] == [(2000, 3500)]
    assert row.paper is not None
    assert row.paper.kappa_low == 2573
    assert [(value.largest, value.method, value.rankable) for value in row.ours] == [(2400.0, "RTA", True)]
    (unseen,) = controls(a_user("stranger"))
    assert unseen.ours == ()


def test_a_viewer_sees_but_does_not_review(campaign, candidates) -> None:
    viewer = a_member(campaign, "viewer")
    assert candidate_dossier(viewer, candidates[0].pk).id == candidates[0].pk
