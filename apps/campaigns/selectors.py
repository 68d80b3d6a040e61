"""Questions about campaigns: which may be seen, how far their steps are, what they wait for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, F, FloatField, Func, Q, QuerySet, Sum, Value, When

from apps.campaigns.models import Campaign, CampaignState, Membership, Role, Step, StepState
from apps.core.errors import NotThere
from apps.jobs import selectors as jobs
from apps.jobs.models import SPLIT, Job, State
from kappakit.pipeline import TITLES, Report, StepKey, report_from_dict
from kappakit.protocol import Protocol


@dataclass(frozen=True)
class JobCounts:
    """Jobs of a step; a split one counts by its halves. `waiting`: for a scheduler of another machine."""

    queued: int = 0
    running: int = 0
    waiting: int = 0
    done: int = 0
    failed: int = 0
    cancelled: int = 0

    @property
    def total(self) -> int:
        return self.queued + self.running + self.waiting + self.done + self.failed + self.cancelled


@dataclass(frozen=True)
class StepRow:
    """A step as a person sees it.

    `progress` 0–1, by units of work (crystals, …), running jobs by what they tell. `elapsed_s` and `expected_s` in
    seconds; `expected_s` is the whole of the step, None until there is something to extrapolate from. `group`: of its
    jobs. `why_waiting`: one sentence, empty when nothing holds it.
    """

    id: int
    name: str
    title: str
    sweep: int
    iteration: int
    state: str
    note: str
    group: str
    expected_units: int
    units_done: float
    jobs: JobCounts
    progress: float
    started_at: datetime
    ended_at: datetime | None
    elapsed_s: float
    expected_s: float | None
    why_waiting: str
    report: dict[str, Any] | None


@dataclass(frozen=True)
class GroupLoad:
    """Jobs of a group by state, and the units that are done, running jobs by what they tell."""

    states: dict[str, int] = field(default_factory=dict)
    units_done: float = 0.0


SEEN_ENOUGH = 0.03
"""Below this share of progress an extrapolated time says nothing."""


def step_group(step_id: int) -> str:
    """The group of a step's jobs."""
    return f"step:{step_id}"


def roles_of(user: Any, campaign: Campaign) -> frozenset[str]:
    """The user's roles; the owner is an admin without a row. One query."""
    own = {Role.ADMIN.value} if campaign.owner_id == user.pk else set()
    rows = Membership.objects.filter(campaign=campaign, user_id=user.pk).values_list("roles", flat=True)
    return frozenset(own.union(*rows))


def campaigns_visible(user: Any) -> QuerySet[Campaign]:
    """The campaigns that `user` may see, newest first, with owner and potential (without its curve)."""
    rows = Campaign.objects.select_related("owner", "potential", "generator").defer(
        *(f"{model}__{column}" for model in ("potential", "generator") for column in ("curve", "card"))
    )
    rows = rows.order_by("-id")
    if user.is_superuser:
        return rows
    mine = Membership.objects.filter(user_id=user.pk).exclude(roles=[])
    return rows.filter(Q(owner_id=user.pk) | Q(pk__in=mine.values("campaign_id")))


def campaign_get(user: Any, campaign_id: int) -> Campaign:
    """A campaign that `user` may see; raises NotThere for any other."""
    found = campaigns_visible(user).filter(pk=campaign_id).first()
    if found is None:
        raise NotThere("There is no such campaign.")
    return found


def memberships_of(campaign: Campaign) -> QuerySet[Membership]:
    """Who has roles here, by name; the owner is not among them."""
    return Membership.objects.filter(campaign=campaign).select_related("user").order_by("user__username")


def protocol_of(campaign: Campaign) -> Protocol:
    """The campaign's protocol, from its snapshot."""
    return Protocol.from_dict(campaign.protocol)


def steps_of(campaign: Campaign, *, now: datetime) -> list[StepRow]:
    """The campaign's steps in order, two queries and one for each step that waits."""
    steps = list(Step.objects.filter(campaign=campaign).order_by("id"))
    loads = loads_of_groups(step_group(step.pk) for step in steps)
    return [_step_row(step, loads.get(step_group(step.pk)), campaign, now) for step in steps]


def step_get(user: Any, step_id: int) -> Step:
    """A step of a campaign that `user` may see; raises NotThere."""
    found = Step.objects.select_related("campaign").filter(pk=step_id, campaign__in=campaigns_visible(user)).first()
    if found is None:
        raise NotThere("There is no such step.")
    return found


def step_row(step: Step, *, now: datetime) -> StepRow:
    """One step as steps_of gives it."""
    group = step_group(step.pk)
    return _step_row(step, loads_of_groups([group]).get(group), step.campaign, now)


def why_waiting(campaign: Campaign) -> str:
    """Why nothing goes on in the campaign, in one sentence; '' when something does."""
    if campaign.state == CampaignState.HALTED:
        return campaign.halt_reason
    if campaign.state == CampaignState.DRAFT:
        return "Not started yet."
    if campaign.state != CampaignState.RUNNING:
        return ""
    step = Step.objects.filter(campaign=campaign, state=StepState.RUNNING).order_by("id").first()
    return _why_step_waits(step) if step else "The next step is being planned."


# --- for the worker ---------------------------------------------------------------------------------------------------


def campaigns_running() -> QuerySet[Campaign]:
    """The campaigns that the worker moves on."""
    return Campaign.objects.filter(state=CampaignState.RUNNING).order_by("id")


def campaign_of_step(step_id: int) -> Campaign:
    """The campaign of a step."""
    return Campaign.objects.get(steps=step_id)


def step_running(campaign: Campaign) -> Step | None:
    """The step that is under way."""
    return Step.objects.filter(campaign=campaign, state=StepState.RUNNING).order_by("id").first()


def reports_of(campaign: Campaign) -> dict[StepKey, Report]:
    """The reports of the steps that are done."""
    rows = Step.objects.filter(campaign=campaign, state=StepState.DONE, report__isnull=False)
    return {StepKey(s.name, s.sweep, s.iteration): report_from_dict(s.name, s.report) for s in rows}


def loads_of_groups(groups: Iterable[str]) -> dict[str, GroupLoad]:
    """group → its load, in one query."""
    rows = Job.objects.filter(group__in=list(groups)).exclude(error_code=SPLIT).order_by()
    counted = rows.values_list("group", "state").annotate(count=Count("id"), done=Sum(_UNITS_DONE))
    found: dict[str, GroupLoad] = {}
    for group, state, count, done in counted:
        load = found.get(group, GroupLoad())
        found[group] = GroupLoad({**load.states, state: count}, load.units_done + done)
    return found


_UNITS = Func(F("units"), function="jsonb_array_length", output_field=FloatField())
_TOLD = When(state=State.RUNNING, progress_total__gt=0, then=_UNITS * F("progress_done") / F("progress_total"))
_UNITS_DONE = Case(
    When(state__in=(State.DONE, State.FAILED, State.CANCELLED), then=_UNITS),
    _TOLD,
    default=Value(0.0),
    output_field=FloatField(),
)


def _step_row(step: Step, load: GroupLoad | None, campaign: Campaign, now: datetime) -> StepRow:
    found = load or GroupLoad()
    running = step.state == StepState.RUNNING
    progress = _progress(step, found)
    elapsed_s = ((step.ended_at or now) - step.started_at).total_seconds()
    return StepRow(
        id=step.pk,
        name=step.name,
        title=TITLES.get(step.name, step.name),
        sweep=step.sweep,
        iteration=step.iteration,
        state=step.state,
        note=step.note,
        group=step_group(step.pk),
        expected_units=step.expected_units,
        units_done=found.units_done,
        jobs=JobCounts(**{state.lower(): count for state, count in found.states.items()}),
        progress=progress,
        started_at=step.started_at,
        ended_at=step.ended_at,
        elapsed_s=elapsed_s,
        expected_s=elapsed_s / progress if running and progress >= SEEN_ENOUGH else None,
        why_waiting=_why_step_waits(step) if running and not found.states.get("RUNNING") else "",
        report=step.report,
    )


def _progress(step: Step, load: GroupLoad) -> float:
    if step.state == StepState.DONE:
        return 1.0
    return min(load.units_done / step.expected_units, 1.0) if step.expected_units else 0.0


def _why_step_waits(step: Step) -> str:
    open_jobs = jobs.of_group(step_group(step.pk)).filter(state__in=("QUEUED", "RUNNING", "WAITING"))
    first = open_jobs.order_by("-priority", "id").first()
    if first is None:
        return step.note or "The results are being put together."
    return "" if open_jobs.filter(state="RUNNING").exists() else jobs.why_waiting(first)
