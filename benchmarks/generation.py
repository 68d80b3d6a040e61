"""Ways to generate, at equal n: how many crystals survive relaxation, are distinct, novel, pass the screen.

python benchmarks/generation.py [--count 64] [--ways simple posterior search] [--seed 0] [--out results.json]

Runs the campaign's own stages: generate, thin, relax, deduplicate, training_novelty, screen.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from kappakit.engines.doors import RealEngines
from kappakit.ports import GeneratorRef, PotentialRef, SilentProgress
from kappakit.protocol import GENERATIONS, DeduplicateSettings, GenerateSettings, RelaxSettings, ScreenSettings
from kappakit.rarefaction import rarefaction
from kappakit.stages import contracts as c
from kappakit.stages import deduplicate, generate, relax, screen, thin, training_novelty

ROOT = Path(__file__).parents[1] / "models"
WAYS: dict[str, GenerateSettings] = {
    "published prior": replace(GENERATIONS["published"], sampler="annealed"),
    "posterior": GENERATIONS["posterior"],
    "posterior, distinct": replace(GENERATIONS["posterior"], distinct=True),
    "posterior, one try": replace(GENERATIONS["posterior"], tries=1),
    "between": replace(GENERATIONS["posterior"], prior="between"),
    "mixture": replace(GENERATIONS["posterior"], prior="mixture"),
    "simple": GENERATIONS["simple"],
    "simple, with copies": replace(GENERATIONS["simple"], distinct=False),
    "simple, not symmetrised": replace(GENERATIONS["simple"], symmetrise=0.0),
    "search": GenerateSettings(),
}
BATCH = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--ways", nargs="*", default=["posterior", "simple", "search"], choices=WAYS)
    parser.add_argument("--generator", type=Path, default=ROOT / "carbon-cdvae")
    parser.add_argument("--potential", type=Path, default=ROOT / "carbon-laptop")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    run = Run(given.generator, given.potential)
    results = {}
    for way in given.ways:
        results[way] = run(WAYS[way], given.count, given.seed)
        print(f"{way}: {json.dumps(results[way])}", flush=True)
        if given.out:
            given.out.write_text(json.dumps(results, indent=1))


class Run:
    """The stages of a campaign on one generator and one potential."""

    def __init__(self, generator: Path, potential: Path) -> None:
        self.engines = RealEngines(SilentProgress())
        self.learned = GeneratorRef("cdvae", generator.name, str(generator))
        self.potential = PotentialRef("allegro", potential.name, str(potential))
        self.seconds: Counter[str] = Counter()

    def __call__(self, settings: GenerateSettings, count: int, seed: int) -> dict[str, Any]:
        """Counts out of `count`, seconds by stage, and the expected distinct ones among fewer (rarefaction)."""
        self.seconds = Counter()
        made = self._generated(settings, count, seed)
        items = tuple(c.Item(str(item.index), item.crystal) for item in made)
        copies = Counter({item.id: 1 for item in items})
        if settings.thin:
            thinned = self._timed("thin", lambda: thin.run(c.ThinInputs(items), settings, engines=self.engines))
            items = _merged(items, thinned, copies)
        relaxed = self._relaxed(items)
        inputs = c.DeduplicateInputs(relaxed)
        found = self._timed("deduplicate", lambda: deduplicate.run(inputs, DeduplicateSettings(), engines=self.engines))
        unique = _merged(relaxed, found, copies)
        novel = self._novel(unique)
        passed = self._passed(unique)
        drawn = [n for n in (16, 32, 64, 128, 256, 512, 1024) if n < count] + [count]
        curves = {
            name: [round(float(v), 2) for v in rarefaction([copies[key] for key in keys], count, drawn)]
            for name, keys in (("unique", {i.id for i in unique}), ("novel", novel), ("screened", passed))
        }
        return {
            "asked": count,
            "within limits": len(made),
            "relaxed by the potential": len(items),
            "ended in a minimum": sum(copies[i.id] for i in unique),
            "unique": len(unique),
            "novel": len(novel),
            "screened": len(passed),
            "screened and novel": len(passed & novel),
            "curves": {"n": drawn, **curves},
            "seconds": {name: round(value, 1) for name, value in self.seconds.items()},
        }

    def _timed(self, stage: str, work: Callable[[], Any]) -> Any:
        started = time.process_time()
        found = work()
        self.seconds[stage] += time.process_time() - started
        return found

    def _generated(self, settings: GenerateSettings, count: int, seed: int) -> list[c.GeneratedItem]:
        ref = GeneratorRef("search", "search") if settings.generator == "search" else self.learned
        inputs = c.GenerateInputs(seed, 0, count, ref)
        outputs = self._timed("generate", lambda: generate.run(inputs, settings, engines=self.engines))
        return list(outputs.crystals)

    def _relaxed(self, items: tuple[c.Item, ...]) -> tuple[c.Item, ...]:
        ordered = sorted(items, key=lambda item: item.crystal.n_atoms)
        ends: list[c.RelaxedItem] = []
        for start in range(0, len(ordered), BATCH):
            inputs = c.RelaxInputs(tuple(ordered[start : start + BATCH]), self.potential)
            found = self._timed("relax", lambda i=inputs: relax.run(i, RelaxSettings(), engines=self.engines))
            ends += found.relaxed
        return tuple(c.Item(end.id, end.crystal, end.energy_per_atom) for end in ends)

    def _novel(self, unique: tuple[c.Item, ...]) -> set[str]:
        inputs = c.TrainingNoveltyInputs(unique, self.learned)
        found = self._timed(
            "novelty", lambda: training_novelty.run(inputs, DeduplicateSettings(), engines=self.engines)
        )
        return {verdict.id for verdict in found.verdicts if not verdict.source}

    def _passed(self, unique: tuple[c.Item, ...]) -> set[str]:
        found = self._timed(
            "screen", lambda: screen.run(c.ScreenInputs(unique), ScreenSettings(), engines=self.engines)
        )
        return {fact.id for fact in found.facts if fact.passes}


def _merged(items: tuple[c.Item, ...], found: c.DeduplicateOutputs, copies: Counter[str]) -> tuple[c.Item, ...]:
    """The representatives; their duplicates' copies are theirs."""
    for match in found.matches:
        copies[match.representative] += copies.pop(match.duplicate)
    kept = set(found.representatives)
    return tuple(item for item in items if item.id in kept)


if __name__ == "__main__":
    main()
