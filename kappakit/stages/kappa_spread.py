"""κ_L of one crystal by every member of the committee, in the relaxation time approximation."""

from __future__ import annotations

from collections.abc import Sequence

from kappakit.conductivity import nearest, temperatures_with
from kappakit.displacements import displaced, evaluate_displacements
from kappakit.errors import Rejected
from kappakit.force_constants import produce
from kappakit.ports import Engines, Potential, Progress
from kappakit.protocol import ConductivitySettings
from kappakit.stages.contracts import MemberKappa, SpreadInputs, SpreadOutputs, Tensor
from kappakit.stages.kappa_plan import relaxed_primitive, symmetry_kept
from kappakit.stages.kappa_results import NO_KAPPA, Stopwatch, conductivities, harmonic_of, phonons_of

LOST_SYMMETRY = "its relaxed cell has lost symmetry"


def run(inputs: SpreadInputs, settings: ConductivitySettings, *, engines: Engines) -> SpreadOutputs:
    """Each member relaxes the cell under its symmetry and computes its own force constants and κ_L.

    A member whose cell does not relax, or that finds imaginary modes, has a row without κ_L that says so.
    """
    watch = Stopwatch()
    committee = engines.committee(inputs.members)
    rows = []
    for index in range(committee.size):
        engines.progress(index, committee.size, f"member {index + 1} of {committee.size}")
        rows.append(_row(index, inputs, settings, committee.member(index), engines.progress))
    return SpreadOutputs(tuple(rows), watch.seconds)


def _row(
    index: int, inputs: SpreadInputs, settings: ConductivitySettings, member: Potential, progress: Progress
) -> MemberKappa:
    try:
        return _kappa(index, inputs, settings, member, progress)
    except Rejected as refused:
        return MemberKappa(index, None, (), "", str(refused))


def _kappa(
    index: int, inputs: SpreadInputs, settings: ConductivitySettings, member: Potential, progress: Progress
) -> MemberKappa:
    relaxed = relaxed_primitive(
        inputs.primitive, member, settings, symprec=inputs.symprec, angle_tolerance=inputs.angle_tolerance
    )
    notes = [] if symmetry_kept(relaxed.before, relaxed.after) else [LOST_SYMMETRY]
    calculation = displaced(relaxed.after.primitive, settings)
    evaluate_displacements(calculation, member, progress)
    produce(calculation)
    phonons = phonons_of(harmonic_of(calculation), inputs.mesh, settings.imaginary_tolerance)
    if phonons.imaginary:
        return MemberKappa(index, None, (), phonons.verdict.dynamical, "; ".join([*notes, NO_KAPPA]))
    temperatures = temperatures_with(settings.temperature)
    found = conductivities(calculation, inputs.mesh, temperatures, settings, _no_lbte, progress)
    principal = _principal(found.tensors, settings.temperature)
    note = "; ".join([*notes, *found.notes])
    return MemberKappa(index, principal[0] if principal else None, principal, phonons.verdict.dynamical, note)


def _no_lbte(largest: float, seconds: float) -> tuple[Sequence[float], str]:
    return (), ""


def _principal(tensors: Sequence[Tensor], temperature: float) -> tuple[float, ...]:
    if not tensors:
        return ()
    row = tensors[0].principal[nearest(tensors[0].temperatures, temperature)]
    return tuple(float(value) for value in row)
