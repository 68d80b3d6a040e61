"""Lists of candidates: one FilterSet, one order, the narrow rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet

from apps.campaigns.models import Campaign
from apps.campaigns.permissions import permit
from apps.core.errors import ApplicationError
from apps.reviews.models import CandidateList, CandidateSummary, Export
from apps.reviews.selectors.filters import CandidateFilter


class InvalidQuery(ApplicationError):
    """A filter that does not exist, or a value that it does not take; `detail`: parameter → what is wrong."""

    code = "invalid_query"
    status = 400


def filter_names() -> frozenset[str]:
    """The query parameters that a list of candidates takes; paging belongs to the face."""
    return frozenset(CandidateFilter.base_filters)


def candidates_list(user: Any, campaign: Campaign, params: Mapping[str, Any]) -> QuerySet[CandidateSummary]:
    """The summaries of a campaign's candidates that `params` asks for, in its order (`sort`, NULLs last).

    `params` is a QueryDict or a mapping (lists for several values). Unevaluated: slice it, one query a page and one a
    count. Raises NotThere when the campaign is not the user's to see, InvalidQuery for an unknown parameter or value.
    """
    permit(user, "view", campaign)
    return matching(campaign, params)


def matching(campaign: Campaign, params: Mapping[str, Any]) -> QuerySet[CandidateSummary]:
    """candidates_list without the question who asks."""
    rows = CandidateSummary.objects.filter(campaign=campaign)
    asked = CandidateFilter(params, queryset=rows)
    if unknown := set(params) - filter_names():
        raise InvalidQuery(f"unknown parameter: {', '.join(sorted(unknown))}", detail=dict.fromkeys(unknown, "unknown"))
    if not asked.is_valid():
        problems = {name: " ".join(errors) for name, errors in asked.errors.items()}
        raise InvalidQuery("; ".join(f"{n}: {p}" for n, p in problems.items()), detail=problems)
    return asked.qs


def candidate_lists(user: Any, campaign: Campaign) -> QuerySet[CandidateList]:
    """The campaign's lists that are not archived, by name. Raises NotThere as candidates_list does."""
    permit(user, "view", campaign)
    return CandidateList.objects.filter(campaign=campaign, archived_at__isnull=True).order_by("name")


def exports(user: Any, campaign: Campaign) -> QuerySet[Export]:
    """The campaign's exports, newest first, with artifact and list. Raises NotThere as candidates_list does."""
    permit(user, "view", campaign)
    return Export.objects.filter(campaign=campaign).select_related("artifact", "list", "requested_by").order_by("-id")


def summaries(ids: Iterable[int]) -> QuerySet[CandidateSummary]:
    """The summaries of these candidates."""
    return CandidateSummary.objects.filter(candidate_id__in=ids)
