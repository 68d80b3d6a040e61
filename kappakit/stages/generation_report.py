"""What a campaign's generated crystals are worth before they are relaxed, and where they lie in the latent space."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kappakit.crystals import Crystal
from kappakit.embedding import tsne
from kappakit.fingerprints import Fingerprints, fingerprints
from kappakit.generation import Coverage, coverage, density_wasserstein, is_plausible, is_valid
from kappakit.ports import TEST, TRAIN, Engines, Generator, LatentGenerator, TrainingCrystal
from kappakit.protocol import GenerateSettings
from kappakit.sampling import evenly
from kappakit.stages.contracts import FINGERPRINTS, GenerationFigures, GenerationReportInputs, GenerationReportOutputs

MOST_ON_MAP = 1000
"""Crystals of each kind on the map of the latent space."""
PERPLEXITY = 30.0


def run(inputs: GenerationReportInputs, settings: GenerateSettings, *, engines: Engines) -> GenerationReportOutputs:
    """Figures of all items; the map shows at most MOST_ON_MAP of them and as many training crystals."""
    generator = engines.generator(inputs.generator)
    crystals = [item.crystal for item in inputs.items]
    data = generator.training_set()
    notes: list[str] = []
    figures = GenerationFigures(
        crystals=len(crystals),
        valid=_share([is_valid(c) for c in crystals]),
        plausible=_share([is_plausible(c) for c in crystals]),
        **_against_test(crystals, generator, [d.crystal for d in data if d.part == TEST], engines, notes),
    )
    engines.progress(len(crystals), len(crystals), "laying out the latent space")
    ids, names, plane = _map(inputs, generator, [d for d in data if d.part == TRAIN])
    return GenerationReportOutputs(figures, ids, names, plane, tuple(notes))


def _against_test(
    crystals: Sequence[Crystal], generator: Generator, test: Sequence[Crystal], engines: Engines, notes: list[str]
) -> dict[str, float | None]:
    """Coverage and densities against the generator's test crystals."""
    if not crystals:
        notes.append("no crystals: there is nothing to measure")
        return {"recall": None, "precision": None, "density_wasserstein": None}
    density = density_wasserstein(crystals, test) if test else None
    stored = generator.file(FINGERPRINTS)
    if stored is None:
        notes.append("no coverage: the generator has no fingerprints of its test crystals; assess it first")
        return {"recall": None, "precision": None, "density_wasserstein": density}
    made = fingerprints(crystals, lambda done: engines.progress(done, len(crystals), "fingerprints"))
    found: Coverage = coverage(made, Fingerprints.read(stored))
    return {"recall": found.recall, "precision": found.precision, "density_wasserstein": density}


def _share(values: Sequence[bool]) -> float:
    return float(np.mean(values)) if values else 0.0


def _map(
    inputs: GenerationReportInputs, generator: Generator | LatentGenerator, training: Sequence[TrainingCrystal]
) -> tuple[tuple[str, ...], tuple[str, ...], np.ndarray]:
    """(ids, names of training crystals, plane (m, 2)); empty without latent vectors."""
    if not len(inputs.latents) or not hasattr(generator, "encode"):
        return (), (), np.zeros((0, 2))
    shown = evenly(len(inputs.items), MOST_ON_MAP)
    known = [training[index] for index in evenly(len(training), MOST_ON_MAP)]
    means, _ = generator.encode([given.crystal for given in known])
    plane = tsne(np.concatenate([inputs.latents[shown], means]), perplexity=PERPLEXITY, seed=inputs.seed)
    return tuple(inputs.items[i].id for i in shown), tuple(given.source for given in known), plane.points
