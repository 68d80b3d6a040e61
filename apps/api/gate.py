"""DFT behind the gate: requests, calculations, budget, and the decision. No state is set here: it follows."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers as s
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.gate_rows import (
    DecidedSerializer,
    DftBudgetSerializer,
    DftCalculationSerializer,
    DftEntrySerializer,
    DftRequestRowSerializer,
    DftRequestSerializer,
)
from apps.api.keyset import Sort
from apps.api.listing import ApiView, ListView
from apps.api.strictness import StrictSerializer
from apps.campaigns.selectors import campaign_get
from apps.core.errors import NotThere
from apps.dft import selectors
from apps.dft.selectors import pages
from apps.dft.services import calculations_decide
from apps.dft.states import Answer, Purpose

AT_ONCE = 1000
LARGEST_VERSION = 2**31 - 1


class ShownField(s.ListField):
    """[id, version]."""

    def __init__(self, **kwargs: Any) -> None:
        child = s.IntegerField(min_value=1, max_value=LARGEST_VERSION)
        super().__init__(child=child, min_length=2, max_length=2, **kwargs)


class NewDecisionSerializer(StrictSerializer):
    """A decision on calculations as they were shown, all or none."""

    shown = s.ListField(child=ShownField(), min_length=1, max_length=AT_ONCE, help_text="pairs of id and version")
    answer = s.ChoiceField(choices=Answer.values)
    reason = s.CharField(max_length=2000, allow_blank=True, default="", help_text="a denial needs one")


class DftRequestFilter(filters.FilterSet):
    """Query of requests."""

    purpose = filters.ChoiceFilter(choices=[(value, value) for value in Purpose.values], label="label or validate")
    candidate = filters.NumberFilter(label="candidate (number)", min_value=1)
    iteration = filters.NumberFilter(label="iteration", min_value=0)


class DftRequestListView(ListView):
    """A campaign's DFT requests."""

    item = DftRequestRowSerializer
    default_sort = "-id"
    filterset = DftRequestFilter

    def rows(self, **where: Any) -> QuerySet[Any]:
        """Those of a visible campaign."""
        found = campaign_get(self.request.user, where["campaign"])
        return selectors.requests_visible(self.request.user).filter(campaign=found).order_by()


class DftRequestView(ApiView):
    """A DFT request."""

    @extend_schema(responses=DftRequestSerializer)
    def get(self, request: Request, dft_request: int) -> Response:
        """With its calculations, decisions and comments."""
        found = selectors.request_get(request.user, dft_request)
        found.shown = list(selectors.calculations_visible(request.user).filter(request=found))
        found.said = list(pages.comments_of(found))
        return Response(DftRequestSerializer(found).data)


class DftCalculationView(ApiView):
    """A DFT calculation."""

    @extend_schema(responses=DftCalculationSerializer)
    def get(self, request: Request, calculation: int) -> Response:
        """With its inputs, decisions, failures, files and outcome."""
        found = selectors.calculation_get(request.user, calculation)
        found.consumed = selectors.consumed(found)
        found.reserved = selectors.outstanding(found)
        found.job_ids = list(selectors.jobs_of(found).values_list("pk", flat=True))
        found.listed = pages.files_of(found)
        return Response(DftCalculationSerializer(found).data)


class DftBudgetView(ApiView):
    """A campaign's core-hours."""

    @extend_schema(responses=DftBudgetSerializer)
    def get(self, request: Request, campaign: int) -> Response:
        """Granted, consumed, reserved, left; grants; policy."""
        found = campaign_get(request.user, campaign)
        budget = selectors.budget_of(found)
        more = {"left": budget.left, "own_approval": selectors.own_approval_allowed(found)}
        grants = list(selectors.grants_of(found))
        return Response(DftBudgetSerializer({**asdict(budget), **more, "grants": grants}).data)


class DftLedgerView(ListView):
    """A campaign's ledger of core-hours."""

    item = DftEntrySerializer
    sorts = {"id": Sort("pk")}
    default_sort = "-id"

    def rows(self, **where: Any) -> QuerySet[Any]:
        """Those of a visible campaign."""
        return selectors.ledger_of(campaign_get(self.request.user, where["campaign"])).order_by()


class DftDecideView(ApiView):
    """Approve or deny DFT calculations; needs the role approver, and not to have proposed them."""

    @extend_schema(request=NewDecisionSerializer, responses=DecidedSerializer)
    def post(self, request: Request) -> Response:
        """All of these or none; 409 where somebody was quicker, the inputs changed, or the budget does not cover it."""
        asked = self.body(NewDecisionSerializer)
        shown = dict(asked["shown"])
        visible = selectors.calculations_visible(request.user).filter(pk__in=shown)
        if visible.count() < len(shown):
            raise NotThere("There is no such DFT calculation that you may see.")
        calculations_decide(shown=[*shown.items()], answer=asked["answer"], user=request.user, reason=asked["reason"])
        return Response(DecidedSerializer({"results": visible.all()}).data)
