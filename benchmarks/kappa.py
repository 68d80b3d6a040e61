"""A whole κ_L (forces, force constants, RTA): the protocol's default against the paper's way and phono3py's kernel.

python benchmarks/kappa.py [--crystals diamond lonsdaleite …] [--length 25] [--potential carbon-laptop]

Same crystal, same potential, same mesh, one run. "Before": 3×3×3 of the primitive cell, pairs within 3 Å, phono3py's
own kernel. Both meshes go by spacing: on the mesh of old the comparison would be one of two errors. Prints seconds of
each part, the ratio of the sums and the largest deviation of a principal value.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from kappakit.conductivity import nearest, threads
from kappakit.crystals import Crystal
from kappakit.engines.doors import RealEngines
from kappakit.ports import PotentialRef, SilentProgress
from kappakit.protocol import ConductivitySettings
from kappakit.reference import reference_crystals
from kappakit.stages import conductivity
from kappakit.stages.contracts import ConductivityInputs, ConductivityOutputs
from kappakit.stages.kappa_plan import relaxed_primitive

MODELS = Path(__file__).resolve().parents[1] / "models"
CRYSTALS = ["diamond", "lonsdaleite", "bct-C4", "diamond-12R", "Z-carbon", "T12-carbon"]
NOW = ConductivitySettings(mesh_step=1.0)
BEFORE = replace(NOW, supercell_rule="repeat", displacements="systematic", interaction="phono3py")


def reference_to(name: str) -> PotentialRef:
    """A shipped potential."""
    folder = MODELS / name
    sha256 = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    return PotentialRef("allegro", name, str(folder), sha256)


def computed(crystal: Crystal, ref: PotentialRef, settings: ConductivitySettings, engines: RealEngines) -> Run:
    """One way, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        inputs = ConductivityInputs("benchmark", crystal, ref, symprec=0.1, lbte="no")
        return Run(conductivity.run(inputs, settings, engines=engines), settings.temperature)


class Run:
    """Seconds by part and the principal values at the ranked temperature, W/(m·K)."""

    def __init__(self, outputs: ConductivityOutputs, temperature: float) -> None:
        (tensor,) = outputs.tensors
        self.parts = outputs.parts
        self.mesh = tensor.mesh
        self.principal = tensor.principal[nearest(tensor.temperatures, temperature)]
        self.fit = outputs.fit

    @property
    def seconds(self) -> float:
        return sum(self.parts.values())

    def line(self, title: str) -> str:
        parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in self.parts.items())
        values = " / ".join(f"{value:.0f}" for value in self.principal)
        return f"  {title:7} {self.seconds:8.1f} s ({parts})  {values} W/(m·K)"


def compare(name: str, ref: PotentialRef, length: float, show: Callable[[str], None]) -> None:
    engines = RealEngines(SilentProgress())
    potential = engines.potential(ref)
    known = reference_crystals(frozenset({"C"}))[name].crystal
    cell = relaxed_primitive(known, potential, NOW, symprec=0.01, angle_tolerance=-1.0).after.primitive
    potential.evaluate([cell])
    ways = {"before": BEFORE, "now": NOW}
    found = {way: computed(cell, ref, replace(s, mesh_length=length), engines) for way, s in ways.items()}
    before, now = found["before"], found["now"]
    deviation = float(np.abs(now.principal / before.principal - 1).max())
    boltzmann = before.parts[conductivity.BOLTZMANN] / now.parts[conductivity.BOLTZMANN]
    show(f"{name}: {cell.n_atoms} atoms, mesh of {now.mesh.length:.1f} Å ({now.mesh.points} q-points)")
    for way, run in found.items():
        show(run.line(way))
    show(
        f"  ratio {before.seconds / now.seconds:.1f}, of the Boltzmann equation alone {boltzmann:.1f}; "
        f"largest deviation {deviation:.1%}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crystals", nargs="+", default=CRYSTALS)
    parser.add_argument("--length", type=float, default=25.0, help="Å")
    parser.add_argument("--potential", default="carbon-laptop")
    given = parser.parse_args()
    print(f"{given.potential}, {threads()} threads, RTA")
    for name in given.crystals:
        compare(name, reference_to(given.potential), given.length, lambda line: print(line, flush=True))


if __name__ == "__main__":
    main()
