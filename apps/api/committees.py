"""What a campaign's committees did."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.facts import WithUnits, serializer_of
from apps.api.listing import ApiView
from apps.campaigns.selectors import campaign_get
from apps.committees.selectors.history import CommitteeHistory
from apps.committees.selectors.pages import committee_history


class CommitteeSerializer(serializer_of(CommitteeHistory), WithUnits):  # type: ignore[misc]
    """A campaign's committees, iteration by iteration; empty where its protocol asks for none."""


class CommitteeView(ApiView):
    """A campaign's committees."""

    @extend_schema(responses=CommitteeSerializer)
    def get(self, request: Request, campaign: int) -> Response:
        """Members, uncertainties of every candidate, what was labelled and what it changed, errors and calibration on
        the fixed test set, why the loop ended, and what is still above the threshold."""
        return Response(CommitteeSerializer(committee_history(campaign_get(request.user, campaign))).data)
