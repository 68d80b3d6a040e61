"""Who may do what in a campaign: six roles, rules by the `rules` library.

A superuser may do all of it; a campaign's owner counts as its admin. Approving is a role of its own: an admin who wants
it gives it to himself, on record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rules

from apps.campaigns.selectors import roles_of
from apps.core.errors import NotAllowed, NotThere

if TYPE_CHECKING:
    from apps.campaigns.models import Campaign

ROLES_THAT_MAY: dict[str, frozenset[str]] = {
    "view": frozenset({"viewer", "reviewer", "curator", "operator", "approver", "admin"}),
    "review": frozenset({"reviewer", "admin"}),
    "curate": frozenset({"curator", "admin"}),
    "operate": frozenset({"operator", "admin"}),
    "approve": frozenset({"approver"}),
    "administer": frozenset({"admin"}),
}
"""Action → roles that include it."""

ACTIONS = tuple(ROLES_THAT_MAY)
CREATE = "accounts.create_campaigns"


def _rule(action: str) -> rules.Predicate:
    @rules.predicate(name=f"may_{action}")
    def may(user: Any, campaign: Any) -> bool:
        return action in actions_of(user, campaign)

    return may


for _action in ACTIONS:
    rules.add_perm(f"campaigns.{_action}", _rule(_action))


def actions_of(user: Any, campaign: Campaign) -> frozenset[str]:
    """All that `user` may do in `campaign`, by one query: a page asks once."""
    if not user.is_active:
        return frozenset()
    if user.is_superuser:
        return frozenset(ACTIONS)
    held = roles_of(user, campaign)
    return frozenset(action for action, roles in ROLES_THAT_MAY.items() if roles & held)


def can(user: Any, action: str, campaign: Campaign) -> bool:
    """Whether `user` may do `action` ('view', 'review', 'curate', 'operate', 'approve', 'administer')."""
    if action not in ROLES_THAT_MAY:
        raise KeyError(action)
    return rules.has_perm(f"campaigns.{action}", user, campaign)


def can_create(user: Any) -> bool:
    """Whether `user` may make campaigns: a global permission."""
    return bool(user.is_active and user.has_perm(CREATE))


def permit(user: Any, action: str, campaign: Campaign) -> None:
    """Pass, or raise: NotThere to who may not even see the campaign, NotAllowed to who lacks the role."""
    allowed = actions_of(user, campaign)
    if "view" not in allowed:
        raise NotThere("There is no such campaign.")
    if action not in allowed:
        roles = " or ".join(sorted(ROLES_THAT_MAY[action]))
        raise NotAllowed(f"To {action} in “{campaign.name}” takes the role {roles}. Ask an admin of the campaign.")
