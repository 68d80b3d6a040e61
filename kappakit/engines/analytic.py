"""Analytic potentials: how an ASE calculator or a torch-sim model registers, in a few lines each."""

from __future__ import annotations

import torch
import torch_sim as ts
from ase.calculators.emt import EMT
from matscipy.calculators.manybody import Manybody
from matscipy.calculators.manybody.explicit_forms import TersoffBrenner
from matscipy.calculators.manybody.explicit_forms.tersoff_brenner import (
    Matsunaga_Fisher_Matsubara_Jpn_J_Appl_Phys_39_48_B_C_N as BCN,
)
from matscipy.neighbours import neighbour_list
from torch_sim.models.interface import ModelInterface

from kappakit.engines.ase_calculator import AsePotential
from kappakit.engines.torchsim_model import TorchSimPotential
from kappakit.ports import PotentialRef


def tersoff_bcn(ref: PotentialRef) -> AsePotential:
    """Tersoff's potential for B, C and N with the parameters of K. Matsunaga, C. Fisher, H. Matsubara,
    Jpn. J. Appl. Phys. 39, L48 (2000), doi 10.1143/JJAP.39.L48, by matscipy."""
    return AsePotential("Tersoff B–C–N", ref.engine, lambda: Manybody(**TersoffBrenner(BCN)), ("B", "C", "N"))


def emt(ref: PotentialRef) -> AsePotential:
    """Effective medium theory: K. W. Jacobsen, P. Stoltze, J. K. Nørskov, Surf. Sci. 366, 394 (1996), by ASE."""
    return AsePotential("EMT", ref.engine, EMT, ("Al", "Ni", "Cu", "Pd", "Ag", "Pt", "Au"))


def lennard_jones(ref: PotentialRef) -> TorchSimPotential:
    """Lennard-Jones with argon's parameters: A. Rahman, Phys. Rev. 136, A405 (1964)."""
    return TorchSimPotential("Lennard-Jones argon", ref.engine, LennardJones(3.4, 0.0104, 8.5), ("Ar",))


class LennardJones(ModelInterface):
    """A torch-sim model in the fewest lines: pairs by matscipy, forces and stress by differentiation.

    sigma and cutoff in Å, epsilon in eV; shifted to zero at the cutoff. torch-sim 0.3.0 brings a model of this name,
    but its energy changes when a cell that is not orthogonal is turned, and its stress counts each pair twice.
    """

    def __init__(self, sigma: float, epsilon: float, cutoff: float) -> None:
        super().__init__()
        self._device, self._dtype = torch.device("cpu"), torch.float64
        self._compute_forces = self._compute_stress = True
        self._sigma, self._epsilon, self._cutoff = sigma, epsilon, cutoff

    def forward(self, state: ts.SimState) -> dict[str, torch.Tensor]:
        """energy (s,) eV, forces (n, 3) eV/Å, stress (s, 3, 3) eV/Å³."""
        n_systems = state.cell.shape[0]
        positions = state.positions.detach().clone().requires_grad_(True)
        strain = torch.zeros(n_systems, 3, 3, dtype=self._dtype, requires_grad=True)
        r = self._bonds(state, positions, strain)
        energy = torch.zeros(n_systems, dtype=self._dtype).index_add(0, r[1], 0.5 * self._pair(r[0].norm(dim=1)))
        forces, virial = torch.autograd.grad(energy.sum(), [positions, strain])
        virial = 0.5 * (virial + virial.mT)
        volume = torch.linalg.det(state.cell.detach()).abs().view(-1, 1, 1)
        return {"energy": energy.detach(), "forces": -forces, "stress": virial / volume}

    def _pair(self, r: torch.Tensor) -> torch.Tensor:
        def energy(x: torch.Tensor) -> torch.Tensor:
            return 4.0 * self._epsilon * ((self._sigma / x) ** 12 - (self._sigma / x) ** 6)

        return energy(r) - energy(torch.tensor(self._cutoff, dtype=self._dtype))

    def _bonds(
        self, state: ts.SimState, positions: torch.Tensor, strain: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """((m, 3) strained bond vectors, (m,) their system)."""
        vectors, systems = [], []
        for index, cell in enumerate(state.row_vector_cell.detach()):
            atoms = torch.nonzero(state.system_idx == index)[:, 0]
            i, j, shifts = neighbour_list(
                "ijS",
                cutoff=self._cutoff,
                positions=positions[atoms].detach().numpy(),
                cell=cell.numpy(),
                pbc=[True] * 3,
            )
            mine = positions[atoms]
            plain = mine[torch.from_numpy(j)] - mine[torch.from_numpy(i)] + torch.from_numpy(shifts).to(cell) @ cell
            vectors.append(plain @ (torch.eye(3, dtype=self._dtype) + strain[index]))
            systems.append(torch.full((len(plain),), index))
        return torch.cat(vectors), torch.cat(systems)
