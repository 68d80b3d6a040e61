"""Who may do what: the roles of a campaign, told to a person as a refusal."""

from __future__ import annotations

from typing import Any

from apps.campaigns.models import Campaign
from apps.campaigns.permissions import can
from apps.core.errors import NotAllowed, NotThere


def require(user: Any, action: str, campaign: Campaign) -> None:
    """Pass, or raise: NotThere to who may not even see the campaign, NotAllowed to who lacks the role."""
    if not can(user, "view", campaign):
        raise NotThere("there is no such campaign")
    if not can(user, action, campaign):
        raise NotAllowed(f"your roles in '{campaign}' do not include: {action}")
