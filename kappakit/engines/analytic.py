"""Analytic potentials: how an ASE calculator or a torch-sim model registers, in a few lines each."""

from __future__ import annotations

from typing import Any

import torch
from ase.calculators.emt import EMT
from matscipy.calculators.manybody import Manybody
from matscipy.calculators.manybody.explicit_forms import TersoffBrenner
from matscipy.calculators.manybody.explicit_forms.tersoff_brenner import (
    Matsunaga_Fisher_Matsubara_Jpn_J_Appl_Phys_39_48_B_C_N as BCN,
)
from torch_sim.models.lennard_jones import LennardJonesModel

from kappakit.engines.ase_calculator import AsePotential
from kappakit.engines.torchsim_model import TorchSimPotential
from kappakit.ports import PotentialRef


class ArgonModel(LennardJonesModel):
    """torch-sim 0.3.0 sums the virial over every pair twice: its stress is halved here, as dE/dε demands."""

    def forward(self, state: Any) -> dict[str, torch.Tensor]:
        results: dict[str, torch.Tensor] = super().forward(state)
        return {**results, "stress": 0.5 * results["stress"]}


def tersoff_bcn(ref: PotentialRef) -> AsePotential:
    """Tersoff's potential for B, C and N with the parameters of K. Matsunaga, C. Fisher, H. Matsubara,
    Jpn. J. Appl. Phys. 39, L48 (2000), doi 10.1143/JJAP.39.L48, by matscipy."""
    return AsePotential("Tersoff B–C–N", ref.engine, lambda: Manybody(**TersoffBrenner(BCN)), ("B", "C", "N"))


def emt(ref: PotentialRef) -> AsePotential:
    """Effective medium theory: K. W. Jacobsen, P. Stoltze, J. K. Nørskov, Surf. Sci. 366, 394 (1996), by ASE."""
    return AsePotential("EMT", ref.engine, EMT, ("Al", "Ni", "Cu", "Pd", "Ag", "Pt", "Au"))


def lennard_jones(ref: PotentialRef) -> TorchSimPotential:
    """Lennard-Jones with argon's parameters: A. Rahman, Phys. Rev. 136, A405 (1964), by torch-sim."""
    model = ArgonModel(
        sigma=3.4, epsilon=0.0104, cutoff=8.5, dtype=torch.float64, compute_forces=True, compute_stress=True
    )
    return TorchSimPotential("Lennard-Jones argon", ref.engine, model, ("Ar",))
