"""A campaign with its people and calculations that wait at the gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apps.accounts.models import User
from apps.campaigns.models import Campaign
from apps.dft.models import DftCalculation, DftRequest
from apps.dft.services import Asked, budget_grant, request_propose
from kappakit.dft import LABEL, DftTask
from kappakit.protocol import DftRunSettings, DftSettings
from tests.apps.rows import a_campaign, a_candidate, a_crystal, a_member, a_user

SETTINGS = DftSettings(engine="gpaw", k_spacing=0.8, spin=False, cutoff=300.0)


@dataclass(frozen=True)
class Gate:
    """`scientist` owns the campaign and proposes, `approver` decides, `operator` runs it."""

    campaign: Campaign
    scientist: User
    approver: User
    operator: User
    request: DftRequest

    @property
    def waiting(self) -> list[DftCalculation]:
        return list(self.request.calculations.order_by("order"))


def a_task(number: int = 0, **settings: Any) -> DftTask:
    values = {name: getattr(SETTINGS, name) for name in ("engine", "k_spacing", "spin", "cutoff")} | settings
    return DftTask(LABEL, a_crystal(1.0 + number * 1e-3), DftSettings(**values))


def a_request(campaign: Campaign, user: User, *, key: str = "labels/0/0", count: int = 2, **facts: Any) -> DftRequest:
    asked = Asked("label", key, "Labels", "What the committee learns.", **facts)
    tasks = [(f"rattle {n + 1}", a_task(n)) for n in range(count)]
    return request_propose(campaign=campaign, asked=asked, tasks=tasks, run=DftRunSettings(), proposed_by=user)


def a_gate(*, core_hours: float = 100.0, count: int = 2) -> Gate:
    scientist = a_user("scientist")
    campaign = a_campaign(scientist)
    approver = a_member(campaign, "approver", name="approver")
    operator = a_member(campaign, "operator", name="operator")
    if core_hours:
        budget_grant(campaign=campaign, core_hours=core_hours, user=approver)
    request = a_request(campaign, scientist, count=count, candidate=a_candidate(campaign, 1))
    return Gate(campaign, scientist, approver, operator, request)
