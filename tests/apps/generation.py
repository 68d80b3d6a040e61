"""What a trained generator leaves in a campaign, made directly."""

from __future__ import annotations

from typing import Any

import numpy as np

from apps.campaigns.models import Campaign
from apps.structures.models import LATENT, Candidate, Generation, GenerationReport
from apps.training.models import ModelState, TrainedModel

FIGURES = {
    "crystals": 3,
    "valid": 1.0,
    "plausible": 0.9,
    "recall": 0.5,
    "precision": 0.8,
    "density_wasserstein": 0.12,
}


def a_generator(name: str = "carbon-cdvae", **facts: Any) -> TrainedModel:
    """A generator that is ready."""
    values = {"kind": "generator", "engine": "cdvae", "sha256": "cd" * 32, "species": ["C"], "state": ModelState.READY}
    return TrainedModel.objects.create(name=name, **(values | facts))


def generated_by(campaign: Campaign, generator: TrainedModel, candidates: list[Candidate]) -> None:
    """As if `generator` had made the candidates: the first matches a training crystal; the report shows all."""
    Campaign.objects.filter(pk=campaign.pk).update(generator=generator)
    Candidate.objects.filter(pk__in=[c.pk for c in candidates]).update(origin="generated")
    for number, candidate in enumerate(candidates):
        Generation.objects.create(
            candidate=candidate,
            model=generator,
            latent=np.full(4, number, dtype=LATENT).tobytes(),
            consistency=1.04,
            compared=True,
            training_source="" if number else "crystal 7",
            training_rms=None if number else 0.02,
        )
    GenerationReport.objects.create(
        campaign=campaign,
        model=generator,
        figures=FIGURES,
        notes=["a note"],
        candidates=[c.pk for c in candidates],
        training=["crystal 7"],
        plane=[[float(i), 1.0] for i in range(len(candidates) + 1)],
    )
    campaign.refresh_from_db()
