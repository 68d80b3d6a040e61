"""Candidate lists, reviewers' words, and the validations that they ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.keyset import Sort
from apps.api.listing import ApiView, ListView
from apps.api.records import ListItemSerializer, ListRowSerializer, ReviewSerializer, ValidationSerializer
from apps.api.strictness import StrictSerializer
from apps.campaigns.selectors import campaign_get
from apps.conductivity.selectors import validation_get
from apps.core.errors import NotThere
from apps.reviews.selectors import candidate_lists
from apps.reviews.selectors.programs import list_items, lists_visible
from apps.reviews.services import lists, opinions, validations
from apps.structures.selectors.candidates import candidate_get

AT_ONCE = 1000


class NewListSerializer(StrictSerializer):
    """A new, empty list."""

    name = serializers.CharField(max_length=200)
    description = serializers.CharField(max_length=10_000, allow_blank=True, default="")


class IdsSerializer(StrictSerializer):
    """Candidates of the list's campaign."""

    candidates = serializers.ListField(
        child=serializers.IntegerField(min_value=1), min_length=1, max_length=AT_ONCE, help_text="ids"
    )


class AdditionSerializer(IdsSerializer):
    """Candidates to put on a list, with a note on each."""

    note = serializers.CharField(max_length=10_000, allow_blank=True, default="")


class CountSerializer(serializers.Serializer):
    """How many it changed; the others were as asked already."""

    changed = serializers.IntegerField()


class NewValidationSerializer(StrictSerializer):
    """A part to validate, or the id of a validation that stopped."""

    part = serializers.ChoiceField(choices=["harmonic", "anharmonic"], default="harmonic")
    resume = serializers.IntegerField(min_value=1, allow_null=True, default=None)


class NewReviewSerializer(StrictSerializer):
    """A word on a candidate; to reject takes a reason, a comment a text."""

    kind = serializers.ChoiceField(choices=["shortlist", "reject", "reset", "comment"])
    text = serializers.CharField(max_length=opinions.LONGEST, allow_blank=True, default="")


class CampaignListsView(ListView):
    """The candidate lists of a campaign."""

    item = ListRowSerializer
    sorts = {"id": Sort("pk"), "name": Sort("name"), "created_at": Sort("created_at")}
    default_sort = "name"

    def rows(self, **where: Any) -> QuerySet[Any]:
        """Those that are not archived."""
        campaign = campaign_get(self.request.user, where["campaign"])
        return candidate_lists(self.request.user, campaign).select_related("owner")

    @extend_schema(request=NewListSerializer, responses={201: ListRowSerializer})
    def post(self, request: Request, campaign: int) -> Response:
        """Make a list; needs the role reviewer."""
        asked = self.body(NewListSerializer)
        made = lists.list_create(campaign=campaign_get(request.user, campaign), user=request.user, **asked)
        return Response(ListRowSerializer(made).data, status=201)


class AllListsView(ListView):
    """The candidate lists of all campaigns that you may see."""

    item = ListRowSerializer
    sorts = CampaignListsView.sorts
    default_sort = "-id"

    def rows(self, **where: Any) -> QuerySet[Any]:
        """Those that are not archived."""
        return lists_visible(self.request.user)


class CandidateListView(ApiView):
    """A candidate list."""

    @extend_schema(responses=ListRowSerializer)
    def get(self, request: Request, row: int) -> Response:
        """Its name and purpose; what is on it: …/items/."""
        return Response(ListRowSerializer(_list(request, row)).data)


class ListItemsView(ListView):
    """What is on a candidate list."""

    item = ListItemSerializer
    sorts = {"added_at": Sort("added_at")}
    default_sort = "added_at"

    def rows(self, **where: Any) -> QuerySet[Any]:
        """Live items with their candidates."""
        return list_items(_list(self.request, where["row"]))

    @extend_schema(request=AdditionSerializer, responses=CountSerializer)
    def post(self, request: Request, row: int) -> Response:
        """Put candidates on the list; needs the role reviewer."""
        asked = self.body(AdditionSerializer)
        found = _list(request, row)
        changed = lists.list_add(
            candidate_list=found, candidate_ids=asked["candidates"], user=request.user, note=asked["note"]
        )
        return Response({"changed": changed})


class ListRemovalView(ApiView):
    """Take candidates off a list."""

    @extend_schema(request=IdsSerializer, responses=CountSerializer)
    def post(self, request: Request, row: int) -> Response:
        """By date, never deleted; needs the role reviewer."""
        ids = self.body(IdsSerializer)["candidates"]
        changed = lists.list_remove(candidate_list=_list(request, row), candidate_ids=ids, user=request.user)
        return Response({"changed": changed})


class ReviewsView(ApiView):
    """A reviewer's word on a candidate."""

    @extend_schema(request=NewReviewSerializer, responses={201: ReviewSerializer})
    def post(self, request: Request, candidate: int) -> Response:
        """Shortlist, reject with a reason, withdraw the verdict, or comment; needs the role reviewer."""
        asked = self.body(NewReviewSerializer)
        found = candidate_get(request.user, candidate)
        review = SAY[asked["kind"]](candidate=found, user=request.user, text=asked["text"])
        return Response(ReviewSerializer(review).data, status=201)


class ValidationsView(ApiView):
    """The validation of a candidate by DFT."""

    @extend_schema(request=NewValidationSerializer, responses={201: ValidationSerializer})
    def post(self, request: Request, candidate: int) -> Response:
        """Ask for it, or for one that stopped to go on; needs the role reviewer. Nothing is computed unapproved."""
        asked = self.body(NewValidationSerializer)
        if asked["resume"] is not None:
            stopped = validation_get(request.user, asked["resume"])
            made = validations.candidate_validation_resume(validation=stopped, user=request.user)
        else:
            found = candidate_get(request.user, candidate)
            made = validations.candidate_validation_request(candidate=found, user=request.user, part=asked["part"])
        return Response(ValidationSerializer(made).data, status=201)


SAY: dict[str, Callable[..., Any]] = {
    "shortlist": opinions.candidate_shortlist,
    "reject": opinions.candidate_reject,
    "reset": opinions.verdict_withdraw,
    "comment": opinions.candidate_comment,
}


def _list(request: Request, row: int) -> Any:
    found = lists_visible(request.user).filter(pk=row).first()
    if found is None:
        raise NotThere("There is no such list that you may see.")
    return found
