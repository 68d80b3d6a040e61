"""Questions about structures and candidates."""

from apps.structures.selectors.candidates import (
    FAILED,
    candidate_at,
    candidate_get,
    candidates_of,
    candidates_with,
    relaxed_pool,
    settings_digest,
    step_of,
    structure_get,
    unique_pool,
)
from apps.structures.selectors.crystals import crystal_of, crystals_by_id, items_of, start_items
from apps.structures.selectors.funnel import Funnel, funnel
from apps.structures.selectors.generations import (
    centres_of,
    generated_pool,
    generations_spread,
    latent_vector,
    latents_of,
)
from apps.structures.selectors.references import (
    campaign_elements,
    reference_items,
    references_named,
    references_within,
)

__all__ = [
    "FAILED",
    "Funnel",
    "campaign_elements",
    "candidate_at",
    "candidate_get",
    "candidates_of",
    "candidates_with",
    "centres_of",
    "crystal_of",
    "crystals_by_id",
    "funnel",
    "generated_pool",
    "generations_spread",
    "items_of",
    "latent_vector",
    "latents_of",
    "reference_items",
    "references_named",
    "references_within",
    "relaxed_pool",
    "settings_digest",
    "start_items",
    "step_of",
    "structure_get",
    "unique_pool",
]
