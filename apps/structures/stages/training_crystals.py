"""Training crystals: what the campaign's generator learned from goes on beside what it made."""

from __future__ import annotations

from typing import Any

from apps.jobs.bindings import LIGHT, Binding, JobSpec, Loaded
from apps.jobs.models import Job
from apps.structures.models import Origin
from apps.structures.selectors import step_of
from apps.structures.services import Newcomer, candidates_add
from apps.structures.stages.arrivals import arrivals_report
from apps.structures.stages.planning import step_get
from apps.training.selectors import GENERATOR, generator_ref, model_files
from kappakit.stages.contracts import ImportOutputs, TrainingCrystalsInputs

STAGE = "training_crystals"


def plan(step_id: int) -> list[JobSpec]:
    """One job, whose unit is the campaign."""
    campaign = step_get(step_id).campaign
    return [JobSpec(STAGE, (str(campaign.pk),), {}, f"Training crystals of {campaign.generator}", LIGHT)]


def load(job: Job) -> Loaded:
    """The generator."""
    generator = step_of(job).campaign.generator
    return Loaded(TrainingCrystalsInputs(generator_ref(generator)), files=model_files(generator, GENERATOR))


def save(job: Job, outputs: ImportOutputs, artifacts: Any) -> set[int]:
    """Candidates of their own origin."""
    newcomers = [Newcomer(c.crystal, c.source, label=c.label) for c in outputs.crystals]
    return candidates_add(step_of(job).campaign, Origin.TRAINING, newcomers)


def report(step_id: int) -> dict[str, Any]:
    """Crystals that joined."""
    return arrivals_report(step_get(step_id).campaign, STAGE, (Origin.TRAINING,))


BINDING = Binding(STAGE, load=load, save=save, plan=plan, report=report)
