"""Generate: crystals of the campaign's own endless, reproducible sequence."""

from __future__ import annotations

from collections.abc import Iterator

from kappakit.crystals import Crystal
from kappakit.errors import InputError, Rejected
from kappakit.ports import Engines, GeneratedCrystal
from kappakit.protocol import GenerateSettings
from kappakit.stages.contracts import GeneratedItem, GenerateInputs, GenerateOutputs, Refusal
from kappakit.symmetry import find_symmetry, shortest_distance

NOT_FOUND, TOO_CLOSE, VOLUME = "no-crystal-found", "too-close", "volume"
EXACT = 1e-3
"""Å; symmetry found within this is there already."""


def run(inputs: GenerateInputs, settings: GenerateSettings, *, engines: Engines) -> GenerateOutputs:
    """Crystals number start … start + count; a number that gives none within the limits is a refusal."""
    generator = engines.generator(inputs.generator)
    made = generator.generate(
        seed=inputs.seed,
        start=inputs.start,
        count=inputs.count,
        settings=settings,
        centres=inputs.centres,
        progress=engines.progress,
    )
    problems = {m.index: _problem(m.crystal, settings) for m in made}
    for index in range(inputs.start, inputs.start + inputs.count):
        problems.setdefault(index, (NOT_FOUND, "no crystal within the limits of distance and volume"))
    return GenerateOutputs(
        generator=generator.name,
        version=generator.version,
        sha256=generator.sha256,
        crystals=tuple(_item(m, settings) for m in made if problems[m.index] is None),
        refusals=tuple(_refusals(generator.name, problems)),
    )


def _problem(crystal: Crystal, settings: GenerateSettings) -> tuple[str, str] | None:
    """(reason, sentence) for a crystal outside the limits."""
    volume = crystal.volume / crystal.n_atoms
    if not settings.min_volume <= volume <= settings.max_volume:
        wanted = f"{settings.min_volume:g}–{settings.max_volume:g} Å³/atom"
        return VOLUME, f"{volume:.2f} Å³/atom; {wanted} are wanted"
    shortest = shortest_distance(crystal)
    if shortest < settings.min_distance:
        return TOO_CLOSE, f"two atoms are {shortest:.2f} Å apart; at least {settings.min_distance:g} Å are wanted"
    return None


def _refusals(name: str, problems: dict[int, tuple[str, str] | None]) -> Iterator[Refusal]:
    for index, problem in sorted(problems.items()):
        if problem is not None:
            reason, detail = problem
            yield Refusal(f"{name}#{index}", reason, detail)


def _item(made: GeneratedCrystal, settings: GenerateSettings) -> GeneratedItem:
    crystal, group = made.crystal, ""
    if settings.symmetrise:
        crystal, group = symmetrised(made.crystal, settings.symmetrise)
        if _problem(crystal, settings) is not None or crystal.n_atoms < settings.min_atoms:
            crystal, group = made.crystal, ""
    return GeneratedItem(made.index, made.seed, crystal, made.latent, made.consistency, group)


def symmetrised(crystal: Crystal, tolerance: float) -> tuple[Crystal, str]:
    """The idealised primitive cell where `tolerance` (Å) shows more symmetry than there is; else the crystal and ''.

    A crystal whose atoms would come closer by it than the tolerance explains is left alone.
    """
    try:
        near = find_symmetry(crystal, symprec=tolerance, angle_tolerance=-1.0)
        exact = find_symmetry(crystal, symprec=EXACT, angle_tolerance=-1.0)
    except (Rejected, InputError):
        return crystal, ""
    gained = (near.operations, -near.primitive.n_atoms) > (exact.operations, -exact.primitive.n_atoms)
    if not gained or shortest_distance(near.primitive) < shortest_distance(crystal) - tolerance:
        return crystal, ""
    return near.primitive, near.symbol
