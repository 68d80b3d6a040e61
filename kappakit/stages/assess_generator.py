"""Measure a generator with the published definitions, on the test part of its own data set."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import wasserstein_distance

from kappakit.crystals import Crystal
from kappakit.errors import InputError
from kappakit.fingerprints import Fingerprints, fingerprints
from kappakit.generation import coverage, density_wasserstein, is_plausible, is_valid
from kappakit.matching import Tolerances, reduced_cell, rms_distance
from kappakit.ports import TEST, Engines, LatentGenerator, Potential
from kappakit.protocol import GenerateSettings
from kappakit.sampling import evenly
from kappakit.stages.contracts import FINGERPRINTS, AssessInputs, AssessOutputs

RECONSTRUCTION = Tolerances(ltol=0.3, stol=0.5, angle_tol=10.0)
FOR_STATISTICS = 1000
"""Valid crystals whose densities and energies are compared, as published."""


def run(inputs: AssessInputs, settings: GenerateSettings, *, engines: Engines) -> AssessOutputs:
    """Reconstruction, validity, coverage and statistics; raises InputError for a generator without test crystals."""
    generator: Any = engines.generator(inputs.generator)
    test = [given.crystal for given in generator.training_set() if given.part == TEST]
    if not test or not hasattr(generator, "reconstruct"):
        raise InputError(f"{inputs.generator.name} has no test crystals to be measured against")
    known = _known(generator, test, engines)
    quality = {
        "settings": {"sampler": settings.sampler, "tries": settings.tries, "prior": settings.prior},
        "reconstruction": _reconstruction(generator, test, inputs, settings, engines),
        "generation": _generation(generator, test, known, inputs, settings, engines),
    }
    return AssessOutputs(json.dumps(quality))


def _known(generator: LatentGenerator, test: Sequence[Crystal], engines: Engines) -> Fingerprints:
    """Fingerprints of the test crystals, stored beside the model or computed and left in the stage's folder."""
    stored = generator.file(FINGERPRINTS)
    found = Fingerprints.read(stored) if stored else fingerprints(test, _told(engines, len(test), "test fingerprints"))
    found.write(Path(FINGERPRINTS))
    return found


def _reconstruction(
    generator: LatentGenerator, test: Sequence[Crystal], inputs: AssessInputs, settings: Any, engines: Engines
) -> dict[str, float | None]:
    """Share of test crystals that are matched again, and the mean rms of those in units of (V/N)^(1/3)."""
    chosen = [test[index] for index in evenly(len(test), inputs.reconstructed)]
    again = generator.reconstruct(chosen, seed=inputs.seed, settings=settings, progress=engines.progress)
    found = [
        rms_distance(reduced_cell(one), reduced_cell(other), RECONSTRUCTION) if is_valid(other) else None
        for one, other in zip(chosen, again, strict=True)
    ]
    matched = [rms for rms in found if rms is not None]
    mean = float(np.mean(matched)) if matched else None
    return {"crystals": len(chosen), "match": len(matched) / max(len(chosen), 1), "rmse": mean}


def _generation(
    generator: LatentGenerator,
    test: Sequence[Crystal],
    known: Fingerprints,
    inputs: AssessInputs,
    settings: GenerateSettings,
    engines: Engines,
) -> dict[str, float | None]:
    """Figures of generated crystals; None where there is no valid crystal to be measured."""
    started = time.monotonic()
    made = generator.generate(
        seed=inputs.seed, start=0, count=inputs.count, settings=settings, progress=engines.progress
    )
    seconds = (time.monotonic() - started) / max(len(made), 1)
    crystals = [m.crystal for m in made]
    valid = [c for c in crystals if is_valid(c)]
    covered = coverage(fingerprints(crystals, _told(engines, len(crystals), "fingerprints")), known)
    some = _some(valid, inputs.seed)
    figures: dict[str, float | None] = {
        "crystals": len(crystals),
        "seconds_each": seconds,
        "valid": len(valid) / max(len(crystals), 1),
        "plausible": sum(is_plausible(c) for c in crystals) / max(len(crystals), 1),
        "recall": covered.recall,
        "precision": covered.precision,
        "density_wasserstein": density_wasserstein(some, test) if some else None,
    }
    if inputs.potential is not None:
        figures["energy_wasserstein"] = _energies(engines.potential(inputs.potential), some, test) if some else None
    return figures


def _some(crystals: Sequence[Crystal], seed: int) -> list[Crystal]:
    order = np.random.default_rng(seed).permutation(len(crystals))[:FOR_STATISTICS]
    return [crystals[int(index)] for index in order]


def _energies(potential: Potential, made: Sequence[Crystal], test: Sequence[Crystal]) -> float:
    """Wasserstein-1 distance of the energies in eV/atom, as the crystals are, not relaxed."""
    parts = [[e.energy / c.n_atoms for e, c in zip(potential.evaluate(cs), cs, strict=True)] for cs in (made, test)]
    return float(wasserstein_distance(*parts))


def _told(engines: Engines, total: int, note: str) -> Any:
    return lambda done: engines.progress(done, total, note)
