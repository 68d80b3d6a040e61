"""Plan the κ_L of each crystal: its primitive cell relaxed under its symmetry, and what the calculation will take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from time import perf_counter

import numpy as np
from phono3py import Phono3py

from kappakit.conductivity import temperatures_with, threads
from kappakit.convergence import Mesh, rows_of
from kappakit.crystals import Crystal
from kappakit.displacements import SYMPREC, counts, crystal_of, displaced
from kappakit.errors import Rejected
from kappakit.estimates import Cost, cost
from kappakit.meshes import distinct_meshes, grid_of, irreducible_points, neighbour_shells
from kappakit.ports import Engines, Evaluation, Potential
from kappakit.promise import promise_of
from kappakit.protocol import ConductivitySettings
from kappakit.relaxation import relax_under_symmetry
from kappakit.stages.contracts import Item, KappaPlanInputs, KappaPlanItem, KappaPlanOutputs, Refusal, Shell
from kappakit.symmetry import Symmetry, dimensionality, find_symmetry
from kappakit.units import gpa_from_ev_per_a3

MAX_STEPS = 500
SHELLS_BEYOND = 1.25
"""Neighbour shells are listed up to this multiple of the pair cutoff."""
SHELLS_WITHOUT_CUTOFF = 4.0
"""Å: and up to here where there is no cutoff."""
KERNELS = {"torch": 1.0, "phono3py": 5.0}
"""How much longer the Boltzmann equation takes by each way to the interaction strengths (benchmarks/boltzmann.py)."""
TIMED_ATOMS = 1000
"""Atoms of the batch by which a potential's speed is measured: enough to fill a batch, done within a second."""
EXACT_ANGLE = -1.0
"""spglib: angles are judged by the distance tolerance alone."""
NOT_RELAXED = "not-relaxed"


@dataclass(frozen=True, eq=False)
class RelaxedPrimitive:
    """A standardised primitive cell at the end of its relaxation; `before` and `after` are its symmetries, of which
    `after.primitive` is the cell. `energy_change` meV/atom, from the crystal that came in."""

    evaluation: Evaluation
    before: Symmetry
    after: Symmetry
    energy_change: float


def run(inputs: KappaPlanInputs, settings: ConductivitySettings, *, engines: Engines) -> KappaPlanOutputs:
    """Plan every crystal; one that has no symmetry or does not relax becomes a Refusal."""
    potential = engines.potential(inputs.potential)
    plans: list[KappaPlanItem] = []
    refusals: list[Refusal] = []
    for done, item in enumerate(inputs.items, start=1):
        try:
            plans.append(_plan(item, inputs, settings, potential))
        except Rejected as refused:
            refusals.append(Refusal(item.id, refused.reason, str(refused)))
        engines.progress(done, len(inputs.items), "crystals planned")
    return KappaPlanOutputs(tuple(plans), tuple(refusals))


def _plan(item: Item, inputs: KappaPlanInputs, settings: ConductivitySettings, potential: Potential) -> KappaPlanItem:
    relaxed = relaxed_primitive(
        item.crystal, potential, settings, symprec=inputs.symprec, angle_tolerance=inputs.angle_tolerance
    )
    primitive = relaxed.after.primitive
    calculation = displaced(primitive, settings)
    asked = counts(calculation)
    meshes = planned_meshes(calculation, settings)
    expected = _costs(calculation, meshes, settings)
    hopes = promise_of(primitive, potential)
    return KappaPlanItem(
        id=item.id,
        primitive=primitive,
        number=relaxed.after.number,
        symbol=relaxed.after.symbol,
        energy_change=relaxed.energy_change,
        max_force=float(np.abs(relaxed.evaluation.forces).max()),
        max_stress=gpa_from_ev_per_a3(float(np.abs(relaxed.evaluation.stress).max())),
        symmetry_kept=symmetry_kept(relaxed.before, relaxed.after),
        supercells_fc3=asked.fc3,
        supercells_fc2=asked.fc2,
        atoms_per_supercell=asked.atoms_fc3,
        pairs_omitted=asked.pairs_omitted,
        evaluations=asked.evaluations,
        supercell=rows_of(calculation.supercell_matrix),
        mesh=meshes[-1],
        q_points=irreducible_points(calculation, meshes[-1]),
        expected_force_minutes=asked.evaluations * seconds_per_atom(calculation, potential) / 60,
        expected_bte_minutes=sum(cost.rta_seconds for cost in expected) / 60,
        expected_lbte_minutes=sum(cost.lbte_seconds for cost in expected) / 60,
        expected_memory=expected[-1].memory,
        shells=shells(primitive, settings),
        dimensionality=dimensionality(primitive),
        promise=hopes.kappa,
        promise_method=hopes.method,
        promise_note=hopes.note,
    )


def planned_meshes(calculation: Phono3py, settings: ConductivitySettings) -> list[Mesh]:
    """The two meshes that every κ_L is computed on, one where nothing is tested."""
    return list(islice(distinct_meshes(calculation, settings), 2))


def seconds_per_atom(calculation: Phono3py, potential: Potential) -> float:
    """Wall time of one force evaluation for an atom on this machine, measured on the supercell itself."""
    supercell = crystal_of(calculation.supercell)
    batch = [supercell] * max(1, TIMED_ATOMS // supercell.n_atoms)
    potential.evaluate(batch[:1])
    start = perf_counter()
    potential.evaluate(batch)
    return (perf_counter() - start) / (len(batch) * supercell.n_atoms)


def _costs(calculation: Phono3py, meshes: Sequence[Mesh], settings: ConductivitySettings) -> list[Cost]:
    temperatures = len(temperatures_with(settings.temperature))
    found = [cost(calculation, grid_of(mesh), temperatures=temperatures, threads=threads()) for mesh in meshes]
    slower = KERNELS[settings.interaction]
    return [replace(c, rta_seconds=slower * c.rta_seconds, lbte_seconds=slower * c.lbte_seconds) for c in found]


def shells(primitive: Crystal, settings: ConductivitySettings) -> tuple[Shell, ...]:
    """Neighbour shells of the cell up to beyond the pair cutoff; those within its margin are flagged."""
    cutoff = settings.pair_cutoff
    upto = cutoff * SHELLS_BEYOND if cutoff else SHELLS_WITHOUT_CUTOFF
    margin = settings.shell_margin * cutoff
    found = neighbour_shells(primitive, upto)
    return tuple(Shell(distance, count, abs(distance - cutoff) <= margin) for distance, count in found)


def symmetry_kept(before: Symmetry, after: Symmetry) -> bool:
    """Whether no operation was lost: as many per atom of the primitive cell as before, or more."""
    return after.operations * before.primitive.n_atoms >= before.operations * after.primitive.n_atoms


def relaxed_primitive(
    crystal: Crystal,
    potential: Potential,
    settings: ConductivitySettings,
    *,
    symprec: float,
    angle_tolerance: float,
) -> RelaxedPrimitive:
    """Standardise at the screen's tolerance, relax under that symmetry, idealise the last digits, look again.

    Raises Rejected where there is no symmetry or no relaxed cell.
    """
    before = find_symmetry(crystal, symprec=symprec, angle_tolerance=angle_tolerance)
    relaxed, evaluation, steps, converged = relax_under_symmetry(
        before.primitive,
        potential,
        symprec=SYMPREC,
        max_force=settings.relax_force,
        max_stress=settings.relax_stress,
        max_steps=MAX_STEPS,
    )
    if not converged:
        raise Rejected(NOT_RELAXED, f"not relaxed under {before.symbol} after {steps} steps")
    after = find_symmetry(relaxed, symprec=SYMPREC, angle_tolerance=EXACT_ANGLE)
    change = evaluation.energy / relaxed.n_atoms - _energy_per_atom(crystal, potential)
    return RelaxedPrimitive(evaluation, before, after, 1000.0 * change)


def _energy_per_atom(crystal: Crystal, potential: Potential) -> float:
    (evaluation,) = potential.evaluate([crystal])
    return evaluation.energy / crystal.n_atoms
