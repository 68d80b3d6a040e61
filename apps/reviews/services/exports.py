"""Exports: asked for by a person, made by a job, never changed afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from apps.artifacts.models import Artifact
from apps.campaigns.models import Campaign
from apps.campaigns.permissions import permit
from apps.core.errors import ApplicationError, Conflict
from apps.jobs import services as jobs
from apps.jobs.bindings import LIGHT, JobSpec
from apps.jobs.models import State
from apps.reviews.models import CandidateList, Export, ExportFormat, ExportState
from apps.reviews.selectors.candidates import matching
from apps.reviews.selectors.exports import EXPORT_COLUMNS
from apps.reviews.selectors.filters import KAPPA_FIELDS

PER_ROW_S = 0.05
LABEL = "trust_label"


class ExportRefused(ApplicationError):
    """An unknown format or column, or nothing to write; `detail`: field → what is wrong."""

    code = "export_refused"
    status = 400


@transaction.atomic
def export_request(
    *,
    user: Any,
    campaign: Campaign,
    format: str,
    columns: Sequence[str] = (),
    filter: Mapping[str, Any] | None = None,
    candidate_list: CandidateList | None = None,
) -> Export:
    """Ask for a file of the candidates that `filter` finds, or of a list (in its order of entry); ids are fixed now.

    `columns`: keys of selectors.EXPORT_COLUMNS, none for all of them; a κ_L brings its trust label along.
    Needs 'view'; raises ExportRefused, InvalidQuery.
    """
    permit(user, "view", campaign)
    wanted = _with_label(list(columns) or list(EXPORT_COLUMNS))
    ids = _of_list(candidate_list) if candidate_list else _of_filter(campaign, filter or {})
    _check(campaign, format, wanted, candidate_list, ids)
    export = Export.objects.create(
        campaign=campaign,
        list=candidate_list,
        filter=_plain(filter or {}),
        columns=wanted,
        candidates=ids,
        format=format,
        requested_by=user,
    )
    jobs.enqueue([export_job(export)], group=export_group(export))
    return export


def _with_label(columns: list[str]) -> list[str]:
    """κ_L is nowhere without its trust label."""
    bare = LABEL not in columns and any(name in KAPPA_FIELDS.values() for name in columns)
    return [*columns, LABEL] if bare else columns


@transaction.atomic
def export_retry(*, export: Export, user: Any) -> Export:
    """Try a failed export again: the same rows. Needs 'view'; raises Conflict when it did not fail."""
    permit(user, "view", export.campaign)
    if not Export.objects.filter(pk=export.pk, state=ExportState.FAILED).update(state=ExportState.QUEUED, error=""):
        raise Conflict("Only a failed export can be tried again.")
    (job,) = jobs.enqueue([export_job(export)], group=export_group(export))
    if job.state in (State.FAILED, State.CANCELLED):
        jobs.retry(job=job)
    export.refresh_from_db()
    return export


def export_group(export: Export) -> str:
    """The group of an export's job."""
    return f"export:{export.pk}"


def export_job(export: Export) -> JobSpec:
    """One job, one file."""
    label = f"{export.format} of {len(export.candidates)} candidates"
    limit = 600 + int(PER_ROW_S * len(export.candidates))
    return JobSpec("export", (str(export.pk),), {"format": export.format}, label, LIGHT, time_limit_s=limit)


def export_done(*, export_id: int, artifact: Artifact, rows: int, sha256: str) -> None:
    """QUEUED → DONE with its file. Raises ValueError when the stored file is not the one that was written."""
    if artifact.sha256 != sha256:
        raise ValueError(f"export {export_id}: the stored file has another digest than the written one")
    Export.objects.filter(pk=export_id, state=ExportState.QUEUED).update(
        state=ExportState.DONE, artifact=artifact, rows=rows, sha256=sha256, finished_at=Now()
    )


def export_failed(*, export_id: int, message: str) -> None:
    """QUEUED → FAILED with what happened."""
    Export.objects.filter(pk=export_id, state=ExportState.QUEUED).update(
        state=ExportState.FAILED, error=message, finished_at=Now()
    )


def _of_filter(campaign: Campaign, params: Mapping[str, Any]) -> list[int]:
    return list(matching(campaign, params).values_list("candidate_id", flat=True))


def _of_list(candidate_list: CandidateList) -> list[int]:
    live = candidate_list.items.filter(removed_at__isnull=True)
    return list(live.order_by("id").values_list("candidate_id", flat=True))


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    """A QueryDict or mapping as JSON: a list where there are several values."""
    lists = params.lists() if hasattr(params, "lists") else params.items()
    return {key: value[0] if isinstance(value, list) and len(value) == 1 else value for key, value in lists}


def _check(
    campaign: Campaign, format: str, columns: Sequence[str], candidate_list: CandidateList | None, ids: Sequence[int]
) -> None:
    problems: dict[str, str] = {}
    if format not in ExportFormat.values:
        problems["format"] = f"must be one of {', '.join(ExportFormat.values)}"
    if unknown := [name for name in columns if name not in EXPORT_COLUMNS]:
        problems["columns"] = f"unknown: {', '.join(unknown)}"
    if candidate_list and candidate_list.campaign_id != campaign.pk:
        problems["list"] = "belongs to another campaign"
    if not ids:
        problems["filter"] = "finds nothing to export"
    if problems:
        raise ExportRefused("; ".join(f"{name}: {problem}" for name, problem in problems.items()), detail=problems)
