"""Validation of a candidate by DFT: asked for by a reviewer, decided at the gate, moved on whenever something ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from apps.campaigns.permissions import permit
from apps.campaigns.selectors import protocol_of
from apps.conductivity.models import Validation, ValidationState
from apps.conductivity.selectors import (
    VALIDATE,
    VALIDATION_CELLS,
    calculations_now,
    obstacle,
    potential_of,
    relaxed_before,
    validation_group,
)
from apps.conductivity.services.phonons import tensors_relabel
from apps.conductivity.services.validation_requests import relaxation_propose, sizes_in_hours, supercells_propose
from apps.core.errors import Conflict
from apps.dft.models import Decision, DftCalculation
from apps.jobs import services as jobs
from apps.jobs.bindings import HEAVY, LIGHT, JobSpec
from apps.jobs.models import Job, State
from apps.structures.models import Candidate
from apps.structures.services import structures_record
from kappakit.stages.contracts import HARMONIC, ValidationCellsOutputs

OF_POTENTIAL, OF_DFT = "potential", "dft"
"""Whose relaxed cell is displaced: to count, or to compute."""
AT_THE_GATE = (ValidationState.RELAXING, ValidationState.COMPUTING)
BY_A_JOB = (ValidationState.PREPARING, ValidationState.DISPLACING, ValidationState.ASSEMBLING)
DAY_S = 24 * 3600


@transaction.atomic
def validation_request(*, candidate: Candidate, user: Any, part: str = HARMONIC) -> Validation:
    """Ask for a validation of `part`. Needs 'review'. First the supercells are counted, then the gate is asked.

    Raises Conflict for a crystal that is not relaxed and while one of this part is under way, PotentialMissing.
    """
    permit(user, "review", candidate.campaign)
    if candidate.relaxed is None:
        raise Conflict("Only a relaxed crystal is validated.")
    protocol = protocol_of(candidate.campaign).as_dict()
    try:
        with transaction.atomic():
            made = Validation.objects.create(
                candidate=candidate,
                potential=potential_of(candidate.campaign),
                part=part,
                settings=protocol["dft"],
                conductivity=protocol["conductivity"],
                requested_by=user,
            )
    except IntegrityError as error:
        raise Conflict(f"The {part} validation of this crystal is under way.") from error
    _cells_enqueue(made, OF_POTENTIAL)
    return made


@transaction.atomic
def validation_resume(*, validation: Validation, user: Any) -> Validation:
    """Go on with one that stopped, as far as what stopped it is out of the way. Needs 'review'; raises Conflict."""
    permit(user, "review", validation.candidate.campaign)
    found = _locked(validation.pk)
    if found.state != ValidationState.FAILED:
        raise Conflict(f"It is {found.get_state_display()}: only one that stopped can be resumed.")
    _moved_on(found)
    if found.state == ValidationState.FAILED:
        raise Conflict(f"{found.error} Ask for another validation instead.")
    return found


def validations_advance(request_ids: Iterable[int]) -> set[int]:
    """Move on what waits for these requests, those that stopped for them too; ids of the candidates that changed."""
    ids = list(request_ids)
    waits = Q(supercell_request__in=ids) | Q(relax_request__in=ids, supercell_request=None)
    rows = Validation.objects.filter(waits, state__in=(*AT_THE_GATE, ValidationState.FAILED))
    return _each(rows.values_list("pk", flat=True))


def validations_after(job: Job) -> set[int]:
    """validations_advance for the request whose job ended; nothing for any other job."""
    _, _, rest = job.group.partition(":dft:")
    return validations_advance([int(rest)]) if rest else set()


def validations_reconcile() -> set[int]:
    """All that are open: decisions that no job followed, jobs that were cancelled. Ids of the candidates changed."""
    touched = _each(Validation.objects.filter(state__in=AT_THE_GATE).values_list("pk", flat=True))
    for validation in Validation.objects.filter(state__in=BY_A_JOB).select_related("candidate"):
        newest = Job.objects.filter(group=validation_group(validation)).order_by("-id").first()
        if newest is not None and newest.state in (State.FAILED, State.CANCELLED):
            touched |= {validation_failed(validation_id=validation.pk, message=newest.error_message or "Cancelled.")}
    return touched


def validation_sized(*, validation: Validation, outputs: ValidationCellsOutputs) -> None:
    """The potential's cell is there and both parts are counted: ask for the relaxation, or take one that is done."""
    (cell,) = structures_record([outputs.primitive])
    _set(
        validation,
        cell_potential=cell,
        space_group_potential=outputs.symbol,
        energy_potential=outputs.energy,
        expected=sizes_in_hours(validation, outputs.sizes),
    )
    earlier = relaxed_before(validation)
    request = earlier.relax_request if earlier else relaxation_propose(validation)
    _set(validation, relax_request=request, state=ValidationState.RELAXING, error="")
    _moved_on(validation)


def validation_displaced(*, validation: Validation, outputs: ValidationCellsOutputs) -> None:
    """The supercells of the cell that DFT relaxed: ask for them."""
    (cell,) = structures_record([outputs.primitive])
    assert validation.cell_potential is not None
    dataset = {
        "primitive": outputs.primitive.to_dict(),
        "labels": list(outputs.labels),
        "perfect": outputs.perfect,
    }
    _set(
        validation,
        cell_dft=cell,
        space_group_dft=outputs.symbol,
        volume_change=cell.volume_per_atom / validation.cell_potential.volume_per_atom - 1.0,
        dataset=dataset,
    )
    request = supercells_propose(validation, outputs.cells, outputs.labels)
    _set(validation, supercell_request=request, state=ValidationState.COMPUTING, error="")


def validation_failed(*, validation_id: int, message: str) -> int:
    """It stopped, and says why; the candidate's id."""
    open_ = Validation.objects.filter(pk=validation_id).exclude(state__in=("DONE", "FAILED"))
    open_.update(state=ValidationState.FAILED, error=message.strip())
    return Validation.objects.values_list("candidate_id", flat=True).get(pk=validation_id)


def validation_done(*, validation: Validation, **found: Any) -> None:
    """Its numbers and its verdict, which stands on every κ_L of the candidate from now on."""
    _set(validation, state=ValidationState.DONE, error="", finished_at=Now(), **found)
    tensors_relabel(validation.candidate_id)


# --- moving on --------------------------------------------------------------------------------------------------------


@transaction.atomic
def _each(ids: Iterable[int]) -> set[int]:
    return {found.candidate_id for pk in list(ids) if _moved_on(found := _locked(pk))}


def _moved_on(validation: Validation) -> bool:
    """Bring it as far as the gate and its jobs let it; whether anything changed."""
    request = validation.supercell_request or validation.relax_request
    if request is None:
        return _again(validation, ValidationState.PREPARING, lambda: _cells_enqueue(validation, OF_POTENTIAL))
    rows = calculations_now(request)
    if why := obstacle(rows):
        changed = validation.error != why
        _set(validation, state=ValidationState.FAILED, error=why)
        return changed
    at_the_gate = ValidationState.COMPUTING if validation.supercell_request else ValidationState.RELAXING
    reopened = _again(validation, at_the_gate, lambda: None)
    if any(row.state != Decision.DONE for row in rows):
        return reopened
    if validation.supercell_request is None:
        _relaxed(validation, rows)
    else:
        _set(validation, state=ValidationState.ASSEMBLING, error="")
        _enqueue(validation, _spec(validation, VALIDATE, {}, HEAVY))
    return True


def _again(validation: Validation, state: ValidationState, then: Any) -> bool:
    """FAILED → state, and what follows; nothing in any other state."""
    if validation.state != ValidationState.FAILED:
        return False
    _set(validation, state=state, error="")
    then()
    return True


def _relaxed(validation: Validation, rows: Sequence[DftCalculation]) -> None:
    outcome = rows[0].outcome
    _set(
        validation,
        energy_dft=outcome.energy / len(outcome.frac),
        gap=outcome.gap,
        state=ValidationState.DISPLACING,
        error="",
    )
    _cells_enqueue(validation, OF_DFT)


def _cells_enqueue(validation: Validation, of: str) -> None:
    _enqueue(validation, _spec(validation, VALIDATION_CELLS, {"of": of}, HEAVY if of == OF_POTENTIAL else LIGHT))


def _spec(validation: Validation, kind: str, params: dict[str, Any], queue: str) -> JobSpec:
    label = f"{'Supercells' if kind == VALIDATION_CELLS else 'Phonons'} of {validation.candidate} for its validation"
    return JobSpec(kind, (str(validation.pk),), params, label, queue, time_limit_s=DAY_S)


def _enqueue(validation: Validation, spec: JobSpec) -> None:
    (job,) = jobs.enqueue([spec], group=validation_group(validation))
    if job.state in (State.FAILED, State.CANCELLED):
        jobs.retry(job=job)


def _locked(pk: int) -> Validation:
    joined = ("candidate__campaign", "relax_request", "supercell_request", "potential", "cell_potential")
    return Validation.objects.select_related(*joined).select_for_update(of=("self",)).get(pk=pk)


def _set(validation: Validation, **values: Any) -> None:
    Validation.objects.filter(pk=validation.pk).update(**values)
    for name, value in values.items():
        setattr(validation, name, value)
