"""Uncertainty: all members in one batched pass against one member after another, same crystals, in one run.

python benchmarks/committee.py [--members 8] [--crystals 50] [--configuration carbon-tiny] [--compiled]

Both ways build their own neighbour lists. Networks have fresh weights: neither way's time depends on them.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kappakit.crystals import Crystal
from kappakit.engines.allegro import network
from kappakit.engines.allegro.committee import AllegroCommittee
from kappakit.engines.allegro.configurations import CONFIGURATIONS
from kappakit.engines.allegro.potential import AllegroPotential
from kappakit.reference import reference_crystals

TIMES = 5


def crystals(count: int) -> list[Crystal]:
    """Known carbon crystals of at most 16 atoms, rattled by 0.05 Å."""
    known = [r.crystal for r in reference_crystals(frozenset({"C"})).values() if r.crystal.n_atoms <= 16]
    rng = np.random.default_rng(0)
    made = []
    for index in range(count):
        crystal = known[index % len(known)]
        moves = rng.normal(0.0, 0.05, crystal.frac.shape) @ np.linalg.inv(crystal.cell)
        made.append(Crystal(crystal.cell, crystal.frac + moves, crystal.numbers))
    return made


def fresh_members(folder: Path, configuration: str, count: int) -> list[Path]:
    """Stored networks with fresh weights, each with its own scale, shift and mean number of neighbours."""
    architecture = CONFIGURATIONS[configuration].architecture
    folders = [folder / str(index) for index in range(count)]
    for index, path in enumerate(folders):
        description = network.Description(architecture, ("C",), 30.0 + index, 1.0 + 0.1 * index, (-9.0 - index,))
        network.save(network.build(description, dtype="float32", seed=index), description, path)
        (path / "card.json").write_text(json.dumps({"name": str(index)}))
    return folders


def best(run: Callable[[], Any]) -> tuple[float, Any]:
    """(shortest of some times in s, the result)."""
    times = []
    for _ in range(TIMES):
        started = time.perf_counter()
        result = run()
        times.append(time.perf_counter() - started)
    return min(times), result


def one_after_another(potentials: Sequence[AllegroPotential], some: Sequence[Crystal]) -> list[Any]:
    return [potential.evaluate(some) for potential in potentials]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=8)
    parser.add_argument("--crystals", type=int, default=50)
    parser.add_argument("--configuration", default="carbon-tiny", choices=sorted(CONFIGURATIONS))
    parser.add_argument("--compiled", action="store_true", help="also compile every member (a minute each)")
    given = parser.parse_args()
    some = crystals(given.crystals)
    with tempfile.TemporaryDirectory() as name:
        folders = fresh_members(Path(name), given.configuration, given.members)
        plain = [AllegroPotential(folder, compile_model=False) for folder in folders]
        committee = AllegroCommittee(plain)
        batched, together = best(lambda: committee.evaluate(some))
        sequential, singles = best(lambda: one_after_another(plain, some))
        print(f"{given.members} {given.configuration} members, {len(some)} crystals, {torch.get_num_threads()} threads")
        print(f"batched: {batched:.3f} s; one after another: {sequential:.3f} s; ratio {sequential / batched:.2f}")
        print(f"largest difference: {difference(together, singles):.1e} of the largest force")
        if given.compiled:
            started = time.perf_counter()
            compiled = [AllegroPotential(folder, cache=Path(name) / "cache", compile_model=True) for folder in folders]
            one_after_another(compiled, some[:1])
            ready = time.perf_counter() - started
            seconds, _ = best(lambda: one_after_another(compiled, some))
            print(f"compiled, one after another: {seconds:.3f} s after {ready:.0f} s of compiling")


def difference(together: Sequence[Any], singles: Sequence[Sequence[Any]]) -> float:
    """Largest deviation of the batched forces from the single ones, relative to the largest."""
    pairs = [(found.forces[m], row[i].forces) for i, found in enumerate(together) for m, row in enumerate(singles)]
    return max(float(np.abs(a - b).max()) for a, b in pairs) / max(float(np.abs(b).max()) for _, b in pairs)


if __name__ == "__main__":
    main()
