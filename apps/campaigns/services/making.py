"""Making campaigns: drafts, clones, their models and members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import IntegrityError, transaction

from apps.campaigns.models import Campaign, CampaignState, Membership, Role
from apps.campaigns.permissions import can_create, permit
from apps.campaigns.services.refusals import FieldRefused, ProtocolRefused
from apps.core.errors import Conflict, NotAllowed
from apps.training.models import ModelKind, TrainedModel
from kappakit.protocol import Protocol, ProtocolError

LARGEST_SEED = 2**31 - 1


@transaction.atomic
def campaign_create(
    *,
    name: str,
    owner: Any,
    protocol: Mapping[str, Any],
    description: str = "",
    potential: TrainedModel | None = None,
    generator: TrainedModel | None = None,
    seed: int = 0,
) -> Campaign:
    """A draft; what `protocol` leaves out keeps its default.

    Raises NotAllowed without the permission to create campaigns, ProtocolRefused, FieldRefused (name, seed, potential,
    generator) and Conflict for a name that is taken.
    """
    if not can_create(owner):
        raise NotAllowed("You may not create campaigns. Ask an administrator for the permission.")
    checked = _protocol_checked(protocol)
    _fields_checked(name, seed, {ModelKind.POTENTIAL: potential, ModelKind.GENERATOR: generator})
    return _insert(
        name=name.strip(),
        description=description,
        owner=owner,
        protocol=checked.as_dict(),
        protocol_digest=checked.digest,
        potential=potential,
        generator=generator,
        seed=seed,
    )


@transaction.atomic
def campaign_clone(*, campaign: Campaign, user: Any, name: str) -> Campaign:
    """A draft of the user's own with the same protocol, models, seed, files and centres, and no results."""
    permit(user, "view", campaign)
    clone = campaign_create(
        name=name,
        owner=user,
        protocol=campaign.protocol,
        description=campaign.description,
        potential=campaign.potential,
        generator=campaign.generator,
        seed=campaign.seed,
    )
    Campaign.objects.filter(pk=clone.pk).update(cloned_from=campaign)
    for given in campaign.imports.all():
        clone.imports.create(file_name=given.file_name, artifact_id=given.artifact_id, uploaded_by=user)
    labels_copy(campaign, clone, user)
    for centre in campaign.centres.all():
        clone.centres.create(structure_id=centre.structure_id, order=centre.order, candidate_id=centre.candidate_id)
    clone.refresh_from_db()
    return clone


def labels_copy(campaign: Campaign, to: Campaign, user: Any) -> None:
    """The labelled configurations that somebody gave to `campaign`, for a draft made after it."""
    for given in campaign.label_sets.filter(kind="upload"):
        to.label_sets.create(
            kind=given.kind, file_name=given.file_name, artifact_id=given.artifact_id, uploaded_by=user
        )


@transaction.atomic
def model_set(*, campaign: Campaign, user: Any, kind: str, model: TrainedModel | None) -> Campaign:
    """Choose the potential or the generator (`kind`) of a draft.

    Raises FieldRefused for a model of another kind, Conflict once it was started: its results are of the old one.
    """
    permit(user, "operate", campaign)
    _fields_checked(campaign.name, campaign.seed, {ModelKind(kind): model})
    if not Campaign.objects.filter(pk=campaign.pk, state=CampaignState.DRAFT).update(**{ModelKind(kind).value: model}):
        raise Conflict(f"The {kind} belongs to the results: clone the campaign to use another one.")
    campaign.refresh_from_db()
    return campaign


@transaction.atomic
def membership_set(*, campaign: Campaign, user: Any, roles: Iterable[str], by: Any) -> Membership:
    """Give `user` exactly these roles (none: takes them all away). `by` needs the role admin.

    Raises FieldRefused for a role that does not exist.
    """
    permit(by, "administer", campaign)
    wanted = set(roles)
    if unknown := wanted - set(Role.values):
        raise FieldRefused(f"There is no role {', '.join(sorted(unknown))}.", detail={"roles": "unknown"})
    ordered = [role for role in Role.values if role in wanted]
    membership, _ = Membership.objects.update_or_create(campaign=campaign, user=user, defaults={"roles": ordered})
    return membership


def _protocol_checked(data: Mapping[str, Any]) -> Protocol:
    try:
        return Protocol.from_dict(dict(data))
    except ProtocolError as error:
        raise ProtocolRefused(str(error), detail=dict(error.problems)) from error


def _fields_checked(name: str, seed: int, models: Mapping[ModelKind, TrainedModel | None]) -> None:
    problems = {}
    if not name.strip():
        problems["name"] = "must not be empty"
    if not 0 <= seed <= LARGEST_SEED:
        problems["seed"] = f"must lie between 0 and {LARGEST_SEED}"
    for kind, model in models.items():
        if model is not None and model.kind != kind:
            problems[kind.value] = f"is not a {kind.label}"
    if problems:
        raise FieldRefused("; ".join(f"{f}: {p}" for f, p in problems.items()), detail=problems)


def _insert(**values: Any) -> Campaign:
    try:
        with transaction.atomic():
            return Campaign.objects.create(**values)
    except IntegrityError as error:
        raise Conflict(f"There is a campaign “{values['name']}” already.", detail={"name": "is taken"}) from error
