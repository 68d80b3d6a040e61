"""Finite displacements: the supercells of FC2 and FC3, and the forces of a potential on them.

Systematic: phono3py's own list, one and two atoms at a time. Random: all atoms at once, in pairs of opposite
displacements. FC2 in a supercell of its own is always systematic, which takes few supercells.
A. Togo, L. Chaput, T. Tadano, I. Tanaka, J. Phys.: Condens. Matter 35, 353001 (2023), doi 10.1088/1361-648X/acd831.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from phono3py import Phono3py
from phonopy.structure.atoms import PhonopyAtoms

from kappakit.crystals import Crystal
from kappakit.ports import Evaluation, Potential, Progress
from kappakit.protocol import ConductivitySettings
from kappakit.random_displacements import estimated_pairs, random_pairs
from kappakit.widths import repeated, supercell_of_width

RANDOM, BY_WIDTH, SPACING = "random", "width", "spacing"
SYMPREC = 1e-5
"""Å: the crystals that come here are idealised, so their symmetry is found at the tolerance of round-off."""
BATCH_ATOMS = 4096
"""Atoms evaluated in one call of a potential: large enough to fill a device, small enough for a laptop's memory."""


@dataclass(frozen=True)
class DisplacementCounts:
    """Supercells that a potential is asked for: `fc3` and `fc2` displaced ones (`fc2` 0: the single displacements of
    the FC3 list serve), `perfect` undisplaced ones; `pairs_omitted` lie beyond the pair cutoff; atoms per supercell."""

    fc3: int
    fc2: int
    perfect: int
    pairs_omitted: int
    atoms_fc3: int
    atoms_fc2: int

    @property
    def evaluations(self) -> int:
        """Σ over supercells of their atoms."""
        separate = self.fc2 > 0
        return self.fc3 * self.atoms_fc3 + self.fc2 * self.atoms_fc2 + self.atoms_fc3 + separate * self.atoms_fc2


def displaced(primitive: Crystal, settings: ConductivitySettings, pairs: int | None = None) -> Phono3py:
    """phono3py's calculation of a primitive cell with its displacements generated, no forces yet.

    The crystal is its own primitive cell: `primitive_matrix` is the identity, given explicitly. A pair cutoff of 0
    means none. pairs: of opposite random displacements, None: as many as may be expected to do. They depend on the
    crystal alone; more of them begin with the fewer. Raises Rejected where no supercell is as wide as asked.
    """
    calculation = undisplaced(primitive, settings)
    if settings.displacements == RANDOM:
        number = estimated_pairs(calculation, settings.max_random // 2) if pairs is None else pairs
        calculation.dataset = {"displacements": pair_displacements(calculation, primitive, settings, 0, number)}
        if calculation.phonon_supercell_matrix is not None:
            calculation.generate_fc2_displacements(distance=settings.displacement)
        return calculation
    calculation.generate_displacements(
        distance=settings.displacement, cutoff_pair_distance=settings.pair_cutoff or None
    )
    return calculation


def undisplaced(primitive: Crystal, settings: ConductivitySettings) -> Phono3py:
    """The calculation with its supercells and without displacements."""
    third, second = supercell_matrices(primitive, settings)
    same = np.array_equal(third, second)
    return Phono3py(
        phonopy_atoms(primitive),
        supercell_matrix=third,
        primitive_matrix=np.eye(3),
        phonon_supercell_matrix=None if same else second,
        use_grg=settings.mesh_rule == SPACING,
        symprec=SYMPREC,
    )


def supercell_matrices(primitive: Crystal, settings: ConductivitySettings) -> tuple[np.ndarray, np.ndarray]:
    """(FC3's, FC2's), each (3, 3) whole numbers, columns the vectors in the basis of the primitive cell's.

    Where FC3's supercell is as wide as FC2 asks, it serves both. Raises Rejected where none is as wide as asked.
    """
    if settings.supercell_rule != BY_WIDTH:
        return repeated(settings.fc3_supercell), repeated(settings.fc2_supercell)
    third = supercell_of_width(primitive, settings.fc3_width)
    if settings.fc2_width <= settings.fc3_width:
        return third, third
    return third, supercell_of_width(primitive, settings.fc2_width)


def pair_displacements(
    calculation: Phono3py, primitive: Crystal, settings: ConductivitySettings, first: int, last: int
) -> np.ndarray:
    """(2m, N, 3) Å: random displacements number `first` to before `last`, each followed by its opposite. Their seed is
    the crystal's digest."""
    seed = int(primitive.digest[:8], 16)
    return random_pairs(len(calculation.supercell), settings.random_displacement, seed, first, last)


def counts(calculation: Phono3py) -> DisplacementCounts:
    """What the displacements of `displaced` cost. Of random ones it is what may be expected to do."""
    pairs = second_displacements(calculation.dataset)
    included = sum(bool(pair.get("included", True)) for pair in pairs)
    separate = calculation.phonon_dataset
    return DisplacementCounts(
        fc3=_single(calculation.dataset) + included,
        fc2=_single(separate) if separate else 0,
        perfect=2 if separate else 1,
        pairs_omitted=len(pairs) - included,
        atoms_fc3=len(calculation.supercell),
        atoms_fc2=len(calculation.phonon_supercell),
    )


def second_displacements(dataset: Any) -> list[dict[str, Any]]:
    """Every pair displacement of a systematic FC3 data set, in phono3py's order; a random one has none."""
    return [pair for first in dataset.get("first_atoms", ()) for pair in first["second_atoms"]]


def _single(dataset: Any) -> int:
    """Supercells of single displacements, or all of a random data set."""
    return len(dataset["displacements"] if "displacements" in dataset else dataset["first_atoms"])


def evaluate_displacements(calculation: Phono3py, potential: Potential, progress: Progress) -> None:
    """Ask the potential for the forces of every listed supercell and store them in the calculation's data sets.

    The forces of the perfect supercell (eV/Å, zero but for the end of the relaxation) are subtracted. Pairs beyond
    the cutoff are not evaluated and get no forces here.
    """
    cells = [cell for cell in calculation.supercells_with_displacements if cell is not None]
    separate = calculation.phonon_supercells_with_displacements if calculation.phonon_dataset else []
    total = len(cells) + len(separate) + 1 + bool(separate)
    fc3 = _forces(potential, calculation.supercell, cells, progress, 0, total)
    store_forces(calculation.dataset, fc3)
    if separate:
        fc2 = _forces(potential, calculation.phonon_supercell, separate, progress, len(cells) + 1, total)
        store_forces(calculation.phonon_dataset, fc2)


def crystal_of(cell: PhonopyAtoms) -> Crystal:
    """A Crystal with contiguous float64 arrays from phonopy's cell."""
    return Crystal(cell.cell, cell.scaled_positions, cell.numbers)


def forces_of_displacements(
    calculation: Phono3py, displacements: np.ndarray, potential: Potential, progress: Progress
) -> np.ndarray:
    """(m, N, 3) eV/Å of displacements (m, N, 3) Å of the FC3 supercell, those of the perfect one subtracted."""
    perfect = calculation.supercell
    positions = perfect.positions + displacements
    cells = [PhonopyAtoms(cell=perfect.cell, positions=one, numbers=perfect.numbers) for one in positions]
    return np.array(_forces(potential, perfect, cells, progress, 0, len(cells) + 1))


def measured_force_noise(calculation: Phono3py, potential: Potential) -> float:
    """Largest difference, eV/Å, between the forces on a displaced supercell and on the same supercell shifted rigidly.

    Exact forces are the same in both; what differs is the rounding of the potential's precision. 0.0 for float64.
    """
    if potential.precision == "float64":
        return 0.0
    cell = next(cell for cell in calculation.supercells_with_displacements if cell is not None)
    crystal = crystal_of(cell)
    shifted = [Crystal(crystal.cell, crystal.frac + shift, crystal.numbers) for shift in RIGID_SHIFTS]
    forces = [evaluation.forces for evaluation in potential.evaluate([crystal, *shifted])]
    return float(max(np.abs(other - forces[0]).max() for other in forces[1:]))


RIGID_SHIFTS = ((0.1180339, 0.2360679, 0.3541019), (0.4142135, 0.7320508, 0.2360679))
"""Fractional; no simple fraction of a cell, so that no shifted atom repeats another's rounding."""


def phonopy_atoms(crystal: Crystal) -> PhonopyAtoms:
    """phonopy's cell of a Crystal."""
    return PhonopyAtoms(
        numbers=crystal.numbers, cell=crystal.cell, scaled_positions=crystal.frac, masses=crystal.masses
    )


def _forces(
    potential: Potential, perfect: PhonopyAtoms, cells: Sequence[Any], progress: Progress, done: int, total: int
) -> list[np.ndarray]:
    evaluations: list[Evaluation] = []
    for batch in _batches([perfect, *cells]):
        evaluations += potential.evaluate([crystal_of(cell) for cell in batch])
        progress(done + len(evaluations), total, "supercells")
    residual = np.asarray(evaluations[0].forces, float)
    return [np.asarray(evaluation.forces, float) - residual for evaluation in evaluations[1:]]


def _batches(cells: Sequence[PhonopyAtoms]) -> Iterator[Sequence[PhonopyAtoms]]:
    size = max(1, BATCH_ATOMS // len(cells[0]))
    return (cells[start : start + size] for start in range(0, len(cells), size))


def store_forces(dataset: Any, forces: Sequence[np.ndarray]) -> None:
    """Forces (n, 3) eV/Å into a data set. Systematic: of single displacements first, then of the pairs included."""
    if "displacements" in dataset:
        dataset["forces"] = np.array(forces, dtype="double", order="C")
        return
    pairs = [pair for first in dataset["first_atoms"] for pair in first.get("second_atoms", ())]
    evaluated = dataset["first_atoms"] + [pair for pair in pairs if pair.get("included", True)]
    for entry, values in zip(evaluated, forces, strict=True):
        entry["forces"] = np.array(values, dtype="double", order="C")
