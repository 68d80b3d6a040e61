"""Relaxation: all crystals in one batch by torch-sim against one by one by ASE's FIRE, same potential, in one run.

python benchmarks/relaxation.py [--count 16] [--model models/carbon-laptop]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from kappakit.crystals import Crystal
from kappakit.engines.allegro.potential import AllegroPotential
from kappakit.ports import SilentProgress
from kappakit.protocol import RelaxSettings
from kappakit.reference import reference_crystals
from kappakit.relaxation import relax_one


def perturbed(count: int) -> list[Crystal]:
    """Known carbon crystals of at most 16 atoms, strained by 3 % and rattled by 0.05 Å."""
    known = [r.crystal for r in reference_crystals(frozenset({"C"})).values() if r.crystal.n_atoms <= 16]
    rng = np.random.default_rng(0)
    crystals = []
    for index in range(count):
        crystal = known[index % len(known)]
        cell = crystal.cell @ (np.eye(3) + 0.03 * rng.normal(size=(3, 3)))
        frac = crystal.frac + 0.05 * rng.normal(size=crystal.frac.shape) @ np.linalg.inv(cell)
        crystals.append(Crystal(cell, frac, crystal.numbers))
    return crystals


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=16)
    parser.add_argument("--model", type=Path, default=Path(__file__).parents[1] / "models" / "carbon-laptop")
    given = parser.parse_args()
    potential, crystals, settings = AllegroPotential(given.model), perturbed(given.count), RelaxSettings()
    potential.evaluate(crystals[:1])
    started = time.perf_counter()
    batch = potential.relax(crystals, settings, SilentProgress())
    batched = time.perf_counter() - started
    started = time.perf_counter()
    singles = [relax_one(potential, crystal, settings) for crystal in crystals]
    one_by_one = time.perf_counter() - started
    differences = [
        abs(a.evaluation.energy - b.evaluation.energy) / c.n_atoms
        for a, b, c in zip(batch, singles, crystals, strict=True)
    ]
    print(f"{given.count} crystals, compiled {potential.compiled}, {potential.precision}")
    for way, seconds, ends in (("batched", batched, batch), ("one by one", one_by_one, singles)):
        converged, steps = sum(end.converged for end in ends), sum(end.steps for end in ends)
        print(f"{way}: {seconds:.1f} s, {converged} converged, {steps} steps")
    print(f"ratio {one_by_one / batched:.2f}; median energy difference {1e3 * np.median(differences):.3f} meV/atom")


if __name__ == "__main__":
    main()
