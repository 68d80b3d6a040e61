"""Elastic constants of a relaxed crystal by a potential, and what an isotropic polycrystal of it would do.

Internal relaxation is not iterated: to first order in the strain, atoms of a cell that is held follow from the second
derivatives of the energy by positions and strain (X. Wu, D. Vanderbilt, D. R. Hamann, Phys. Rev. B 72, 035105 (2005),
doi 10.1103/PhysRevB.72.035105). All derivatives come from one batch of 12 strained and 6n displaced cells of n atoms.
Averages: R. Hill, Proc. Phys. Soc. A 65, 349 (1952), doi 10.1088/0370-1298/65/5/307; Debye temperature:
O. L. Anderson, J. Phys. Chem. Solids 24, 909 (1963), doi 10.1016/0022-3697(63)90067-2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kappakit.crystals import Crystal
from kappakit.ports import Potential
from kappakit.units import BOLTZMANN_EV_PER_K, EV_PER_A3_IN_GPA

STRAIN = 0.003
"""Central differences: large against the rounding of a float32 potential, small enough that C44 moves by < 0.1 %."""
STEP = 0.01
"""Å: displacement of single atoms."""
VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
PLANCK_EV_S = 4.135667696e-15
SOFT = 1e-3
"""eV/Å²: a force constant below this does not bring an atom back."""
LIMP = 1.0
"""GPa: a stiffness below this is none, as that of layers beyond the potential's reach."""


@dataclass(frozen=True, eq=False)
class Elasticity:
    """stiffness (6, 6) GPa, atoms relaxed, Voigt's order xx, yy, zz, yz, xz, xy, in the axes of the cell.
    softest eV/Å²: lowest eigenvalue of the force constants at Γ, translations left out; inf with one atom."""

    stiffness: np.ndarray
    softest: float

    @property
    def holds_atoms(self) -> bool:
        """Every displacement of atoms within the cell costs energy."""
        return self.softest > SOFT

    @property
    def holds_shape(self) -> bool:
        """Every strain costs energy: F. Mouhat, F.-X. Coudert, Phys. Rev. B 90, 224104 (2014)."""
        return bool(np.linalg.eigvalsh(self.stiffness)[0] > LIMP)


@dataclass(frozen=True)
class Moduli:
    """Of an isotropic polycrystal: bulk and shear modulus in GPa."""

    bulk: float
    shear: float

    @property
    def poisson(self) -> float:
        """Poisson's ratio, no unit."""
        return (3.0 * self.bulk - 2.0 * self.shear) / (6.0 * self.bulk + 2.0 * self.shear)


def elasticity(crystal: Crystal, potential: Potential) -> Elasticity:
    """Elastic constants of a crystal that is relaxed: without stress and without forces."""
    moves = [_strained(crystal, sign * STRAIN * one) for one in unit_strains() for sign in (1.0, -1.0)]
    moves += [_displaced(crystal, atom, axis, sign) for atom, axis, sign in np.ndindex(crystal.n_atoms, 3, 2)]
    found = potential.evaluate(moves)
    clamped = _slopes([_voigt(e.stress) for e in found[:12]], STRAIN)
    coupling = _slopes([e.forces.ravel() for e in found[:12]], STRAIN)
    force_constants = -_slopes([e.forces.ravel() for e in found[12:]], STEP)
    modes, stiff = _internal(force_constants)
    stable = stiff > SOFT
    pull = (coupling @ modes[:, stable]) / np.sqrt(stiff[stable])
    stiffness = EV_PER_A3_IN_GPA * (clamped - pull @ pull.T / crystal.volume)
    return Elasticity((stiffness + stiffness.T) / 2, float(stiff.min(initial=np.inf)))


def unit_strains() -> np.ndarray:
    """(6, 3, 3): symmetric strains whose component in Voigt's order is 1 (engineering shear: 1/2 off the diagonal)."""
    strains = np.zeros((6, 3, 3))
    for index, (i, j) in enumerate(VOIGT):
        strains[index, i, j] += 0.5
        strains[index, j, i] += 0.5
    return strains


def hill(stiffness: np.ndarray) -> Moduli:
    """Mean of Voigt's upper and Reuss's lower bound, from elastic constants (6, 6) in GPa."""
    upper, lower = voigt(stiffness), reuss(stiffness)
    return Moduli((upper.bulk + lower.bulk) / 2, (upper.shear + lower.shear) / 2)


def voigt(stiffness: np.ndarray) -> Moduli:
    """Equal strain everywhere; stiffness (6, 6) GPa."""
    axial, cross, shear = _sums(stiffness)
    return Moduli((axial + 2 * cross) / 9, (axial - cross + 3 * shear) / 15)


def reuss(stiffness: np.ndarray) -> Moduli:
    """Equal stress everywhere; stiffness (6, 6) GPa, of a stable crystal."""
    axial, cross, shear = _sums(np.linalg.inv(stiffness))
    return Moduli(1 / (axial + 2 * cross), 15 / (4 * axial - 4 * cross + 3 * shear))


def velocities(moduli: Moduli, density: float) -> tuple[float, float]:
    """(longitudinal, transverse) sound velocity in m/s; density in g/cm³."""
    transverse = moduli.shear / density
    longitudinal = (moduli.bulk + 4 / 3 * moduli.shear) / density
    return 1e3 * float(np.sqrt(longitudinal)), 1e3 * float(np.sqrt(transverse))


def debye_temperature(moduli: Moduli, crystal: Crystal) -> float:
    """K: of all 3n branches, from the mean of 1/v³ over one longitudinal and two transverse branches."""
    longitudinal, transverse = velocities(moduli, crystal.density)
    mean = ((2 / transverse**3 + 1 / longitudinal**3) / 3) ** (-1 / 3)
    atoms_per_m3 = 1e30 * crystal.n_atoms / crystal.volume
    return float(PLANCK_EV_S / BOLTZMANN_EV_PER_K * (3 * atoms_per_m3 / (4 * np.pi)) ** (1 / 3) * mean)


def _strained(crystal: Crystal, strain: np.ndarray) -> Crystal:
    return Crystal(crystal.cell @ (np.eye(3) + strain), crystal.frac, crystal.numbers)


def _displaced(crystal: Crystal, atom: int, axis: int, backward: int) -> Crystal:
    frac = crystal.frac.copy()
    frac[atom] += (-STEP if backward else STEP) * np.linalg.inv(crystal.cell)[axis]
    return Crystal(crystal.cell, frac, crystal.numbers)


def _slopes(values: Sequence[np.ndarray], step: float) -> np.ndarray:
    """Central differences of rows that come in pairs, forward and backward."""
    rows = np.array(values)
    return (rows[0::2] - rows[1::2]) / (2 * step)


def _voigt(tensor: np.ndarray) -> np.ndarray:
    return np.array([tensor[i, j] for i, j in VOIGT])


def _internal(force_constants: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(modes (3n, 3n - 3), their force constants (3n - 3,) eV/Å²) of all displacements but translations."""
    size = len(force_constants)
    translations = np.tile(np.eye(3), size // 3).T
    others = np.linalg.svd(translations)[0][:, 3:]
    stiff, within = np.linalg.eigh(others.T @ (force_constants + force_constants.T) @ others / 2)
    return others @ within, stiff


def _sums(matrix: np.ndarray) -> tuple[float, float, float]:
    """Sums over axes, over pairs of axes, over shears of a (6, 6) matrix: all that isotropic averages depend on."""
    return (
        float(matrix[0, 0] + matrix[1, 1] + matrix[2, 2]),
        float(matrix[0, 1] + matrix[0, 2] + matrix[1, 2]),
        float(matrix[3, 3] + matrix[4, 4] + matrix[5, 5]),
    )
