"""What people do with campaigns, each by the role that it takes, and what the worker notes of them."""

from __future__ import annotations

from apps.campaigns.services.making import (
    LARGEST_SEED,
    campaign_clone,
    campaign_create,
    labels_copy,
    membership_set,
    model_set,
)
from apps.campaigns.services.moving import (
    campaign_archive,
    campaign_cancel,
    campaign_resume,
    campaign_start,
    campaign_unarchive,
)
from apps.campaigns.services.refusals import (
    FieldRefused,
    NotReady,
    ProtocolRefused,
)
from apps.campaigns.services.steps import (
    campaign_done,
    campaign_halt,
    step_done,
    step_failed,
    step_open,
    step_planned,
    step_waits,
)

__all__ = [
    "LARGEST_SEED",
    "FieldRefused",
    "NotReady",
    "ProtocolRefused",
    "campaign_archive",
    "campaign_cancel",
    "campaign_clone",
    "campaign_create",
    "campaign_done",
    "campaign_halt",
    "campaign_resume",
    "campaign_start",
    "campaign_unarchive",
    "labels_copy",
    "membership_set",
    "model_set",
    "step_done",
    "step_failed",
    "step_open",
    "step_planned",
    "step_waits",
]
