"""Generate: batches of the campaign's own reproducible sequence."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apps.campaigns.selectors import protocol_of
from apps.jobs.bindings import LIGHT, Binding, JobSpec, Loaded
from apps.jobs.models import Job
from apps.structures.models import Origin
from apps.structures.selectors import FAILED, step_of
from apps.structures.services import Newcomer, candidates_add, refusals_add
from apps.structures.stages.arrivals import arrivals_report
from apps.structures.stages.import_structures import references_join
from apps.structures.stages.planning import batches, step_get
from kappakit.stages.contracts import GenerateInputs, GenerateOutputs, Refusal

STAGE = "generate"


def plan(step_id: int) -> list[JobSpec]:
    """Numbers 0 … count − 1 of the sequence, in batches; units are the numbers."""
    settings = protocol_of(step_get(step_id).campaign).generate
    return batches(STAGE, range(settings.count), settings.batch, "Generate crystals", LIGHT)


def load(job: Job) -> Loaded:
    """The batch's numbers, which follow each other, also after a split."""
    campaign = step_of(job).campaign
    inputs = GenerateInputs(seed=campaign.seed, start=int(job.units[0]), count=len(job.units))
    return Loaded(inputs, asdict(protocol_of(campaign).generate))


def save(job: Job, outputs: GenerateOutputs, artifacts: Any) -> set[int]:
    """Candidates with seed, latent vector and generator; the protocol's reference crystals where no file brings any."""
    campaign = step_of(job).campaign
    made_by = f"{outputs.generator} {outputs.version}"
    newcomers = [
        Newcomer(c.crystal, f"{outputs.generator}#{c.index}", seed=c.seed, generator=made_by, latent=c.latent)
        for c in outputs.crystals
    ]
    touched = candidates_add(campaign, Origin.GENERATED, newcomers)
    refusals_add(campaign, STAGE, outputs.refusals)
    return touched | references_join(campaign)


def failed(job: Job, message: str) -> set[int]:
    """The numbers of the batch are refused with what the job said."""
    refusals = [Refusal(f"number {unit}", FAILED, message) for unit in job.units]
    refusals_add(step_of(job).campaign, STAGE, refusals)
    return set()


def report(step_id: int) -> dict[str, Any]:
    """Crystals made; numbers that gave none."""
    return arrivals_report(step_get(step_id).campaign, STAGE, (Origin.GENERATED,))


BINDING = Binding(STAGE, load=load, save=save, plan=plan, report=report, failed=failed)
