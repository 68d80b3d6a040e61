"""Any ASE calculator as a Potential: evaluated one crystal after the other, relaxed by ASE's FIRE."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import numpy as np
from ase import Atoms

from kappakit import relaxation
from kappakit.crystals import Crystal
from kappakit.errors import InputError
from kappakit.ports import Evaluation, Progress, RelaxedCrystal, TrustLimits
from kappakit.protocol import RelaxSettings


@dataclass
class AsePotential:
    """`calculator` makes an ASE calculator with energy, forces, stress. Attributes as in kappakit.ports.Potential."""

    name: str
    engine: str
    calculator: Callable[[], Any]
    species: tuple[str, ...] = ()
    trust: TrustLimits = field(default_factory=lambda: TrustLimits(min_distance=0.5, min_volume=1.0, max_volume=200.0))
    version: str = f"ase {version('ase')}"
    sha256: str = ""
    precision: str = "float64"
    compiled: bool = False
    trust_descriptors: np.ndarray | None = None

    def evaluate(self, crystals: Sequence[Crystal]) -> list[Evaluation]:
        """Evaluate each crystal; raises InputError on an element it does not know."""
        self._check(crystals)
        calculator = self.calculator()
        return [_evaluate(crystal, calculator) for crystal in crystals]

    def relax(self, crystals: Sequence[Crystal], settings: RelaxSettings, progress: Progress) -> list[RelaxedCrystal]:
        """Relax the crystals one after the other."""
        self._check(crystals)
        relaxed = []
        for done, crystal in enumerate(crystals, start=1):
            relaxed.append(relaxation.relax_one(self, crystal, settings))
            progress(done, len(crystals), "")
        return relaxed

    def _check(self, crystals: Sequence[Crystal]) -> None:
        unknown = {s for c in crystals for s in c.symbols} - set(self.species)
        if self.species and unknown:
            raise InputError(f"{self.name} knows {', '.join(self.species)}, not {', '.join(sorted(unknown))}")


def _evaluate(crystal: Crystal, calculator: Any) -> Evaluation:
    atoms = Atoms(crystal.numbers, cell=crystal.cell, scaled_positions=crystal.frac, pbc=True)
    atoms.calc = copy.copy(calculator)
    forces = np.array(atoms.get_forces(), dtype=float)
    stress = np.array(atoms.get_stress(voigt=False), dtype=float)
    return Evaluation(float(atoms.get_potential_energy()), forces, stress)
