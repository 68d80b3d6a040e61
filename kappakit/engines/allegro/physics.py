"""What a carbon potential says of diamond and its relatives, for the model card. Finite differences, numpy only."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kappakit.crystals import Crystal
from kappakit.ports import Potential
from kappakit.protocol import RelaxSettings
from kappakit.relaxation import relax_under_symmetry
from kappakit.units import EV_PER_A3_IN_GPA, THZ_IN_PER_CM

DISPLACEMENT = 0.02
STRAIN = 0.005
SUPERCELL = 4
SPECIAL_POINTS: Mapping[str, tuple[float, float, float]] = {
    "Γ": (0.0, 0.0, 0.0),
    "X": (0.5, 0.0, 0.5),
    "L": (0.5, 0.5, 0.5),
}
EV_PER_A2_AMU_IN_THZ2 = 15.633302**2
"""sqrt(eV/(Å² amu)) / 2π in THz, squared."""
TIGHT = RelaxSettings(max_force=1e-3, max_stress=0.02, max_steps=300)


def relaxed(potential: Potential, crystal: Crystal) -> Crystal:
    """The crystal at rest under its own symmetry."""
    end, _, _, _ = relax_under_symmetry(
        crystal,
        potential,
        symprec=1e-2,
        max_force=TIGHT.max_force,
        max_stress=TIGHT.max_stress,
        max_steps=TIGHT.max_steps,
    )
    return end


def frequencies(potential: Potential, crystal: Crystal, fractions: np.ndarray, repeat: int) -> np.ndarray:
    """(q, 3n) frequencies in cm⁻¹ at wave vectors (q, 3) in reciprocal lattice vectors, imaginary ones negative.

    The wave vectors must be commensurate with the supercell of `repeat`³ cells.
    """
    constants, offsets = _force_constants(potential, crystal, repeat)
    masses = np.repeat(crystal.masses, 3)
    rows = []
    for q in np.asarray(fractions, dtype=float):
        phases = np.exp(2j * np.pi * (offsets @ q))
        matrix = np.einsum("aibjl,l->aibj", constants, phases).reshape(len(masses), len(masses))
        matrix = 0.5 * (matrix + matrix.conj().T) / np.sqrt(np.outer(masses, masses))
        squares = np.linalg.eigvalsh(matrix) * EV_PER_A2_AMU_IN_THZ2
        rows.append(np.sign(squares) * np.sqrt(np.abs(squares)) * THZ_IN_PER_CM)
    return np.array(rows)


def _force_constants(potential: Potential, crystal: Crystal, repeat: int) -> tuple[np.ndarray, np.ndarray]:
    """((n, 3, n, 3, l) eV/Å² with the acoustic sum rule, (l, 3) cell offsets)."""
    offsets = np.array([[i, j, k] for i in range(repeat) for j in range(repeat) for k in range(repeat)])
    n = crystal.n_atoms
    frac = ((crystal.frac[None] + offsets[:, None]) / repeat).reshape(-1, 3)
    numbers = np.tile(crystal.numbers, len(offsets))
    inverse = np.linalg.inv(crystal.cell * repeat)
    displaced = []
    for atom in range(n):
        for axis in range(3):
            for sign in (1.0, -1.0):
                moved = frac.copy()
                moved[atom] += sign * DISPLACEMENT * inverse[axis]
                displaced.append(Crystal(crystal.cell * repeat, moved, numbers))
    forces = np.array([e.forces for e in potential.evaluate(displaced)]).reshape(n, 3, 2, len(offsets), n, 3)
    constants = -(forces[:, :, 0] - forces[:, :, 1]) / (2 * DISPLACEMENT)
    constants = np.moveaxis(constants, 2, -1)
    for atom in range(n):
        constants[atom, :, atom, :, 0] -= constants[atom].sum(axis=(1, 3))
    return constants, offsets


def commensurate(repeat: int) -> np.ndarray:
    """(repeat³, 3) wave vectors of the supercell."""
    ticks = np.arange(repeat) / repeat
    return np.stack(np.meshgrid(ticks, ticks, ticks, indexing="ij"), axis=-1).reshape(-1, 3)


def elastic_constants(potential: Potential, cubic: Crystal) -> dict[str, float]:
    """C11, C12, C44 and the bulk modulus of a cubic crystal in GPa, atoms relaxed in the strained cells."""
    stretched = _stress_slope(potential, cubic, np.diag([1.0, 0.0, 0.0]))
    sheared = _stress_slope(potential, cubic, np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.5], [0.0, 0.5, 0.0]]))
    c11, c12, c44 = stretched[0, 0], 0.5 * (stretched[1, 1] + stretched[2, 2]), sheared[1, 2]
    return {"C11": c11, "C12": c12, "C44": c44, "bulk_modulus": (c11 + 2 * c12) / 3}


def _stress_slope(potential: Potential, crystal: Crystal, strain: np.ndarray) -> np.ndarray:
    ends = [
        _atoms_at_rest(
            potential, Crystal(crystal.cell @ (np.eye(3) + s * STRAIN * strain), crystal.frac, crystal.numbers)
        )
        for s in (1.0, -1.0)
    ]
    up, down = (e.stress for e in potential.evaluate(ends))
    return (up - down) / (2 * STRAIN) * EV_PER_A3_IN_GPA


def _atoms_at_rest(potential: Potential, crystal: Crystal, steps: int = 60, stiffness: float = 60.0) -> Crystal:
    """Atoms relaxed in a fixed cell by steepest descent: the strain is small, a bond's stiffness sets the step."""
    for _ in range(steps):
        (found,) = potential.evaluate([crystal])
        if np.abs(found.forces).max() < 1e-4:
            break
        frac = crystal.frac + found.forces / stiffness @ np.linalg.inv(crystal.cell)
        crystal = Crystal(crystal.cell, frac, crystal.numbers)
    return crystal
