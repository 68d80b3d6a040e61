"""Relaxations: one by one through ASE, under symmetry, and what is told of their outcome: deviations and trust.

Batched relaxation belongs to the engines (`Potential.relax`); this module serves any Potential.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase.calculators.calculator import Calculator, all_changes
from ase.constraints import FixSymmetry
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS, FIRE
from ase.stress import full_3x3_to_voigt_6_stress

from kappakit.crystals import Crystal
from kappakit.descriptors import soap, species_of
from kappakit.errors import Rejected
from kappakit.ports import Evaluation, Potential, RelaxedCrystal, TrustLimits
from kappakit.protocol import EmbedSettings, RelaxSettings
from kappakit.symmetry import shortest_distance
from kappakit.units import EV_PER_A3_IN_GPA, ev_per_a3_from_gpa
from kappakit.writing import atoms_of, crystal_of

TOO_CLOSE, VOLUME, UNFAMILIAR, NOT_CONVERGED = "too-close", "volume", "unfamiliar", "not-converged"
GIVEN_UP_VOLUME = 200.0
"""Å³/atom; beyond, a crystal has evaporated."""


class PotentialCalculator(Calculator):
    """Any Potential as an ASE calculator."""

    implemented_properties = ["energy", "free_energy", "forces", "stress"]

    def __init__(self, potential: Potential) -> None:
        super().__init__()
        self._potential = potential

    def calculate(
        self, atoms: Any = None, properties: Sequence[str] = ("energy",), system_changes: Sequence[str] = all_changes
    ) -> None:
        """ASE's entry: energy eV, forces eV/Å, stress eV/Å³ (Voigt)."""
        super().calculate(atoms, list(properties), list(system_changes))
        (found,) = self._potential.evaluate([crystal_of(self.atoms)])
        stress = full_3x3_to_voigt_6_stress(found.stress)
        self.results = {
            "energy": found.energy,
            "free_energy": found.energy,
            "forces": found.forces.copy(),
            "stress": stress,
        }


def relax_one(potential: Potential, crystal: Crystal, settings: RelaxSettings) -> RelaxedCrystal:
    """Relax one crystal, cell and positions free, by ASE's FIRE; tolerances and pressure from `settings`."""
    atoms = atoms_of(crystal)
    atoms.calc = PotentialCalculator(potential)
    pressure = ev_per_a3_from_gpa(settings.pressure)
    steps = 0
    with FIRE(FrechetCellFilter(atoms, scalar_pressure=pressure), logfile=None) as optimiser:
        for _ in optimiser.irun(fmax=0.0, steps=settings.max_steps):
            if _within(atoms, settings.max_force, settings.max_stress, pressure):
                return _relaxed(atoms, optimiser.nsteps, converged=True)
            if atoms.get_volume() / len(atoms) > GIVEN_UP_VOLUME:
                break
        steps = optimiser.nsteps
    return _relaxed(atoms, steps, converged=False)


def relax_under_symmetry(
    crystal: Crystal,
    potential: Potential,
    *,
    symprec: float,
    max_force: float,
    max_stress: float,
    max_steps: int,
) -> tuple[Crystal, Evaluation, int, bool]:
    """Relax cell and positions at zero pressure within the crystal's symmetry at `symprec` (Å).

    Returns (crystal, its evaluation, steps, converged): largest force ≤ max_force (eV/Å) and largest stress component
    ≤ max_stress (GPa). Quasi-Newton on the Fréchet cell filter, forces and stress symmetrised at every step.
    """
    atoms = atoms_of(crystal)
    atoms.set_constraint(FixSymmetry(atoms, symprec=symprec))
    atoms.calc = PotentialCalculator(potential)
    converged, steps = _within(atoms, max_force, max_stress, 0.0), 0
    if not converged:
        cell_and_atoms: Any = FrechetCellFilter(atoms)
        with BFGS(cell_and_atoms, logfile=None, maxstep=0.05) as optimiser:
            for _ in optimiser.irun(fmax=0.0, steps=max_steps):
                steps = optimiser.nsteps
                if converged := _within(atoms, max_force, max_stress, 0.0):
                    break
    end = _relaxed(atoms, steps, converged=converged)
    return end.crystal, end.evaluation, steps, converged


def deviations(start: Crystal, end: Crystal) -> tuple[np.ndarray, np.ndarray, float, float]:
    """(lengths (3,), angles (3,), volume, positions): relative changes start → end.

    Lengths and angles as |end − start| / start, volume signed, positions as the root mean square displacement of the
    fractional coordinates in the end's cell, drift removed, in units of (V/N)^(1/3).
    """
    lengths = np.abs(end.lengths - start.lengths) / start.lengths
    angles = np.abs(end.angles - start.angles) / start.angles
    return lengths, angles, end.volume / start.volume - 1.0, _rms_shift(start, end)


def require_trust(crystal: Crystal, limits: TrustLimits, soap_distance: float | None) -> None:
    """Raise Rejected, with the reason, for a crystal where the potential may not be believed."""
    shortest = shortest_distance(crystal)
    if shortest < limits.min_distance:
        raise Rejected(TOO_CLOSE, f"two atoms are {shortest:.2f} Å apart; trusted from {limits.min_distance:g} Å")
    volume = crystal.volume / crystal.n_atoms
    if not limits.min_volume <= volume <= limits.max_volume:
        trusted = f"{limits.min_volume:g}–{limits.max_volume:g} Å³/atom"
        raise Rejected(VOLUME, f"{volume:.1f} Å³/atom; trusted are {trusted}")
    if limits.soap_distance is not None and soap_distance is not None and soap_distance > limits.soap_distance:
        raise Rejected(
            UNFAMILIAR,
            f"its SOAP vector lies {soap_distance:.3f} from the nearest training configuration; "
            f"trusted up to {limits.soap_distance:.3f}",
        )


def soap_distances(crystals: Sequence[Crystal], potential: Potential) -> list[float | None]:
    """Distance of each crystal's SOAP vector to the nearest training configuration; None where the card has none."""
    training = potential.trust_descriptors
    if training is None or not crystals:
        return [None] * len(crystals)
    vectors = trust_soap(crystals, potential.species or species_of(crystals))
    return [float(np.linalg.norm(training - vector, axis=1).min()) for vector in vectors]


def trust_soap(crystals: Sequence[Crystal], species: Sequence[str]) -> np.ndarray:
    """(n, d) SOAP vectors as a card's trust descriptors are made: the protocol's default settings."""
    facts = EmbedSettings()
    return soap(
        crystals,
        species=species,
        r_cut=facts.r_cut,
        sigma=facts.sigma,
        n_max=facts.n_max,
        l_max=facts.l_max,
        average=facts.average,
        normalise=facts.normalise,
    )


def _rms_shift(start: Crystal, end: Crystal) -> float:
    shift = end.frac - start.frac
    shift -= np.round(shift)
    # A drift near half a cell would straddle the rounding: centre on the first atom, then on the mean.
    shift -= shift[0]
    shift -= np.round(shift)
    shift -= shift.mean(axis=0)
    squares = ((shift @ end.cell) ** 2).sum(axis=1)
    return float(np.sqrt(squares.mean()) / np.cbrt(end.volume / end.n_atoms))


def _within(atoms: Any, max_force: float, max_stress: float, pressure: float) -> bool:
    forces = np.linalg.norm(atoms.get_forces(), axis=1).max()
    stress = np.abs(atoms.get_stress(voigt=False) + pressure * np.eye(3)).max() * EV_PER_A3_IN_GPA
    return bool(forces <= max_force and stress <= max_stress)


def _relaxed(atoms: Any, steps: int, *, converged: bool) -> RelaxedCrystal:
    stress = np.array(atoms.get_stress(voigt=False), dtype=float)
    found = Evaluation(float(atoms.get_potential_energy()), np.array(atoms.get_forces(), dtype=float), stress)
    return RelaxedCrystal(crystal_of(atoms), found, steps, converged)
