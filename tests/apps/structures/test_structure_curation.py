"""Curators decide, with a reason, and can take it back."""

from __future__ import annotations

import pytest

from apps.core.errors import Conflict, NotAllowed
from apps.structures import services
from apps.structures.models import DuplicateMatch, Outcome
from apps.structures.selectors import candidates_with, funnel, relaxed_pool, unique_pool
from apps.structures.services.curation import CurationRefused
from tests.apps.rows import a_campaign, a_candidate, a_member, a_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    return a_campaign(a_user("owner"))


@pytest.fixture
def curator(campaign):
    return a_member(campaign, "curator")


def test_a_name_and_tags_hold_everywhere_and_are_history(campaign, curator):
    candidate = a_candidate(campaign, 1)
    other = a_candidate(a_campaign(campaign.owner, "other"), 1)
    structure = services.structure_rename(structure=candidate.relaxed, name="  T12  carbon ", user=curator)
    services.structure_tag(structure=structure, tags=["hard", " hard ", "", "sp3"], user=curator)
    assert (structure.name, structure.tags) == ("T12 carbon", ["hard", "sp3"])
    assert candidates_with(structure) == {candidate.pk, other.pk}
    assert structure.name_tags_events.count() == 2


def test_only_a_curator_of_a_campaign_that_holds_a_structure_names_it(campaign):
    structure = a_candidate(campaign, 1).relaxed
    with pytest.raises(NotAllowed):
        services.structure_rename(structure=structure, name="mine", user=a_member(campaign, "reviewer"))


def test_a_duplicate_marked_by_hand_leaves_the_pool_and_returns_when_undone(campaign, curator):
    kept, doubled = a_candidate(campaign, 1), a_candidate(campaign, 2)
    match = services.duplicate_mark(candidate=doubled, representative=kept, user=curator, reason="same net")
    assert (match.rms_forward, doubled.outcome) == (None, Outcome.DUPLICATE)
    assert list(unique_pool(campaign)) == [kept]
    services.duplicate_undo(match=match, user=curator, reason="I was wrong")
    doubled.refresh_from_db()
    assert doubled.outcome == Outcome.KEPT
    assert list(unique_pool(campaign)) == [kept, doubled]
    assert DuplicateMatch.objects.get().undo_reason == "I was wrong"
    with pytest.raises(Conflict):
        services.duplicate_undo(match=match, user=curator, reason="again")


def test_a_match_of_the_machine_can_be_undone(campaign, curator):
    kept, doubled = a_candidate(campaign, 1), a_candidate(campaign, 2, outcome=Outcome.DUPLICATE)
    match = DuplicateMatch.objects.create(campaign=campaign, representative=kept, duplicate=doubled, rms_forward=0.01)
    services.duplicate_undo(match=match, user=curator, reason="different stacking")
    assert list(relaxed_pool(campaign)) == [doubled]


def test_marking_needs_a_reason_a_free_candidate_and_one_that_stands_for_itself(campaign, curator):
    first, second, third = (a_candidate(campaign, n) for n in (1, 2, 3))
    with pytest.raises(CurationRefused, match="reason"):
        services.duplicate_mark(candidate=second, representative=first, user=curator, reason=" ")
    with pytest.raises(CurationRefused, match="two candidates"):
        services.duplicate_mark(candidate=first, representative=first, user=curator, reason="same")
    services.duplicate_mark(candidate=second, representative=first, user=curator, reason="same")
    with pytest.raises(CurationRefused, match="duplicate itself"):
        services.duplicate_mark(candidate=third, representative=second, user=curator, reason="same")
    with pytest.raises(Conflict, match="undo that first"):
        services.duplicate_mark(candidate=second, representative=third, user=curator, reason="same")


def test_an_excluded_candidate_stays_out_until_it_is_let_in_again(campaign, curator):
    candidate = a_candidate(campaign, 1)
    exclusion = services.candidate_exclude(candidate=candidate, user=curator, reason="explosive")
    assert not unique_pool(campaign).exists()
    assert funnel(campaign).excluded == 1
    with pytest.raises(Conflict):
        services.candidate_exclude(candidate=candidate, user=curator, reason="again")
    services.exclusion_undo(exclusion=exclusion, user=curator, reason="harmless")
    assert list(unique_pool(campaign)) == [candidate]
    with pytest.raises(Conflict):
        services.exclusion_undo(exclusion=exclusion, user=curator, reason="again")


def test_who_is_no_curator_decides_nothing(campaign):
    candidate, other = a_candidate(campaign, 1), a_candidate(campaign, 2)
    reviewer = a_member(campaign, "reviewer", "operator", "approver")
    with pytest.raises(NotAllowed):
        services.candidate_exclude(candidate=candidate, user=reviewer, reason="ugly")
    with pytest.raises(NotAllowed):
        services.duplicate_mark(candidate=candidate, representative=other, user=reviewer, reason="same")
