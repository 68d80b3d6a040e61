"""Campaigns: read, create, start, cancel, resume; their steps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.keyset import Sort
from apps.api.listing import ApiView, ListView
from apps.api.records import ImportSerializer
from apps.api.rows import CampaignRowSerializer, CampaignSerializer, FunnelSerializer, StepsSerializer
from apps.api.strictness import StrictSerializer
from apps.campaigns import services
from apps.campaigns.permissions import actions_of
from apps.campaigns.selectors import campaign_get, campaigns_visible, steps_of, why_waiting
from apps.core import clock
from apps.structures.selectors.funnel import funnel
from apps.structures.services.imports import import_file_add
from apps.training.selectors import model_get
from kappakit.protocol import PROTOCOLS


class NewCampaignSerializer(StrictSerializer):
    """A draft: `preset` names a protocol to start from, `protocol` changes fields of it."""

    name = serializers.CharField(max_length=200)
    description = serializers.CharField(max_length=10_000, allow_blank=True, default="")
    preset = serializers.ChoiceField(choices=[*PROTOCOLS], default="paper")
    protocol = serializers.DictField(default=dict, help_text='Fields that differ, e.g. {"relax": {"max_steps": 300}}.')
    potential = serializers.IntegerField(allow_null=True, default=None, min_value=1, help_text="id of a potential")
    generator = serializers.IntegerField(
        allow_null=True,
        default=None,
        min_value=1,
        help_text="id of a generator; needed before the start where the protocol generates with cdvae",
    )
    seed = serializers.IntegerField(default=0, min_value=0, max_value=services.LARGEST_SEED)


class NewImportSerializer(StrictSerializer):
    """A file of crystals."""

    file = serializers.FileField(
        help_text="CIF, POSCAR (one or many), AIRSS res, extended XYZ, Carbon-24's CSV, a zip of them, or ase.db"
    )


class CampaignListView(ListView):
    """The campaigns that you may see."""

    item = CampaignRowSerializer
    sorts = {"id": Sort("pk"), "name": Sort("name"), "created_at": Sort("created_at"), "state": Sort("state")}
    default_sort = "-id"

    def rows(self, **where: Any) -> QuerySet[Any]:
        """Visible ones."""
        return campaigns_visible(self.request.user)

    @extend_schema(request=NewCampaignSerializer, responses={201: CampaignSerializer})
    def post(self, request: Request) -> Response:
        """Make a draft; needs the permission to create campaigns."""
        asked = self.body(NewCampaignSerializer)
        models = {kind: _model(asked.pop(kind)) for kind in ("potential", "generator")}
        changes = merged(PROTOCOLS[asked.pop("preset")].as_dict(), asked.pop("protocol"))
        made = services.campaign_create(owner=request.user, protocol=changes, **models, **asked)
        return Response(shown(made, request.user), status=201)


class CampaignView(ApiView):
    """A campaign."""

    @extend_schema(responses=CampaignSerializer)
    def get(self, request: Request, campaign: int) -> Response:
        """With its protocol, what it waits for, and what you may do in it."""
        return Response(shown(campaign_get(request.user, campaign), request.user))


class CampaignMoveView(ApiView):
    """Start, cancel or resume a campaign; needs the role operator."""

    move = ""

    @extend_schema(request=None, responses=CampaignSerializer)
    def post(self, request: Request, campaign: int) -> Response:
        """Move it; 409 when its state does not permit that. Any body is ignored."""
        moved = MOVES[self.move](campaign=campaign_get(request.user, campaign), user=request.user)
        return Response(shown(moved, request.user))


class StepListView(ApiView):
    """The steps of a campaign, in order."""

    @extend_schema(responses=StepsSerializer)
    def get(self, request: Request, campaign: int) -> Response:
        """Progress, elapsed and expected time, why it waits."""
        steps = steps_of(campaign_get(request.user, campaign), now=clock.now())
        return Response(StepsSerializer({"results": steps}).data)


class ImportsView(ApiView):
    """Files that a campaign shall import."""

    parser_classes = [MultiPartParser]

    @extend_schema(request=NewImportSerializer, responses={201: ImportSerializer})
    def post(self, request: Request, campaign: int) -> Response:
        """Give a draft a file (multipart/form-data); it is read when the campaign runs. Needs the role operator."""
        given = self.body(NewImportSerializer)["file"]
        found = campaign_get(request.user, campaign)
        with NamedTemporaryFile() as copy:
            for chunk in given.chunks():
                copy.write(chunk)
            copy.flush()
            made = import_file_add(campaign=found, file_name=given.name, content=Path(copy.name), user=request.user)
        return Response(ImportSerializer(made).data, status=201)


class FunnelView(ApiView):
    """How many candidates are where."""

    @extend_schema(responses=FunnelSerializer)
    def get(self, request: Request, campaign: int) -> Response:
        """Counts by stage, origin, outcome."""
        return Response(FunnelSerializer(funnel(campaign_get(request.user, campaign))).data)


MOVES: dict[str, Callable[..., Any]] = {
    "start": services.campaign_start,
    "cancel": services.campaign_cancel,
    "resume": services.campaign_resume,
}


def shown(campaign: Any, user: Any) -> dict[str, Any]:
    """A campaign with what depends on who asks."""
    campaign.why_waiting = why_waiting(campaign)
    campaign.may = sorted(actions_of(user, campaign))
    return CampaignSerializer(campaign).data


def _model(asked: int | None) -> Any:
    return model_get(asked) if asked else None


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`base` with the leaves of `changes`; a wrong shape is left for the protocol to refuse."""
    found = dict(base)
    for name, value in changes.items():
        below = base.get(name)
        found[name] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return found
