"""What curators decide. Everything can be undone, with a reason; it takes effect on steps that have not begun."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from apps.campaigns.models import Campaign
from apps.campaigns.permissions import can, permit
from apps.core.errors import ApplicationError, Conflict, NotAllowed
from apps.structures.models import Candidate, DuplicateMatch, Exclusion, Outcome, Structure

LONGEST_TAG = 50
BY_HAND = "by hand"


class CurationRefused(ApplicationError):
    """What was asked makes no sense as it stands; `detail`: field → what is wrong with it."""

    code = "curation_refused"
    status = 400


@transaction.atomic
def structure_rename(*, structure: Structure, name: str, user: Any) -> Structure:
    """Name a structure, everywhere; an empty name takes it away. A curator of any campaign that holds it may."""
    _may_curate(structure, user)
    plain = " ".join(name.split())
    if len(plain) > 200:
        raise CurationRefused("A name has at most 200 characters.", detail={"name": "is too long"})
    Structure.objects.filter(pk=structure.pk).update(name=plain)
    structure.refresh_from_db(fields=["name"])
    return structure


@transaction.atomic
def structure_tag(*, structure: Structure, tags: Iterable[str], user: Any) -> Structure:
    """Give a structure exactly these tags, everywhere."""
    _may_curate(structure, user)
    plain = sorted({" ".join(tag.split()) for tag in tags} - {""})
    if any(len(tag) > LONGEST_TAG for tag in plain):
        raise CurationRefused(f"A tag has at most {LONGEST_TAG} characters.", detail={"tags": "too long"})
    Structure.objects.filter(pk=structure.pk).update(tags=plain)
    structure.refresh_from_db(fields=["tags"])
    return structure


@transaction.atomic
def duplicate_mark(*, candidate: Candidate, representative: Candidate, user: Any, reason: str) -> DuplicateMatch:
    """Say that `candidate` is the same crystal as `representative`. Raises CurationRefused, Conflict."""
    permit(user, "curate", candidate.campaign)
    _reason_checked(reason)
    if candidate.campaign_id != representative.campaign_id or candidate.pk == representative.pk:
        raise CurationRefused(
            "A duplicate and what it doubles are two candidates of one campaign.", detail={"representative": "another"}
        )
    if representative.outcome == Outcome.DUPLICATE:
        raise CurationRefused(
            f"#{representative.index} is a duplicate itself: name the one that it doubles.",
            detail={"representative": "is a duplicate"},
        )
    match = _match(candidate, representative, user, reason)
    _outcome_set(candidate, Outcome.DUPLICATE, BY_HAND, reason)
    return match


@transaction.atomic
def duplicate_undo(*, match: DuplicateMatch, user: Any, reason: str) -> DuplicateMatch:
    """Take a match back, whoever made it: the candidate is what it was before. Raises Conflict the second time."""
    permit(user, "curate", match.campaign)
    _reason_checked(reason)
    live = DuplicateMatch.objects.filter(pk=match.pk, undone_at__isnull=True)
    if not live.update(undone_at=Now(), undone_by=user, undo_reason=reason):
        raise Conflict("This match was undone already.")
    match.refresh_from_db()
    _outcome_set(match.duplicate, Outcome(match.outcome_before), "", "")
    return match


@transaction.atomic
def candidate_exclude(*, candidate: Candidate, user: Any, reason: str) -> Exclusion:
    """Take a candidate out of the steps that have not begun. Raises Conflict when it is out already."""
    permit(user, "curate", candidate.campaign)
    _reason_checked(reason)
    try:
        with transaction.atomic():
            return Exclusion.objects.create(candidate=candidate, excluded_by=user, reason=reason)
    except IntegrityError as error:
        raise Conflict("This candidate is excluded already.") from error


@transaction.atomic
def exclusion_undo(*, exclusion: Exclusion, user: Any, reason: str) -> Exclusion:
    """Let a candidate in again. Raises Conflict the second time."""
    permit(user, "curate", exclusion.candidate.campaign)
    _reason_checked(reason)
    live = Exclusion.objects.filter(pk=exclusion.pk, undone_at__isnull=True)
    if not live.update(undone_at=Now(), undone_by=user, undo_reason=reason):
        raise Conflict("This exclusion was undone already.")
    exclusion.refresh_from_db()
    return exclusion


def _match(candidate: Candidate, representative: Candidate, user: Any, reason: str) -> DuplicateMatch:
    try:
        with transaction.atomic():
            return DuplicateMatch.objects.create(
                campaign=candidate.campaign,
                representative=representative,
                duplicate=candidate,
                outcome_before=candidate.outcome,
                marked_by=user,
                reason=reason,
            )
    except IntegrityError as error:
        raise Conflict(f"#{candidate.index} is marked as a duplicate already: undo that first.") from error


def _outcome_set(candidate: Candidate, outcome: str, reason: str, detail: str) -> None:
    Candidate.objects.filter(pk=candidate.pk).update(outcome=outcome, outcome_reason=reason, outcome_detail=detail)
    candidate.refresh_from_db(fields=["outcome", "outcome_reason", "outcome_detail"])


def _reason_checked(reason: str) -> None:
    if not reason.strip():
        raise CurationRefused("Give a reason: others will ask for it.", detail={"reason": "must not be empty"})


def _may_curate(structure: Structure, user: Any) -> None:
    if user.is_superuser:
        return
    holders = Candidate.objects.filter(Q(start=structure) | Q(relaxed=structure))
    campaigns = Campaign.objects.filter(pk__in=holders.values("campaign_id"))
    if not any(can(user, "curate", campaign) for campaign in campaigns):
        raise NotAllowed("To curate a structure takes the role curator in a campaign that holds it.")
