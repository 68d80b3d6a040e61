"""Diamond by GPAW through the stage `calculate`: lattice constant, bulk modulus, relaxation, seconds a calculation.

    python benchmarks/diamond_dft.py [--functional optB88-vdW] [--spacing 0.4] [--cutoff 600] [--without-relaxation]

Seven volumes within ±6 %, fitted by Birch and Murnaghan's equation of third order, F. Birch, Phys. Rev. 71, 809 (1947).
Compare: all-electron PBE 5.6958 Å³/atom and 433.4 GPa, E. Bosoni et al., Nat. Rev. Phys. 6, 45 (2024).
"""

from __future__ import annotations

import argparse
import os
import tempfile

import numpy as np

from kappakit.crystals import Crystal
from kappakit.dft import DftTask
from kappakit.engines.doors import RealEngines
from kappakit.ports import PrintedProgress
from kappakit.protocol import DftRunSettings, DftSettings
from kappakit.stages import calculate
from kappakit.stages.contracts import CalculateInputs, CalculateOutputs
from kappakit.units import EV_PER_A3_IN_GPA

FCC = np.array([[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]])
CENTRE = 3.575
STRETCHES = np.linspace(0.94, 1.06, 7)


def diamond(a: float) -> Crystal:
    """The primitive cell with the lattice constant `a` in Å."""
    return Crystal(a * FCC, np.array([[0.0, 0.0, 0.0], [0.25, 0.25, 0.25]]), np.array([6, 6]))


def computed(task: DftTask) -> CalculateOutputs:
    """By the stage, in a folder of its own; raises SystemExit where it failed."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        inputs = CalculateInputs(task.text())
        outputs = calculate.run(inputs, DftRunSettings(), engines=RealEngines(PrintedProgress()))
        os.chdir("/")
    if outputs.result is None:
        raise SystemExit(f"{outputs.failure}: {outputs.message}")
    return outputs


def birch_murnaghan(volumes: np.ndarray, energies: np.ndarray) -> tuple[float, float]:
    """(volume Å³, bulk modulus GPa) at the minimum; the energy is a cubic in x = V^(−2/3)."""
    cubic = np.polynomial.Polynomial.fit(volumes ** (-2 / 3), energies, 3).convert()
    slope, curvature = cubic.deriv(1), cubic.deriv(2)
    (x,) = (root.real for root in slope.roots() if abs(root.imag) < 1e-9 and curvature(root.real) > 0)
    volume = x**-1.5
    return float(volume), float(4.0 / 9.0 * curvature(x) * volume ** (-7 / 3) * EV_PER_A3_IN_GPA)


def main() -> None:
    """Print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--functional", default="optB88-vdW")
    parser.add_argument("--spacing", type=float, default=0.4)
    parser.add_argument("--cutoff", type=float, default=600.0)
    parser.add_argument("--without-relaxation", action="store_true")
    chosen = parser.parse_args()
    settings = DftSettings(
        functional=chosen.functional, cutoff=chosen.cutoff, k_spacing=chosen.spacing, spin=False, energy_tolerance=1e-7
    )
    cells = [diamond(CENTRE * stretch ** (1 / 3)) for stretch in STRETCHES]
    curve = [computed(DftTask("label", cell, settings)) for cell in cells]
    energies = np.array([outputs.result.energy for outputs in curve if outputs.result])
    volume, modulus = birch_murnaghan(np.array([cell.volume for cell in cells]), energies)
    print(f"{chosen.functional}, mesh {curve[0].result.k_mesh if curve[0].result else ''}")
    print(f"equation of state: a = {(4 * volume) ** (1 / 3):.4f} Å, {volume / 2:.4f} Å³/atom, B = {modulus:.1f} GPa")
    print(f"seconds a label: {np.median([outputs.seconds for outputs in curve]):.1f}")
    if not chosen.without_relaxation:
        end = computed(DftTask("relax", diamond(1.01 * CENTRE), settings))
        assert end.result is not None
        a = (4 * end.result.crystal.volume) ** (1 / 3)
        print(f"relaxation: a = {a:.4f} Å after {end.result.steps} steps, {end.seconds:.0f} s")


if __name__ == "__main__":
    main()
