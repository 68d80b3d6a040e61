"""How well the estimate of κ_L before any force constants ranks crystals, against κ_L computed by the same potential.

    python benchmarks/promise.py [--crystals 12] [--potential models/carbon-laptop]

Crystals: kappakit's own reference and demo carbon, three-dimensional, cheapest first. κ_L: RTA at 300 K on force
constants and a mesh that are good enough to rank. A crystal takes half a minute to minutes on one core.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from kappakit.conductivity import nearest
from kappakit.crystals import Crystal
from kappakit.engines.doors import RealEngines
from kappakit.errors import Rejected
from kappakit.ports import PotentialRef, SilentProgress
from kappakit.promise import Promise, promise_of
from kappakit.protocol import ConductivitySettings, ScreenSettings
from kappakit.reading import read_files
from kappakit.reference import DATA, reference_crystals
from kappakit.stages import conductivity
from kappakit.stages.contracts import ConductivityInputs
from kappakit.stages.kappa_plan import relaxed_primitive
from kappakit.symmetry import dimensionality, find_symmetry

SETTINGS = ConductivitySettings(fc3_width=5.0, fc2_width=6.0, pair_cutoff=2.7, mesh_length=15.0, mesh_step=1.0)
SCREEN = ScreenSettings()
MOST_ATOMS = 8
SAME_ENERGY = 1e-3
"""eV/atom: crystals of one space group and size that agree to this are taken for one."""


@dataclass(frozen=True, eq=False)
class Known:
    """A relaxed primitive cell: its name, space group and energy eV/atom."""

    name: str
    crystal: Crystal
    number: int
    energy: float


@dataclass(frozen=True)
class Row:
    """Estimate and its seconds; computed κ_L W/(m·K): trace / 3 and largest principal value."""

    known: Known
    promise: Promise
    seconds: float
    mean: float
    largest: float


def own_crystals() -> list[tuple[str, Crystal]]:
    """Reference and demo carbon with few atoms, most symmetric first."""
    named = [(name, known.crystal) for name, known in reference_crystals(frozenset({"C"})).items()]
    imported, _ = read_files([(name, DATA / name) for name in ("demo_carbon.extxyz", "smoke_carbon.extxyz")])
    named += [(f"{each.source} {each.label}", each.crystal) for each in imported]
    return sorted(((n, c) for n, c in named if _cost(c) < np.inf), key=lambda pair: _cost(pair[1]))


def _cost(crystal: Crystal) -> float:
    """Grows with what κ_L takes; infinite for what is too large or not symmetric enough."""
    try:
        found = find_symmetry(crystal, symprec=SCREEN.symprec, angle_tolerance=SCREEN.angle_tolerance)
    except Rejected:
        return np.inf
    fits = found.primitive.n_atoms <= MOST_ATOMS and found.operations >= SCREEN.min_operations
    return found.primitive.n_atoms**2 / found.operations if fits else np.inf


def distinct(named: list[tuple[str, Crystal]], engines: RealEngines, ref: PotentialRef) -> Iterator[Known]:
    """Relaxed, three-dimensional, no crystal twice."""
    seen: list[Known] = []
    for name, crystal in named:
        try:
            relaxed = relaxed_primitive(
                crystal,
                engines.potential(ref),
                SETTINGS,
                symprec=SCREEN.symprec,
                angle_tolerance=SCREEN.angle_tolerance,
            )
        except Rejected:
            continue
        energy = relaxed.evaluation.energy / relaxed.before.primitive.n_atoms
        known = Known(name, relaxed.after.primitive, relaxed.after.number, energy)
        if dimensionality(known.crystal) == 3 and not any(_same(known, other) for other in seen):
            seen.append(known)
            yield known


def _same(one: Known, other: Known) -> bool:
    alike = (one.number, one.crystal.n_atoms) == (other.number, other.crystal.n_atoms)
    return alike and abs(one.energy - other.energy) < SAME_ENERGY


def measured(known: Known, engines: RealEngines, ref: PotentialRef) -> Row | None:
    """Estimate and κ_L; None for a crystal that has no κ_L."""
    started = time.perf_counter()
    promise = promise_of(known.crystal, engines.potential(ref))
    seconds = time.perf_counter() - started
    inputs = ConductivityInputs(known.name, known.crystal, ref, SCREEN.symprec, lbte="no")
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        found = conductivity.run(inputs, SETTINGS, engines=engines)
    if promise.kappa is None or not found.tensors:
        print(f"{known.name}: {promise.note or found.verdict.dynamical}")
        return None
    tensor = found.tensors[0]
    values = tensor.principal[nearest(tensor.temperatures, SETTINGS.temperature)]
    return Row(known, promise, seconds, float(values.mean()), float(values[0]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crystals", type=int, default=12)
    parser.add_argument("--potential", type=Path, default=Path("models/carbon-laptop"))
    given = parser.parse_args()
    ref = PotentialRef("allegro", given.potential.name, str(given.potential.resolve()))
    engines = RealEngines(SilentProgress())
    rows: list[Row] = []
    print("crystal, atoms, estimate, computed mean and largest in W/(m·K), seconds of the estimate")
    for known in distinct(own_crystals(), engines, ref):
        if (row := measured(known, engines, ref)) is not None:
            rows.append(row)
            told = f"{row.promise.kappa:8.0f}{row.mean:8.0f}{row.largest:8.0f}{row.seconds:7.2f}"
            print(f"{known.name[-40:]:40} {known.crystal.n_atoms:2}{told}", flush=True)
        if len(rows) == given.crystals:
            break
    report(rows)


def report(rows: list[Row]) -> None:
    """Rank correlations over all crystals."""
    estimates = [row.promise.kappa for row in rows]
    mean, largest = (spearmanr(estimates, [getattr(r, name) for r in rows]).statistic for name in ("mean", "largest"))
    print(f"{len(rows)} crystals; Spearman's ρ {mean:.2f} with the mean, {largest:.2f} with the largest value")
    print(f"{np.median([row.seconds for row in rows]):.2f} s an estimate")


if __name__ == "__main__":
    main()
