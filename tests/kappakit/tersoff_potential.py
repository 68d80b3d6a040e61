"""Tersoff's potential for C and Si (and C, N, B) as a Potential: analytic, quick, with published parameters.

J. Tersoff, Phys. Rev. B 39, 5566 (1989); K. Matsunaga, C. Fisher, H. Matsubara, Jpn. J. Appl. Phys. 39, L48 (2000).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ase import Atoms
from ase.stress import voigt_6_to_full_3x3_stress
from matscipy.calculators.manybody import Manybody
from matscipy.calculators.manybody.explicit_forms import TersoffBrenner
from matscipy.calculators.manybody.explicit_forms.tersoff_brenner import (
    Matsunaga_Fisher_Matsubara_Jpn_J_Appl_Phys_39_48_B_C_N,
    Tersoff_PRB_39_5566_Si_C,
)

from kappakit.crystals import Crystal
from kappakit.ports import Evaluation, Progress, RelaxedCrystal, TrustLimits
from kappakit.protocol import RelaxSettings

SILICON_CARBON = Tersoff_PRB_39_5566_Si_C
BORON_CARBON_NITROGEN = Matsunaga_Fisher_Matsubara_Jpn_J_Appl_Phys_39_48_B_C_N


@dataclass
class TersoffPotential:
    """`rounded`: forces lose the digits that float32 loses, to stand for a float32 engine."""

    parameters: Any = field(default_factory=lambda: SILICON_CARBON)
    precision: str = "float64"
    name: str = "tersoff"
    engine: str = "tersoff"
    version: str = "matscipy"
    sha256: str = ""
    species: tuple[str, ...] = ()
    compiled: bool = False
    trust: TrustLimits = field(default_factory=TrustLimits)
    trust_descriptors: np.ndarray | None = None
    evaluated_atoms: int = 0

    def evaluate(self, crystals: Sequence[Crystal]) -> list[Evaluation]:
        return [self._evaluate(crystal) for crystal in crystals]

    def relax(self, crystals: Sequence[Crystal], settings: RelaxSettings, progress: Progress) -> list[RelaxedCrystal]:
        raise NotImplementedError

    def _evaluate(self, crystal: Crystal) -> Evaluation:
        self.evaluated_atoms += crystal.n_atoms
        positions = crystal.positions
        if self.precision == "float32":
            positions = positions.astype(np.float32).astype(float)
        atoms = Atoms(numbers=crystal.numbers, cell=crystal.cell, positions=positions, pbc=True)
        atoms.calc = Manybody(**TersoffBrenner(self.parameters))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            energy, forces, stress = atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress()
        return Evaluation(float(energy), forces, voigt_6_to_full_3x3_stress(stress))
