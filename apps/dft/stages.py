"""How a DFT calculation meets the database: one a job, loaded only as it was approved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.artifacts.models import Artifact
from apps.artifacts.services import path_of_digest
from apps.dft.errors import GateRefused
from apps.dft.models import Decision, DftCalculation
from apps.dft.selectors import CALCULATE, CHECK_UPLOAD
from apps.dft.services import attempt_lost, calculation_ended, upload_checked
from apps.jobs.bindings import Binding, Loaded
from apps.jobs.models import Job
from apps.training.selectors import model_files, model_with_digest, potential_ref
from kappakit.dft import DftTask, inputs_sha256
from kappakit.stages.contracts import CalculateInputs, CalculateOutputs, UploadInputs

ORACLE = "oracle"
UPLOAD = "vasprun.xml"


def load(job: Job) -> Loaded:
    """The approved inputs; raises GateRefused when they are not those of the job."""
    text = _approved(job).inputs
    oracle = DftTask.from_text(text).oracle
    model = model_with_digest(oracle) if oracle else None
    inputs = CalculateInputs(text, potential_ref(model, ORACLE) if model else None)
    return Loaded(inputs, job.params["run"], model_files(model, ORACLE) if model else {})


def load_upload(job: Job) -> Loaded:
    """The uploaded file beside what was asked."""
    artifact = Artifact.objects.get(pk=job.params["artifact"])
    return Loaded(UploadInputs(_approved(job).inputs, UPLOAD), files={UPLOAD: str(path_of_digest(artifact.sha256))})


def save(job: Job, outputs: CalculateOutputs, files: Mapping[str, int]) -> set[int]:
    """The result, or what failed and whether it is tried again."""
    return _touched(calculation_ended(job=job, outputs=outputs, files=files))


def save_upload(job: Job, outputs: CalculateOutputs, files: Any) -> set[int]:
    """The upload as the result, or why it is not."""
    return _touched(upload_checked(job=job, outputs=outputs))


def failed(job: Job, message: str) -> set[int]:
    """The attempt died without a word."""
    return _touched(attempt_lost(job=job, message=message))


def _approved(job: Job) -> DftCalculation:
    found = DftCalculation.objects.get(pk=int(job.units[0]))
    if found.state != Decision.APPROVED or inputs_sha256(found.inputs) != job.params["inputs_sha256"]:
        raise GateRefused("These are not the inputs that were approved.")
    return found


def _touched(calculation: DftCalculation) -> set[int]:
    candidate = calculation.request.candidate_id
    return {candidate} if candidate else set()


BINDINGS = (
    Binding(CALCULATE, load=load, save=save, files=lambda outputs: outputs.files, failed=failed),
    Binding(CHECK_UPLOAD, load=load_upload, save=save_upload),
)
