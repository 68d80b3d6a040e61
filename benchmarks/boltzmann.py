"""The Boltzmann equation alone: interaction strengths by torch against phono3py's own kernel, same crystal, one run.

python benchmarks/boltzmann.py [--crystal Z-carbon] [--length 25] [--method rta] [--model models/carbon-laptop]

Crystals of kappakit/data/carbon_reference.json, e.g. Z-carbon (24 bands) and T12-carbon (36); supercells 6 Å wide and a
pair cutoff of 3 Å. Without --model forces come from Tersoff's potential.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
import torch
from phono3py import Phono3py

from kappakit.displacements import evaluate_displacements, phonopy_atoms
from kappakit.engines.allegro.potential import AllegroPotential
from kappakit.engines.analytic import tersoff_bcn
from kappakit.engines.boltzmann.phono3py_kernel import Phono3pyInteractions
from kappakit.engines.boltzmann.torch_kernel import TorchInteractions
from kappakit.estimates import cost
from kappakit.force_constants import produce
from kappakit.ports import Interactions, Potential, PotentialRef, SilentProgress
from kappakit.reference import reference_crystals
from kappakit.relaxation import relax_under_symmetry
from kappakit.symmetry import find_symmetry
from kappakit.widths import supercell_of_width

WIDTH, CUTOFF = 6.0, 3.0
TEMPERATURES = {"rta": [100.0 * step for step in range(1, 11)], "lbte": [300.0]}
OPTIONS = {"symmetrize_tetrahedra": True, "average_degenerate_weights": True, "exclude_gamma_acoustic": True}
WARM_UP = 4.0
"""Å: a mesh so short that only what is compiled at the first call takes time."""


def calculated(name: str, potential: Potential) -> Phono3py:
    """FC2 and FC3 of a known crystal, relaxed by the potential."""
    known = find_symmetry(reference_crystals(frozenset({"C"}))[name].crystal, symprec=1e-3, angle_tolerance=-1.0)
    tolerances: dict[str, Any] = {"symprec": 1e-3, "max_force": 1e-3, "max_stress": 0.05, "max_steps": 300}
    relaxed = relax_under_symmetry(known.primitive, potential, **tolerances)[0]
    primitive = find_symmetry(relaxed, symprec=1e-3, angle_tolerance=-1.0).primitive
    matrix = supercell_of_width(primitive, WIDTH)
    atoms = phonopy_atoms(primitive)
    calculation = Phono3py(atoms, supercell_matrix=matrix, primitive_matrix=np.eye(3), use_grg=True)
    calculation.generate_displacements(distance=0.03, cutoff_pair_distance=CUTOFF)
    evaluate_displacements(calculation, potential, SilentProgress())
    produce(calculation)
    return calculation


def solved(calculation: Phono3py, interactions: Interactions, length: float, method: str) -> tuple[Any, float, float]:
    """(solution, wall time, processor time) in s."""
    calculation.mesh_numbers = length
    started, used = perf_counter(), process_time()
    extra = interactions.prepare(calculation, OPTIONS)
    temperatures = TEMPERATURES[method]
    calculation.run_thermal_conductivity(is_LBTE=method == "lbte", temperatures=temperatures, log_level=0, **extra)
    return calculation.thermal_conductivity, perf_counter() - started, process_time() - used


def deviation(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest relative deviation where a value is not negligible."""
    counted = np.abs(theirs) > 1e-8 * np.abs(theirs).max()
    return float(np.abs(ours[counted] / theirs[counted] - 1.0).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crystal", default="Z-carbon")
    parser.add_argument("--length", type=float, default=25.0, help="of the mesh, in Å")
    parser.add_argument("--method", choices=sorted(TEMPERATURES), default="rta")
    parser.add_argument("--model", type=Path, help="folder of a trained potential")
    given = parser.parse_args()
    threads = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
    torch.set_num_threads(threads)
    potential = AllegroPotential(given.model) if given.model else tersoff_bcn(PotentialRef("tersoff-bcn", "Tersoff"))
    calculation = calculated(given.crystal, potential)
    expected = cost(calculation, given.length, temperatures=len(TEMPERATURES[given.method]), threads=threads)
    seconds = expected.rta_seconds if given.method == "rta" else expected.lbte_seconds
    bands, atoms = 3 * len(calculation.primitive), len(calculation.supercell)
    print(f"{given.crystal}, {bands} bands, supercell of {atoms} atoms, {potential.name}, {threads} threads")
    print(
        f"{given.length:g} Å, {expected.triplets} triplets, {given.method} by torch expected to take {seconds:.0f} s",
        flush=True,
    )
    found = {}
    for interactions in (TorchInteractions(), Phono3pyInteractions()):
        solved(calculation, interactions, WARM_UP, given.method)
        found[interactions.name] = solved(calculation, interactions, given.length, given.method)
        _, wall, used = found[interactions.name]
        print(f"{interactions.name}: {wall:.1f} s, {used:.1f} s of the processor", flush=True)
    (ours, *quick), (theirs, *slow) = found["torch"], found["phono3py"]
    print(f"ratio {slow[0] / quick[0]:.1f}, of processor time {slow[1] / quick[1]:.1f}")
    for name in ("kappa", "gamma"):
        print(f"largest deviation of {name}: {deviation(getattr(ours, name), getattr(theirs, name)):.1e}")


if __name__ == "__main__":
    main()
