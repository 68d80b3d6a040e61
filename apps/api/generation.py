"""What a campaign's generator made, and drafts that generate about a candidate."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers as s
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.campaigns import shown
from apps.api.facts import WithUnits, serializer_of
from apps.api.listing import ApiView
from apps.api.rows import CampaignSerializer, ModelNameSerializer
from apps.api.strictness import StrictSerializer
from apps.campaigns.selectors import campaign_get
from apps.structures.selectors import candidate_at, candidate_get
from apps.structures.selectors.generation_curves import (
    Deviations,
    GenerationCurves,
    LatentMap,
    generation_curves,
    generation_deviations,
    generation_report_of,
    latent_map,
)
from apps.structures.services import campaign_like
from apps.structures.services.likeness import LARGEST
from kappakit.stages.contracts import GenerationFigures


class GenerationSerializer(WithUnits):
    """What was generated. `figures` and `latent_map`: null until they are measured."""

    generator = ModelNameSerializer(allow_null=True)
    curves = serializer_of(GenerationCurves)()
    deviations = serializer_of(Deviations)()
    figures = serializer_of(GenerationFigures)(allow_null=True)
    notes = s.ListField(child=s.CharField())
    latent_map = serializer_of(LatentMap)(allow_null=True)


class LikenessSerializer(StrictSerializer):
    """A draft about a candidate."""

    name = s.CharField(max_length=200)
    count = s.IntegerField(default=64, min_value=1, max_value=LARGEST, help_text="crystals to generate")
    temperature = s.FloatField(
        default=1.0, min_value=0.0, max_value=10.0, help_text="spread over the posterior's; no unit"
    )
    other = s.IntegerField(
        allow_null=True,
        default=None,
        min_value=1,
        help_text="index of another candidate of the campaign, to go between",
    )


class GenerationView(ApiView):
    """What a campaign's generator made."""

    @extend_schema(responses=GenerationSerializer)
    def get(self, request: Request, campaign: int) -> Response:
        """Rarefaction curves, deviations by relaxation (at most 5,000 crystals), validity, coverage, latent space."""
        found = campaign_get(request.user, campaign)
        report = generation_report_of(found)
        data = {
            "generator": found.generator,
            "curves": generation_curves(found),
            "deviations": generation_deviations(found),
            "figures": GenerationFigures(**report.figures) if report else None,
            "notes": report.notes if report else [],
            "latent_map": latent_map(report) if report else None,
        }
        return Response(GenerationSerializer(data).data)


class LikenessView(ApiView):
    """More like this."""

    @extend_schema(request=LikenessSerializer, responses={201: CampaignSerializer})
    def post(self, request: Request, candidate: int) -> Response:
        """Make a draft that generates about the candidate, or between it and another; needs the permission to create
        campaigns and a trained generator that knows the elements."""
        asked = self.body(LikenessSerializer)
        row = candidate_get(request.user, candidate)
        other = asked.pop("other")
        chosen = [row] if other is None else [row, candidate_at(row.campaign, other)]
        made = campaign_like(candidates=chosen, user=request.user, **asked)
        return Response(shown(made, request.user), status=201)
