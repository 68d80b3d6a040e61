"""Samplers of a CDVAE: quality of reconstructed test crystals against network calls and time, in one run on one device.

python benchmarks/samplers.py [--model models/carbon-cdvae] [--count 60] [--samplers annealed fine flow diffusion]
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from kappakit.crystals import Crystal
from kappakit.engines.cdvae.generator import CdvaeGenerator
from kappakit.engines.cdvae.samplers import SAMPLERS
from kappakit.matching import reduced_cell, rms_distance
from kappakit.ports import SilentProgress
from kappakit.protocol import GENERATIONS
from kappakit.sampling import evenly
from kappakit.stages.assess_generator import RECONSTRUCTION

EXACT = 0.05
"""Units of (V/N)^(1/3), below which a crystal is the one that was meant, not another basin."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path(__file__).parents[1] / "models" / "carbon-cdvae")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--samplers", nargs="*", default=["annealed", "fine", "flow", "diffusion"], choices=SAMPLERS)
    parser.add_argument("--tries", type=int, nargs="*", default=[1, 3])
    given = parser.parse_args()
    generator = CdvaeGenerator(given.model)
    test = [data.crystal for data in generator.training_set() if data.part == "test"]
    chosen = [test[index] for index in evenly(len(test), given.count)]
    print(f"{generator.name}, {len(chosen)} test crystals, {generator.device}; rms in units of (V/N)^(1/3)")
    for name in given.samplers:
        for tries in given.tries:
            report(generator, chosen, name, tries)


def report(generator: CdvaeGenerator, chosen: list[Crystal], name: str, tries: int) -> None:
    """A line of the table."""
    settings = replace(GENERATIONS["posterior"], sampler=name, tries=tries)
    started = time.perf_counter()
    again = generator.reconstruct(chosen, seed=0, settings=settings, progress=SilentProgress())
    seconds = (time.perf_counter() - started) / len(chosen)
    found = [
        rms_distance(reduced_cell(one), reduced_cell(other), RECONSTRUCTION)
        for one, other in zip(chosen, again, strict=True)
    ]
    matched = [rms for rms in found if rms is not None]
    exact = sum(rms < EXACT for rms in matched) / len(chosen)
    print(
        f"{name:10} {SAMPLERS[name].calls:5} calls, best of {tries}: match {len(matched) / len(chosen):6.1%}, "
        f"rms {np.mean(matched or [np.nan]):.3f}, below {EXACT} {exact:6.1%}, {seconds:.2f} s a crystal",
        flush=True,
    )


if __name__ == "__main__":
    main()
