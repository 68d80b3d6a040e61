"""What κ_L a relaxed crystal promises, in about a second, before any force constants: to compute the best ones first.

Slack's formula for heat carried by acoustic phonons that scatter one another:

    κ_L = A M θ³ δ / (γ² n^(2/3) T),   A = 2.43e-6 / (1 - 0.514/γ + 0.228/γ²)

κ_L W/(m·K); M mean atomic mass, amu; θ Debye temperature of all 3n branches, K; δ³ volume per atom, Å³; n atoms in the
primitive cell; γ Grüneisen number; T temperature, K. G. A. Slack, Solid State Phys. 34, 1 (1979),
doi 10.1016/S0081-1947(08)60359-8; A: C. L. Julian, Phys. Rev. 137, A128 (1965), doi 10.1103/PhysRev.137.A128.

θ comes from the elastic constants, as in C. Toher et al., Phys. Rev. Materials 1, 015401 (2017),
doi 10.1103/PhysRevMaterials.1.015401. γ is 1 for every crystal. γ from Poisson's ratio ν, 3/2 (1 + ν) / (2 - 3ν)
(V. N. Belomestnykh, Tech. Phys. Lett. 30, 91 (2004), doi 10.1134/1.1666949), or from changes of the volume ranks carbon
no better and gives values that are further off (docs/conductivity.md). Nothing is fitted to κ_L.
"""

from __future__ import annotations

from dataclasses import dataclass

from kappakit.crystals import Crystal
from kappakit.elasticity import debye_temperature, elasticity, hill
from kappakit.ports import Potential

SLACK_ELASTIC = "Slack's formula from elastic constants, γ = 1"
TEMPERATURE = 300.0
GRUNEISEN = 1.0
UNSTABLE_STRAIN = "a strain lowers the energy: no sound velocity"
UNSTABLE_ATOMS = "a displacement of atoms within the cell lowers the energy"


@dataclass(frozen=True)
class Promise:
    """kappa W/(m·K) at 300 K, an average over directions, None with a `note` where it cannot be given; `method` one of
    this module's names; bulk and shear modulus (Hill) GPa, Debye temperature K, Grüneisen number, 0 without κ_L."""

    kappa: float | None
    method: str
    bulk: float = 0.0
    shear: float = 0.0
    debye: float = 0.0
    gruneisen: float = 0.0
    note: str = ""


def promise_of(crystal: Crystal, potential: Potential) -> Promise:
    """The estimate of a primitive cell that is relaxed by the same potential; about 12 + 6n evaluations of n atoms."""
    found = elasticity(crystal, potential)
    if not found.holds_atoms:
        return Promise(None, SLACK_ELASTIC, note=UNSTABLE_ATOMS)
    if not found.holds_shape:
        return Promise(None, SLACK_ELASTIC, note=UNSTABLE_STRAIN)
    moduli = hill(found.stiffness)
    debye = debye_temperature(moduli, crystal)
    kappa = slack(crystal, debye=debye, gamma=GRUNEISEN)
    return Promise(kappa, SLACK_ELASTIC, moduli.bulk, moduli.shear, debye, GRUNEISEN)


def slack(crystal: Crystal, *, debye: float, gamma: float, temperature: float = TEMPERATURE) -> float:
    """W/(m·K) of a primitive cell: Debye temperature K of all its branches, Grüneisen number, temperature K."""
    prefactor = 2.43e-6 / (1 - 0.514 / gamma + 0.228 / gamma**2)
    size = (crystal.volume / crystal.n_atoms) ** (1 / 3)
    mass = float(crystal.masses.mean())
    return prefactor * mass * debye**3 * size / (gamma**2 * crystal.n_atoms ** (2 / 3) * temperature)
