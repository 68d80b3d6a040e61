"""Generate: batches of the campaign's own reproducible sequence."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apps.campaigns.models import Campaign
from apps.campaigns.selectors import protocol_of
from apps.jobs.bindings import LIGHT, Binding, JobSpec, Loaded
from apps.jobs.models import Job
from apps.jobs.selectors import heavy_queue
from apps.structures.models import Origin
from apps.structures.selectors import FAILED, centres_of, crystal_of, step_of
from apps.structures.services import Made, Newcomer, candidates_add, refusals_add
from apps.structures.stages.arrivals import arrivals_report
from apps.structures.stages.import_structures import references_join
from apps.structures.stages.planning import batches, step_get
from apps.training.selectors import GENERATOR, generator_ref, model_files
from kappakit.ports import GeneratorRef
from kappakit.protocol import Protocol
from kappakit.stages.contracts import GeneratedItem, GenerateInputs, GenerateOutputs, Refusal

STAGE = "generate"
TIME_LIMIT_S = 12 * 3600
"""A batch of the published sampler takes hours on a CPU."""


def plan(step_id: int) -> list[JobSpec]:
    """Numbers 0 … count − 1 of the sequence, in batches; units are the numbers."""
    protocol = protocol_of(step_get(step_id).campaign)
    made = protocol.generate
    queue = heavy_queue() if protocol.learned else LIGHT
    return batches(STAGE, range(made.count), made.batch, "Generate crystals", queue, time_limit_s=TIME_LIMIT_S)


def load(job: Job) -> Loaded:
    """The batch's numbers, which follow each other, also after a split."""
    campaign = step_of(job).campaign
    protocol = protocol_of(campaign)
    inputs = GenerateInputs(
        seed=campaign.seed,
        start=int(job.units[0]),
        count=len(job.units),
        generator=generator_of(campaign, protocol),
        centres=tuple(crystal_of(centre.structure) for centre in centres_of(campaign)),
    )
    files = model_files(campaign.generator, GENERATOR) if protocol.learned else {}
    return Loaded(inputs, asdict(protocol.generate), files)


def generator_of(campaign: Campaign, protocol: Protocol) -> GeneratorRef:
    """The campaign's trained generator, or the one without weights that its protocol names."""
    if protocol.learned:
        return generator_ref(campaign.generator)
    return GeneratorRef(protocol.generate.generator, protocol.generate.generator)


def save(job: Job, outputs: GenerateOutputs, artifacts: Any) -> set[int]:
    """Candidates with seed, latent vector and generator; the protocol's reference crystals where no file brings any."""
    campaign = step_of(job).campaign
    made_by = f"{outputs.generator} {outputs.version}"
    newcomers = [
        Newcomer(c.crystal, f"{outputs.generator}#{c.index}", seed=c.seed, generator=made_by, generation=_made(c))
        for c in outputs.crystals
    ]
    touched = candidates_add(campaign, Origin.GENERATED, newcomers)
    refusals_add(campaign, STAGE, outputs.refusals)
    return touched | references_join(campaign)


def _made(item: GeneratedItem) -> Made | None:
    return None if item.latent is None else Made(item.latent, item.consistency, item.symmetrised)


def failed(job: Job, message: str) -> set[int]:
    """The numbers of the batch are refused with what the job said."""
    refusals = [Refusal(f"number {unit}", FAILED, message) for unit in job.units]
    refusals_add(step_of(job).campaign, STAGE, refusals)
    return set()


def report(step_id: int) -> dict[str, Any]:
    """Crystals made; numbers that gave none."""
    return arrivals_report(step_get(step_id).campaign, STAGE, (Origin.GENERATED,))


BINDING = Binding(STAGE, load=load, save=save, plan=plan, report=report, failed=failed)
