"""Candidates, the ranked table, the controls."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.errors import FieldError, FieldsRefused
from apps.api.keyset import Sort
from apps.api.listing import ApiView, ListView
from apps.api.rows import CandidateRowSerializer, CandidateSerializer, ControlsSerializer, RankedTableSerializer
from apps.campaigns.selectors import campaign_get
from apps.reviews.selectors import SORTS, CandidateFilter, candidate_dossier, candidates_list, controls, ranked_table

METHODS = ("rta", "lbte")
NEVER_NULL = {"index", "name", "outcome", "novelty"}


class CandidateListView(ListView):
    """A campaign's candidates by the same filters as its page."""

    item = CandidateRowSerializer
    sorts = {name: Sort(name, nullable=name not in NEVER_NULL) for name in SORTS}
    default_sort = "index"
    filterset = CandidateFilter

    def rows(self, **where: Any) -> QuerySet[Any]:
        """Of the campaign."""
        return candidates_list(self.request.user, campaign_get(self.request.user, where["campaign"]), {})


class CandidateView(ApiView):
    """A candidate."""

    @extend_schema(responses=CandidateSerializer)
    def get(self, request: Request, candidate: int) -> Response:
        """Its dossier: structure, symmetry, κ_L, phonons, map, duplicates, reviews, provenance, downloads."""
        return Response(CandidateSerializer(candidate_dossier(request.user, candidate)).data)


class RankedTableView(ApiView):
    """The ranked table of a campaign."""

    known_parameters = frozenset({"method"})

    @extend_schema(
        parameters=[OpenApiParameter("method", str, enum=METHODS, description="The protocol's unless told.")],
        responses=RankedTableSerializer,
    )
    def get(self, request: Request, campaign: int) -> Response:
        """One method, named; only what may be compared."""
        found = campaign_get(request.user, campaign)
        return Response(RankedTableSerializer(ranked_table(found, _method(request))).data)


class ControlsView(ApiView):
    """Known crystals."""

    @extend_schema(responses=ControlsSerializer)
    def get(self, request: Request) -> Response:
        """Published κ_L, the paper's value, and ours from the campaigns that you may see."""
        return Response(ControlsSerializer({"results": controls(request.user)}).data)


def _method(request: Request) -> str:
    method = request.query_params.get("method", "")
    if "method" in request.query_params and method not in METHODS:
        error = FieldError("method", "invalid_choice", f"must be one of {', '.join(METHODS)}")
        raise FieldsRefused("validation_failed", "method: unknown", [error])
    return method
