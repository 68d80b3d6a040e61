"""More like this: campaigns that generate about one crystal, or between two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.db import transaction

from apps.campaigns.models import Campaign
from apps.campaigns.permissions import permit
from apps.campaigns.selectors import protocol_of
from apps.campaigns.services import NotReady, campaign_create, labels_copy
from apps.core.errors import ApplicationError
from apps.structures.models import Candidate, GenerationCentre
from apps.training.models import TrainedModel
from apps.training.selectors import generators_ready
from kappakit.protocol import GENERATIONS, Protocol

MOST_CENTRES = 2
LARGEST = 10_000


class LikenessRefused(ApplicationError):
    """`detail`: field → what is wrong with it."""

    code = "likeness_refused"
    status = 400


@transaction.atomic
def campaign_like(*, candidates: Sequence[Candidate], name: str, count: int, temperature: float, user: Any) -> Campaign:
    """A draft of the user's own that generates `count` crystals about one candidate, or on the way between two.

    Everything else of its protocol is that of the candidates' campaign. Raises NotAllowed, LikenessRefused (candidates,
    count, temperature), NotReady without a generator that knows the elements, Conflict for a name that is taken.
    """
    _asked_checked(candidates, count, temperature)
    campaign = candidates[0].campaign
    permit(user, "view", campaign)
    made = campaign_create(
        name=name,
        owner=user,
        protocol=_protocol(protocol_of(campaign), count, temperature).as_dict(),
        description=f"Crystals like {' and '.join(f'#{c.index}' for c in candidates)} of “{campaign.name}”.",
        potential=campaign.potential,
        generator=_generator(campaign, candidates),
        seed=campaign.seed,
    )
    for order, candidate in enumerate(candidates):
        structure = candidate.relaxed or candidate.start
        GenerationCentre.objects.create(campaign=made, structure=structure, order=order, candidate=candidate)
    labels_copy(campaign, made, user)
    return made


def _asked_checked(candidates: Sequence[Candidate], count: int, temperature: float) -> None:
    problems = {}
    if not 1 <= len(candidates) <= MOST_CENTRES or len({c.campaign_id for c in candidates}) != 1:
        problems["candidates"] = "choose one candidate, or two of one campaign"
    if not 1 <= count <= LARGEST:
        problems["count"] = f"must lie between 1 and {LARGEST}"
    if not 0.0 <= temperature <= 10.0:
        problems["temperature"] = "must lie between 0 and 10"
    if problems:
        raise LikenessRefused("; ".join(f"{f}: {p}" for f, p in problems.items()), detail=problems)


def _protocol(protocol: Protocol, count: int, temperature: float) -> Protocol:
    """Near a crystal nothing is left out by size or symmetry before it is relaxed, and near-duplicates are the rule."""
    own = protocol.generate if protocol.learned else GENERATIONS["posterior"]
    settings = replace(
        own,
        generator="cdvae",
        count=count,
        temperature=temperature,
        simple=False,
        with_training=False,
        thin=GENERATIONS["simple"].thin,
    )
    return replace(protocol, source="generate", generate=settings)


def _generator(campaign: Campaign, candidates: Sequence[Candidate]) -> TrainedModel:
    elements = {symbol for c in candidates for symbol in c.start.chemical_system.split("-")}
    choices = [campaign.generator] if campaign.generator else list(generators_ready())
    for model in choices:
        if elements <= set(model.species):
            return model
    raise NotReady(f"No trained generator knows {', '.join(sorted(elements))}: train one first.")
