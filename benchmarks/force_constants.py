"""Force constants: how many supercells each route takes and how far its κ_L is from that of all displacements.

python benchmarks/force_constants.py [--crystals diamond lonsdaleite ...] [--length 18] [--model models/carbon-laptop]

Reference: systematic displacements without a pair cutoff, in the same supercell and on the same mesh. Routes:
systematic with the protocol's pair cutoff; random pairs until the protocol's tolerance is reached. One supercell serves
FC2 and FC3. κ_L by RTA at 300 K.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from phono3py import Phono3py

from kappakit.adaptive_force_constants import force_constants
from kappakit.conductivity import RTA, solve
from kappakit.crystals import Crystal
from kappakit.displacements import counts
from kappakit.engines.allegro.potential import AllegroPotential
from kappakit.engines.registry import INTERACTIONS, resolve
from kappakit.meshes import spaced_mesh
from kappakit.ports import Evaluation, SilentProgress
from kappakit.protocol import ConductivitySettings
from kappakit.reference import reference_crystals
from kappakit.stages.kappa_plan import relaxed_primitive
from kappakit.tensors import from_voigt, principal

TEMPERATURE = 300.0
CRYSTALS = ("diamond", "lonsdaleite", "bct-C4", "diamond-4H", "T12-carbon")
SYMPREC, ANGLE = 0.1, 5.0


@dataclass
class Timed:
    """A potential that counts the seconds of its forces."""

    potential: AllegroPotential
    seconds: float = 0.0

    def __getattr__(self, name: str) -> object:
        return getattr(self.potential, name)

    def evaluate(self, crystals: list[Crystal]) -> list[Evaluation]:
        started = time.perf_counter()
        found = self.potential.evaluate(crystals)
        self.seconds += time.perf_counter() - started
        return found


@dataclass(frozen=True, eq=False)
class Outcome:
    """seconds: of the forces, and of all that turns them into FC2 and FC3."""

    route: str
    supercells: int
    atoms: int
    evaluations: int
    forces: float
    fit: float
    kappa: np.ndarray
    note: str = ""


def routes(settings: ConductivitySettings) -> dict[str, ConductivitySettings]:
    whole = replace(settings, displacements="systematic", pair_cutoff=0.0, fc2_width=settings.fc3_width)
    return {
        "systematic": whole,
        "pair cutoff": replace(whole, pair_cutoff=settings.pair_cutoff),
        "random": replace(whole, displacements="random"),
    }


def outcome(route: str, primitive: Crystal, settings: ConductivitySettings, potential: AllegroPotential) -> Outcome:
    timed = Timed(potential)
    started = time.perf_counter()
    calculation, fit = force_constants(primitive, settings, timed, SilentProgress())
    elapsed = time.perf_counter() - started - timed.seconds
    return Outcome(
        route,
        fit.supercells,
        counts(calculation).atoms_fc3,
        fit.evaluations,
        timed.seconds,
        elapsed,
        kappa_of(calculation, settings.mesh_length),
        f"foretold within {fit.checks[-1].error:.4f}" if fit.checks else "",
    )


def kappa_of(calculation: Phono3py, length: float) -> np.ndarray:
    """(3,) principal values by RTA, W/(m·K), descending."""
    interactions = resolve(INTERACTIONS, "torch", "way of interactions")()
    solve(calculation, RTA, spaced_mesh(calculation, length), [TEMPERATURE], interactions)
    return principal(from_voigt(np.asarray(calculation.thermal_conductivity.kappa)[0, 0]))[0]


def report(name: str, found: Outcome, reference: Outcome) -> str:
    off = 100 * (found.kappa / reference.kappa - 1)
    return (
        f"{name:12} {found.route:11} {found.supercells:5} x {found.atoms:3} {found.evaluations:7} evaluations "
        f"{found.forces:7.1f} s forces {found.fit:6.1f} s fit  kappa {' '.join(f'{k:7.1f}' for k in found.kappa)}  "
        f"off {' '.join(f'{o:+5.2f}' for o in off)} %  {found.note}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crystals", nargs="+", default=CRYSTALS)
    parser.add_argument("--length", type=float, default=18.0)
    parser.add_argument("--width", type=float, default=None)
    parser.add_argument("--model", type=Path, default=Path(__file__).parents[1] / "models" / "carbon-laptop")
    given = parser.parse_args()
    settings = replace(ConductivitySettings(), mesh_length=given.length)
    if given.width is not None:
        settings = replace(settings, fc3_width=given.width)
    potential = AllegroPotential(given.model)
    for name in given.crystals:
        crystal = reference_crystals()[name].crystal
        potential.evaluate([crystal])
        relaxed = relaxed_primitive(crystal, potential, settings, symprec=SYMPREC, angle_tolerance=ANGLE)
        primitive, reference = relaxed.after.primitive, None
        for route, chosen in routes(settings).items():
            found = outcome(route, primitive, chosen, potential)
            reference = reference or found
            print(report(name, found, reference), flush=True)


if __name__ == "__main__":
    main()
