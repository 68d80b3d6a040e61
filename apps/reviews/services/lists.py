"""Named lists of candidates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from apps.campaigns.models import Campaign
from apps.campaigns.permissions import permit
from apps.core.errors import Conflict, NotThere
from apps.reviews.models import CandidateList, CandidateListItem
from apps.reviews.services.opinions import worded
from apps.structures.models import Candidate


def list_create(*, campaign: Campaign, user: Any, name: str, description: str = "") -> CandidateList:
    """A new, empty list. Needs 'review'; raises Conflict when the campaign has a list of that name."""
    permit(user, "review", campaign)
    try:
        with transaction.atomic():
            return CandidateList.objects.create(
                campaign=campaign, owner=user, name=worded(name, "a name"), description=description
            )
    except IntegrityError as error:
        raise Conflict(f"There is a list “{name.strip()}” in this campaign already.") from error


@transaction.atomic
def list_add(*, candidate_list: CandidateList, candidate_ids: Iterable[int], user: Any, note: str = "") -> int:
    """Put candidates on a list; how many were not on it before. Needs 'review'.

    Raises NotThere for a candidate of another campaign, Conflict for an archived list.
    """
    _open(candidate_list, user)
    wanted = set(candidate_ids)
    known = set(
        Candidate.objects.filter(campaign_id=candidate_list.campaign_id, pk__in=wanted).values_list("pk", flat=True)
    )
    if missing := wanted - known:
        raise NotThere(f"Not candidates of this campaign: {', '.join(map(str, sorted(missing)))}.")
    on_it = set(_live(candidate_list).values_list("candidate_id", flat=True))
    fresh = sorted(wanted - on_it)
    CandidateListItem.objects.bulk_create(
        [CandidateListItem(list=candidate_list, candidate_id=pk, note=note, added_by=user) for pk in fresh],
        ignore_conflicts=True,
    )
    return len(fresh)


@transaction.atomic
def list_remove(*, candidate_list: CandidateList, candidate_ids: Iterable[int], user: Any) -> int:
    """Take candidates off a list, by date; how many were on it. Needs 'review'."""
    _open(candidate_list, user)
    return _live(candidate_list).filter(candidate_id__in=list(candidate_ids)).update(removed_at=Now())


@transaction.atomic
def list_archive(*, candidate_list: CandidateList, user: Any) -> None:
    """Out of sight; its items and exports stay. Needs 'review'."""
    _open(candidate_list, user)
    CandidateList.objects.filter(pk=candidate_list.pk).update(archived_at=Now())


def _open(candidate_list: CandidateList, user: Any) -> None:
    permit(user, "review", candidate_list.campaign)
    if candidate_list.archived_at is not None:
        raise Conflict("This list is archived.")


def _live(candidate_list: CandidateList) -> Any:
    return CandidateListItem.objects.filter(list=candidate_list, removed_at__isnull=True)
