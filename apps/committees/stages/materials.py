"""What the committee's stages take: files under their names in the stage's folder, members, settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from apps.artifacts.services import path_of_digest
from apps.campaigns.models import Campaign, Step
from apps.campaigns.selectors import protocol_of
from apps.committees.models import LabelSet, LabelSetKind
from apps.committees.selectors import label_items, label_set
from apps.core.errors import ApplicationError
from apps.jobs.bindings import Loaded
from apps.training.models import TrainedModel
from apps.training.selectors import model_files, potential_ref
from kappakit.stages.contracts import TrainMemberInputs, TrainOutputs

START, TEST, INITIAL = "start.extxyz", "test.extxyz", "initial"
"""Names in the stage's folder."""
TIME_LIMIT_S = 7 * 24 * 3600
"""Of a training."""


class SetMissing(ApplicationError):
    """The start set was not made."""

    code = "set_missing"
    status = 409


def step_get(step_id: int) -> Step:
    """The step with its campaign."""
    return Step.objects.select_related("campaign__potential", "campaign__owner", "campaign__started_by").get(pk=step_id)


def campaign_get(campaign_id: int) -> Campaign:
    """The campaign with its people and its potential."""
    return Campaign.objects.select_related("potential", "owner", "started_by").get(pk=campaign_id)


def set_of(campaign: Campaign, kind: LabelSetKind) -> LabelSet:
    """Start set or test set; raises SetMissing."""
    found = label_set(campaign, kind)
    if found is None:
        raise SetMissing("The campaign has no labelled configurations to begin with.")
    return found


def committee_settings(campaign: Campaign) -> dict[str, Any]:
    """CommitteeSettings as plain JSON."""
    return asdict(protocol_of(campaign).committee)


def training_loaded(
    campaign: Campaign,
    *,
    index: int,
    seed: int,
    overrides: Mapping[str, float],
    held_out: Iterable[str] = (),
    warm: TrainedModel | None = None,
) -> Loaded:
    """Start set, test set, the labels so far, the weights to start from, and the campaign's potential, against which
    methods of different zeros are compared."""
    reference = campaign.potential
    files = {
        START: str(path_of_digest(set_of(campaign, LabelSetKind.START).artifact.sha256)),
        TEST: str(path_of_digest(set_of(campaign, LabelSetKind.TEST).artifact.sha256)),
    }
    inputs = TrainMemberInputs(
        index=index,
        seed=seed,
        configuration=protocol_of(campaign).committee.configuration,
        start=START,
        test=TEST,
        labels=label_items(campaign),
        held_out=tuple(held_out),
        initial=INITIAL if warm else "",
        overrides=dict(overrides),
        reference=potential_ref(reference) if reference else None,
    )
    return Loaded(
        inputs,
        files=files | (model_files(warm, INITIAL) if warm else {}) | (model_files(reference) if reference else {}),
    )


def model_outputs(outputs: TrainOutputs) -> dict[str, str]:
    """Each file of the trained model, by its name."""
    return {name: f"{outputs.folder}/{name}" for name in outputs.files}
