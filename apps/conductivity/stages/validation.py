"""How a validation's supercells and its force constants meet the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from apps.campaigns.selectors import protocol_of
from apps.conductivity.models import Validation, ValidationVerdict
from apps.conductivity.selectors import (
    VALIDATE,
    VALIDATION_CELLS,
    calculations_now,
    conductivity_settings,
    dft_settings,
    symmetry_tolerances,
    validation_source,
)
from apps.conductivity.services.phonons import Standing, bands_as_dict, phonons_record
from apps.conductivity.services.validations import (
    OF_POTENTIAL,
    validation_displaced,
    validation_done,
    validation_failed,
    validation_sized,
)
from apps.core.errors import Conflict
from apps.dft.models import DftCalculation
from apps.jobs.bindings import Binding, Loaded
from apps.jobs.models import Job
from apps.structures.selectors import crystal_of
from apps.training.selectors import model_files, potential_ref
from kappakit.crystals import Crystal
from kappakit.dft import DftTask
from kappakit.stages.contracts import (
    CellForces,
    ValidateInputs,
    ValidateOutputs,
    ValidationCellsInputs,
    ValidationCellsOutputs,
)

RELAXED_SYMPREC = 0.01
"""Å: a relaxation by DFT ends within that of its symmetry; where it broke it, the atoms moved farther."""
EXACT_ANGLE = -1.0
VERDICTS = {
    "stable": ValidationVerdict.CONFIRMED,
    "borderline": ValidationVerdict.BORDERLINE,
    "imaginary": ValidationVerdict.UNSTABLE,
}
DIGEST_SHOWN = 8


def load_cells(job: Job) -> Loaded:
    """The candidate's crystal and the potential that relaxes it, or the cell that DFT relaxed."""
    validation = _validation(job)
    settings = dft_settings(validation)
    values: dict[str, Any] = {
        "part": validation.part,
        "repeats": settings.validation_supercell,
        "displacement": settings.validation_displacement,
    }
    if job.params["of"] == OF_POTENTIAL:
        tolerances = symmetry_tolerances(protocol_of(validation.candidate.campaign))
        potential = validation.potential
        assert validation.candidate.relaxed is not None
        inputs = ValidationCellsInputs(
            crystal=crystal_of(validation.candidate.relaxed),
            symprec=tolerances["symprec"],
            angle_tolerance=tolerances["angle_tolerance"],
            potential=potential_ref(potential),
            **values,
        )
        return Loaded(inputs, validation.conductivity, model_files(potential))
    assert validation.relax_request is not None
    (row,) = calculations_now(validation.relax_request)
    inputs = ValidationCellsInputs(
        crystal=_geometry(row), symprec=RELAXED_SYMPREC, angle_tolerance=EXACT_ANGLE, **values
    )
    return Loaded(inputs, validation.conductivity)


def save_cells(job: Job, outputs: ValidationCellsOutputs, artifacts: Any) -> set[int]:
    """The gate is asked for what follows."""
    validation = _validation(job)
    if job.params["of"] == OF_POTENTIAL:
        validation_sized(validation=validation, outputs=outputs)
    else:
        validation_displaced(validation=validation, outputs=outputs)
    return {validation.candidate_id}


def load_validate(job: Job) -> Loaded:
    """The forces of every supercell, each in its calculation's own order of atoms; all by one method."""
    validation = _validation(job)
    assert validation.supercell_request is not None
    assert validation.cell_potential is not None
    rows = calculations_now(validation.supercell_request)
    if len({row.outcome.method_sha256 for row in rows}) > 1:
        raise Conflict("The supercells were computed by different methods: their forces do not fit together.")
    settings, potential = dft_settings(validation), validation.potential
    inputs = ValidateInputs(
        id=str(validation.pk),
        primitive=Crystal.from_dict(validation.dataset["primitive"]),
        part=validation.part,
        repeats=settings.validation_supercell,
        displacement=settings.validation_displacement,
        forces=tuple(CellForces(_geometry(row), np.array(row.outcome.forces)) for row in rows),
        reference=crystal_of(validation.cell_potential),
        potential=potential_ref(potential),
    )
    return Loaded(inputs, validation.conductivity, model_files(potential))


def save_validate(job: Job, outputs: ValidateOutputs, artifacts: Mapping[str, int]) -> set[int]:
    """Phonons (and κ_L) by DFT, and the verdict."""
    validation = _validation(job)
    symmetry = validation.candidate.symmetry
    (first, *_) = calculations_now(validation.supercell_request)
    standing = Standing(
        source=validation_source(validation),
        version=first.outcome.method_sha256[:DIGEST_SHOWN],
        symmetry_kept=None,
        dimensionality=symmetry.dimensionality if symmetry else 3,
        settings=conductivity_settings(validation.conductivity),
    )
    phonons = phonons_record(outputs.result, standing, job_id=job.pk, plan=None, artifacts=artifacts)
    validation_done(
        validation=validation,
        phonons=phonons,
        overlay=bands_as_dict(outputs.overlay) if outputs.overlay else None,
        deviation=outputs.deviation,
        lowest=outputs.lowest,
        verdict=VERDICTS[outputs.result.verdict.dynamical] if outputs.same else ValidationVerdict.DIFFERENT,
    )
    return {validation.candidate_id}


def failed(job: Job, message: str) -> set[int]:
    """It stopped and may be resumed."""
    return {validation_failed(validation_id=int(job.units[0]), message=message)}


def _validation(job: Job) -> Validation:
    joined = (
        "candidate__campaign", "candidate__relaxed", "candidate__symmetry", "potential", "cell_potential",
        "relax_request", "supercell_request", "requested_by",
    )  # fmt: skip
    return Validation.objects.select_related(*joined).get(pk=int(job.units[0]))


def _geometry(row: DftCalculation) -> Crystal:
    """What a result belongs to, in the calculation's own order of atoms."""
    numbers = DftTask.from_text(row.inputs).crystal.numbers
    return Crystal(row.outcome.cell, row.outcome.frac, numbers)


CELLS = Binding(VALIDATION_CELLS, load=load_cells, save=save_cells, failed=failed)
VALIDATED = Binding(
    VALIDATE, load=load_validate, save=save_validate, files=lambda outputs: outputs.result.files, failed=failed
)
