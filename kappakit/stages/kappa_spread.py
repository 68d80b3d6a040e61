"""κ_L of one crystal by every member of the committee, in the relaxation time approximation."""

from __future__ import annotations

from kappakit.adaptive_force_constants import force_constants
from kappakit.conductivity import RTA, Conductivity, nearest, temperatures_with
from kappakit.errors import Rejected
from kappakit.meshes import mesh_of
from kappakit.ports import Engines, Interactions, Potential, Progress
from kappakit.protocol import ConductivitySettings
from kappakit.stages.contracts import MemberKappa, SpreadInputs, SpreadOutputs
from kappakit.stages.kappa_plan import relaxed_primitive, symmetry_kept
from kappakit.stages.kappa_results import NO_KAPPA, Stopwatch, equation_of, harmonic_of, phonons_of
from kappakit.stages.mesh_refinement import repeat

LOST_SYMMETRY = "its relaxed cell has lost symmetry"


def run(inputs: SpreadInputs, settings: ConductivitySettings, *, engines: Engines) -> SpreadOutputs:
    """Each member relaxes the cell under its symmetry and computes its own force constants and κ_L.

    A member whose cell does not relax, or that finds imaginary modes, has a row without κ_L that says so.
    """
    watch = Stopwatch()
    committee = engines.committee(inputs.members)
    rows = []
    for index in range(committee.size):
        progress = _of_member(index, committee.size, engines.progress)
        interactions = engines.interactions(settings.interaction)
        rows.append(_row(index, inputs, settings, committee.member(index), interactions, progress))
    return SpreadOutputs(tuple(rows), watch.seconds)


def _of_member(index: int, size: int, progress: Progress) -> Progress:
    """A Progress that counts members and tells the rest in its note."""

    def tell(done: int, total: int, note: str) -> None:
        progress(index, size, f"member {index + 1}: {note}, {done} of {total}")

    return tell


def _row(
    index: int,
    inputs: SpreadInputs,
    settings: ConductivitySettings,
    member: Potential,
    interactions: Interactions,
    progress: Progress,
) -> MemberKappa:
    try:
        return _kappa(index, inputs, settings, member, interactions, progress)
    except Rejected as refused:
        return MemberKappa(index, None, (), "", str(refused))


def _kappa(
    index: int,
    inputs: SpreadInputs,
    settings: ConductivitySettings,
    member: Potential,
    interactions: Interactions,
    progress: Progress,
) -> MemberKappa:
    relaxed = relaxed_primitive(
        inputs.primitive, member, settings, symprec=inputs.symprec, angle_tolerance=inputs.angle_tolerance
    )
    notes = [] if symmetry_kept(relaxed.before, relaxed.after) else [LOST_SYMMETRY]
    calculation, _ = force_constants(relaxed.after.primitive, settings, member, progress)
    phonons = phonons_of(harmonic_of(calculation), settings.mesh_length, settings.imaginary_tolerance)
    if phonons.imaginary:
        return MemberKappa(index, None, (), phonons.verdict.dynamical, "; ".join([*notes, NO_KAPPA]))
    equation = equation_of(calculation, settings, interactions, progress)
    mesh = mesh_of(calculation, settings, settings.mesh_length)
    found = repeat(equation, RTA, [mesh], temperatures_with(settings.temperature))
    principal = _principal(found.tensor, settings.temperature)
    note = "; ".join([*notes, *found.notes])
    return MemberKappa(index, principal[0] if principal else None, principal, phonons.verdict.dynamical, note)


def _principal(found: Conductivity | None, temperature: float) -> tuple[float, ...]:
    if found is None:
        return ()
    row = found.principal[nearest(found.temperatures, temperature)]
    return tuple(float(value) for value in row)
