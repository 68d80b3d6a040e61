"""Questions about what a trained generator made in a campaign."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from django.db.models import QuerySet

from apps.campaigns.models import Campaign
from apps.structures.models import LATENT, Candidate, Generation, GenerationCentre, Origin, Outcome
from kappakit.sampling import evenly


def centres_of(campaign: Campaign) -> list[GenerationCentre]:
    """The crystals about which the campaign generates, in order; none for one that draws from a prior."""
    return list(GenerationCentre.objects.filter(campaign=campaign).select_related("structure").order_by("order"))


def generated_pool(campaign: Campaign) -> QuerySet[Candidate]:
    """Generated candidates that nothing was decided about and that are not relaxed yet, in order of arrival."""
    rows = Candidate.objects.filter(campaign=campaign, origin=Origin.GENERATED, outcome=Outcome.PENDING)
    return rows.filter(relaxation__isnull=True).order_by("index")


def generations_spread(campaign: Campaign, most: int) -> list[int]:
    """Ids of at most `most` candidates that the generator made, evenly over all of them."""
    rows = Generation.objects.filter(candidate__campaign=campaign).order_by("candidate__index")
    ids = list(rows.values_list("pk", flat=True))
    return [ids[place] for place in evenly(len(ids), most)]


def latents_of(candidate_ids: Sequence[int]) -> np.ndarray:
    """(n, d) latent vectors in the order of `candidate_ids`; (0, 0) for none."""
    rows = dict(Generation.objects.filter(pk__in=candidate_ids).values_list("pk", "latent"))
    vectors = [latent_vector(rows[pk]) for pk in candidate_ids]
    return np.stack(vectors) if vectors else np.zeros((0, 0), dtype=np.float32)


def latent_vector(stored: bytes | memoryview) -> np.ndarray:
    """(d,) of a stored latent vector."""
    return np.frombuffer(bytes(stored), dtype=LATENT)
