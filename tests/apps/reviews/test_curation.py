"""What people decide about candidates: recorded, shown at once on the lists, and undone with a reason."""

from __future__ import annotations

import pytest

from apps.campaigns.models import Campaign
from apps.core.errors import Conflict, NotAllowed, NotThere
from apps.reviews import services
from apps.reviews.models import CandidateSummary, Review
from apps.structures.models import Candidate, DuplicateMatch, Exclusion, Outcome
from tests.apps.rows import a_campaign, a_candidate, a_member, a_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign() -> Campaign:
    return a_campaign(a_user("owner"))


@pytest.fixture
def candidate(campaign: Campaign) -> Candidate:
    return a_candidate(campaign, 0)


def summary(candidate: Candidate) -> CandidateSummary:
    return CandidateSummary.objects.get(pk=candidate.pk)


def test_a_verdict_stands_until_it_is_withdrawn_and_comments_leave_it_alone(campaign, candidate) -> None:
    reviewer = a_member(campaign, "reviewer")
    services.candidate_shortlist(candidate=candidate, user=reviewer)
    services.candidate_comment(candidate=candidate, user=reviewer, text="look at the bands")
    assert summary(candidate).verdict == "shortlist"
    services.candidate_reject(candidate=candidate, user=reviewer, text="known since 1967")
    assert summary(candidate).verdict == "reject"
    services.verdict_withdraw(candidate=candidate, user=reviewer)
    assert summary(candidate).verdict == ""
    assert Review.objects.filter(candidate=candidate).count() == 4


def test_a_rejection_without_a_reason_is_refused(campaign, candidate) -> None:
    with pytest.raises(services.TextRefused):
        services.candidate_reject(candidate=candidate, user=campaign.owner, text="  ")
    with pytest.raises(services.TextRefused):
        services.candidate_comment(candidate=candidate, user=campaign.owner, text="x" * 10_001)
    assert not Review.objects.exists()


def test_a_viewer_may_not_review_and_a_reviewer_may_not_curate(campaign, candidate) -> None:
    viewer, reviewer = a_member(campaign, "viewer"), a_member(campaign, "reviewer")
    with pytest.raises(NotAllowed):
        services.candidate_shortlist(candidate=candidate, user=viewer)
    with pytest.raises(NotAllowed):
        services.list_create(campaign=campaign, user=viewer, name="mine")
    with pytest.raises(NotAllowed):
        services.candidate_exclude(candidate=candidate, user=reviewer, reason="no")
    with pytest.raises(NotThere):
        services.candidate_comment(candidate=candidate, user=a_user("stranger"), text="hello")


def test_an_exclusion_is_shown_and_undone(campaign, candidate) -> None:
    curator = a_member(campaign, "curator")
    exclusion = services.candidate_exclude(candidate=candidate, user=curator, reason="broken file")
    assert summary(candidate).excluded
    with pytest.raises(Conflict):
        services.candidate_exclude(candidate=candidate, user=curator, reason="again")
    services.exclusion_undo(exclusion=exclusion, user=curator, reason="it was fine")
    assert not summary(candidate).excluded
    assert Exclusion.objects.get().undo_reason == "it was fine"


def test_a_duplicate_marked_by_hand_becomes_what_it_was_when_undone(campaign, candidate) -> None:
    other = a_candidate(campaign, 1)
    match = services.duplicate_mark(
        candidate=other, representative=candidate, user=campaign.owner, reason="the same by eye"
    )
    assert summary(other).outcome == Outcome.DUPLICATE
    assert (match.rms_forward, match.marked_by) == (None, campaign.owner)
    services.duplicate_undo(match=match, user=campaign.owner, reason="another stacking")
    assert summary(other).outcome == Outcome.KEPT
    assert DuplicateMatch.objects.get().undone_by == campaign.owner


def test_a_name_and_tags_are_everywhere_at_once(campaign, candidate) -> None:
    elsewhere = a_campaign(campaign.owner, name="another")
    twin = a_candidate(elsewhere, 0)
    assert twin.relaxed == candidate.relaxed
    services.structure_rename(structure=candidate.relaxed, name="hexagonal diamond", user=campaign.owner)
    services.structure_tag(structure=candidate.relaxed, tags=["sp3", "hard"], user=campaign.owner)
    for row in (summary(candidate), summary(twin)):
        assert (row.name, row.tags) == ("hexagonal diamond", ["hard", "sp3"])
    services.structure_rename(structure=candidate.relaxed, name="", user=campaign.owner)
    assert summary(twin).name == "crystal 0"


def test_people_who_decide_leave_a_history(campaign, candidate) -> None:
    services.structure_rename(structure=candidate.relaxed, name="one", user=campaign.owner)
    services.structure_rename(structure=candidate.relaxed, name="two", user=campaign.owner)
    history = candidate.relaxed.name_tags_events.order_by("pgh_id")
    assert list(history.values_list("name", flat=True)) == ["one", "two"]


def test_a_list_holds_candidates_of_its_own_campaign_only(campaign, candidate) -> None:
    stranger = a_candidate(a_campaign(campaign.owner, name="another"), 5)
    named = services.list_create(campaign=campaign, user=campaign.owner, name="good ones")
    with pytest.raises(NotThere):
        services.list_add(candidate_list=named, candidate_ids=[candidate.pk, stranger.pk], user=campaign.owner)
    assert not named.items.exists()
    with pytest.raises(Conflict):
        services.list_create(campaign=campaign, user=campaign.owner, name="good ones")


def test_what_is_on_a_list_already_is_added_once(campaign, candidate) -> None:
    named = services.list_create(campaign=campaign, user=campaign.owner, name="good ones")
    add = {"candidate_list": named, "candidate_ids": [candidate.pk, candidate.pk], "user": campaign.owner}
    assert [services.list_add(**add), services.list_add(**add)] == [1, 0]
    assert services.list_remove(candidate_list=named, candidate_ids=[candidate.pk], user=campaign.owner) == 1
    assert services.list_add(**add) == 1
    assert named.items.count() == 2


def test_an_archived_list_takes_nothing_more(campaign, candidate) -> None:
    named = services.list_create(campaign=campaign, user=campaign.owner, name="old")
    services.list_archive(candidate_list=named, user=campaign.owner)
    named.refresh_from_db()
    with pytest.raises(Conflict):
        services.list_add(candidate_list=named, candidate_ids=[candidate.pk], user=campaign.owner)
