"""Candidates: which ones each step is about."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.campaigns.models import Campaign, Step
from apps.campaigns.selectors import campaigns_visible
from apps.core.errors import NotThere
from apps.structures.models import Candidate, DuplicateMatch, Exclusion, Outcome, Structure

FAILED = "failed"
"""Reason of an outcome that a job's failure caused, not the crystal's own properties: a retry may undo it."""


def settings_digest(settings: Mapping[str, Any], *, without: tuple[str, ...] = ()) -> str:
    """sha256 of the canonical JSON of a stage's settings; `without`: fields that change no result."""
    told = {name: value for name, value in settings.items() if name not in without}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def step_of(job: Any) -> Step:
    """The step that asked for a job, with campaign and potential (without card and curve)."""
    rows = Step.objects.select_related("campaign__potential")
    rows = rows.defer("campaign__potential__card", "campaign__potential__curve")
    return rows.get(pk=int(job.group.removeprefix("step:")))


def candidates_of(campaign: Campaign) -> QuerySet[Candidate]:
    """All candidates of a campaign, in order of arrival."""
    return Candidate.objects.filter(campaign=campaign).order_by("index")


def candidate_get(user: Any, candidate_id: int) -> Candidate:
    """A candidate of a campaign that `user` may see; raises NotThere."""
    rows = Candidate.objects.select_related("campaign", "start", "relaxed", "known_as")
    found = rows.filter(pk=candidate_id, campaign__in=campaigns_visible(user)).first()
    if found is None:
        raise NotThere("There is no such candidate.")
    return found


def candidate_at(campaign: Campaign, index: int) -> Candidate:
    """The campaign's candidate of a number; raises NotThere."""
    rows = Candidate.objects.select_related("campaign", "start", "relaxed", "known_as")
    found = rows.filter(campaign=campaign, index=index).first()
    if found is None:
        raise NotThere(f"The campaign has no candidate #{index}.")
    return found


def structure_get(user: Any, structure_id: int) -> Structure:
    """A structure that a visible campaign holds, or a reference crystal's; raises NotThere."""
    found = Structure.objects.filter(pk=structure_id).first()
    visible = campaigns_visible(user).values("pk")
    if found is None or not (
        user.is_superuser or found.references.exists() or _holders(found).filter(campaign__in=visible).exists()
    ):
        raise NotThere("There is no such structure.")
    return found


def candidates_with(structure: Structure) -> set[int]:
    """The candidates, of whatever campaign, that began or ended as this structure: what its name and tags touch."""
    return set(_holders(structure).values_list("pk", flat=True))


def relaxed_pool(campaign: Campaign) -> QuerySet[Candidate]:
    """Relaxed candidates that nothing was decided about yet and no curator took out: what deduplication compares."""
    rows = Candidate.objects.filter(campaign=campaign, relaxed__isnull=False, outcome=Outcome.PENDING)
    by_hand = DuplicateMatch.objects.filter(duplicate=OuterRef("pk"), undone_at__isnull=True)
    return rows.filter(~Exists(by_hand), ~_excluded()).order_by("index")


def unique_pool(campaign: Campaign, *outcomes: str) -> QuerySet[Candidate]:
    """Relaxed candidates that are no duplicates and not excluded, with one of `outcomes` (all but duplicate and
    rejected when none is given)."""
    wanted = outcomes or (Outcome.PENDING, Outcome.KEPT, Outcome.SCREENED_OUT)
    rows = Candidate.objects.filter(campaign=campaign, relaxed__isnull=False, outcome__in=wanted)
    return rows.filter(~_excluded()).order_by("index")


def _excluded() -> Exists:
    return Exists(Exclusion.objects.filter(candidate=OuterRef("pk"), undone_at__isnull=True))


def _holders(structure: Structure) -> QuerySet[Candidate]:
    return Candidate.objects.filter(Q(start=structure) | Q(relaxed=structure))
