"""Labelled configurations: a file that somebody gives, and the sets that are taken of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from django.db import transaction

from apps.artifacts import services as artifacts
from apps.campaigns.models import Campaign, CampaignState
from apps.campaigns.permissions import permit
from apps.campaigns.selectors import protocol_of
from apps.committees.models import LabelSet, LabelSetKind
from apps.core.errors import ApplicationError, Conflict
from kappakit.stages.contracts import StartSetOutputs

KIND = "labels"
"""Of the artifacts."""
LONGEST_NAME = 200


class LabelsRefused(ApplicationError):
    """Labelled configurations that cannot be taken; the message says what to do."""

    code = "labels_refused"
    status = 400


@transaction.atomic
def labels_add(*, campaign: Campaign, file_name: str, content: Path, user: Any) -> LabelSet:
    """Keep a labelled extended XYZ file (plain or .gz) for the committee of a draft; a second one takes its place.

    Needs 'operate'. Raises LabelsRefused for an empty file or name, and where the protocol begins with other labels;
    Conflict once the campaign was started. What is in it is read by the step that takes it.
    """
    permit(user, "operate", campaign)
    name = _plain_name(file_name)
    if not content.stat().st_size:
        raise LabelsRefused(f"The file {name} is empty.", detail={"file": "is empty"})
    if protocol_of(campaign).committee.start != "upload":
        raise LabelsRefused("The protocol begins with the labels that come with the program: set it to “upload”.")
    locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if locked.state != CampaignState.DRAFT:
        raise Conflict("The campaign was started: clone it to begin with other labels.")
    artifact = artifacts.store(content, kind=KIND, name=name)
    given, _ = LabelSet.objects.update_or_create(
        campaign=campaign,
        kind=LabelSetKind.UPLOAD,
        defaults={"file_name": name, "artifact": artifact, "uploaded_by": user},
    )
    return given


def label_sets_record(
    *, campaign: Campaign, outputs: StartSetOutputs, files: Mapping[str, int], source: str
) -> tuple[LabelSet, LabelSet]:
    """Start set and fixed test set; `files`: 'start', 'test' → Artifact id; `source`: the file that they are of."""
    start_methods, test_methods, notes = _methods(outputs)
    start = _record(campaign, LabelSetKind.START, outputs.start, files["start"])
    test = _record(campaign, LabelSetKind.TEST, outputs.test, files["test"])
    for row, frames, groups, methods in (
        (start, outputs.start_frames, outputs.start_groups, start_methods),
        (test, outputs.test_frames, outputs.test_groups, test_methods),
    ):
        row.frames, row.groups, row.methods = frames, list(groups), methods
        row.notes = [f"of {source}", *outputs.notes, *notes]
        row.save(update_fields=["frames", "groups", "methods", "notes"])
    return start, test


def _record(campaign: Campaign, kind: LabelSetKind, name: str, artifact: int) -> LabelSet:
    values = {"file_name": PurePosixPath(name).name, "artifact_id": artifact}
    return LabelSet.objects.update_or_create(campaign=campaign, kind=kind, defaults=values)[0]


def _methods(outputs: StartSetOutputs) -> tuple[dict[str, int], dict[str, int], list[str]]:
    """(of the start set, of the test set, notes): the stage counts methods over both."""
    if len(outputs.methods) > 1:
        return outputs.methods, {}, ["configurations of each method are counted over start and test set together"]
    (method,) = outputs.methods
    return {method: outputs.start_frames}, {method: outputs.test_frames}, []


def _plain_name(file_name: str) -> str:
    last = PurePosixPath(file_name.replace("\\", "/")).name
    plain = "".join(c for c in last if c.isprintable()).strip()[-LONGEST_NAME:]
    if not plain:
        raise LabelsRefused("The file has no name.", detail={"file": "has no name"})
    return plain
