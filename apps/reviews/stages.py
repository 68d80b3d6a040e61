"""How an export meets the database."""

from __future__ import annotations

from collections.abc import Mapping

from apps.artifacts.models import Artifact
from apps.jobs.bindings import Binding, Loaded
from apps.jobs.models import Job
from apps.reviews.models import Export
from apps.reviews.selectors.exports import export_inputs
from apps.reviews.services.exports import export_done, export_failed
from kappakit.stages.contracts import ExportOutputs

STAGE = "export"
FILE = "export"
"""Kind of the Artifact."""


def load(job: Job) -> Loaded:
    """The table's rows and crystals."""
    joined = ("campaign__potential", "list", "requested_by")
    return Loaded(export_inputs(Export.objects.select_related(*joined).get(pk=_export_id(job))))


def files(outputs: ExportOutputs) -> Mapping[str, str]:
    """The one file."""
    return {FILE: outputs.file}


def save(job: Job, outputs: ExportOutputs, artifacts: Mapping[str, int]) -> set[int]:
    """The export is done; no candidate changed."""
    artifact = Artifact.objects.get(pk=artifacts[FILE])
    export_done(export_id=_export_id(job), artifact=artifact, rows=outputs.rows, sha256=outputs.sha256)
    return set()


def failed(job: Job, message: str) -> set[int]:
    """The export says what happened."""
    export_failed(export_id=_export_id(job), message=message)
    return set()


def _export_id(job: Job) -> int:
    return int(job.units[0])


BINDINGS: tuple[Binding, ...] = (Binding(STAGE, load=load, save=save, files=files, failed=failed),)
