"""Generate: crystals of the campaign's own endless, reproducible sequence."""

from __future__ import annotations

from kappakit.ports import Engines
from kappakit.protocol import GenerateSettings
from kappakit.stages.contracts import GeneratedItem, GenerateInputs, GenerateOutputs, Refusal

NOT_FOUND = "no-crystal-found"


def run(inputs: GenerateInputs, settings: GenerateSettings, *, engines: Engines) -> GenerateOutputs:
    """Crystals number start … start + count; a number that gives none within the limits is a refusal."""
    generator = engines.generator(settings.generator)
    made = generator.generate(
        seed=inputs.seed, start=inputs.start, count=inputs.count, settings=settings, progress=engines.progress
    )
    items = tuple(GeneratedItem(m.index, m.seed, m.crystal, m.latent) for m in made)
    wanted = range(inputs.start, inputs.start + inputs.count)
    missing = sorted(set(wanted) - {item.index for item in items})
    refusals = tuple(
        Refusal(f"{generator.name}#{index}", NOT_FOUND, "no crystal within the limits of distance and volume")
        for index in missing
    )
    return GenerateOutputs(generator.name, generator.version, items, refusals)
