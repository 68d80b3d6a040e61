"""The members of a committee, each a job of its own, so that they train beside each other where there is room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.campaigns.models import Campaign
from apps.campaigns.selectors import protocol_of
from apps.committees.decisions import epochs_of
from apps.committees.models import LabelSetKind, Member
from apps.committees.selectors import committee_at, label_count, members_of, without_stress
from apps.committees.services import CommitteeMissing, committee_begun, member_failed, member_trained
from apps.committees.stages.materials import TIME_LIMIT_S, model_outputs, set_of, step_get, training_loaded
from apps.jobs.bindings import Binding, JobSpec, Loaded
from apps.jobs.models import Job
from apps.jobs.selectors import single_queue
from kappakit.committee import left_out
from kappakit.errors import InputError
from kappakit.pipeline import CountReport, report_as_dict
from kappakit.protocol import Protocol
from kappakit.stages.contracts import TrainOutputs

STAGE = "train_committee"
FEWEST = 2
"""One potential does not disagree with itself."""


def plan(step_id: int) -> list[JobSpec]:
    """The committee and one job a member. Raises SetMissing, CommitteeMissing."""
    step = step_get(step_id)
    campaign = step.campaign
    left = without_stress(campaign)
    committee = committee_begun(
        campaign=campaign,
        sweep=step.sweep,
        iteration=step.iteration,
        held_out=_parts(campaign),
        labels=label_count(campaign),
        notes=[f"{left} DFT results without a stress are not learned from"] if left else [],
    )
    return [_job(member, committee.labels) for member in members_of(committee)]


def load(job: Job) -> Loaded:
    """All labels so far but those that the member leaves out; its own last weights where it starts warm."""
    member = _member(job)
    warm = member.warm_from.model if member.warm_from else None
    return training_loaded(
        member.committee.campaign,
        index=member.index,
        seed=member.seed,
        overrides=_overrides(member),
        held_out=member.held_out,
        warm=warm,
    )


def save(job: Job, outputs: TrainOutputs, artifacts: Mapping[str, int]) -> set[int]:
    """The member's model; no candidate changes."""
    member = _member(job)
    member_trained(member=member, overrides=_overrides(member), outputs=outputs, files=artifacts)
    return set()


def failed(job: Job, message: str) -> set[int]:
    """The member is left out, with the reason."""
    member_failed(member_id=int(job.units[0]), message=message)
    return set()


def report(step_id: int) -> dict[str, Any]:
    """Members trained and left out; raises CommitteeMissing for fewer than two."""
    step = step_get(step_id)
    committee = committee_at(step.campaign, step.sweep, step.iteration)
    members = list(members_of(committee)) if committee else []
    trained = [member for member in members if member.model_id]
    if len(trained) < FEWEST:
        why = next((f": {member.note}" for member in members if member.note), "")
        raise CommitteeMissing(
            f"Of {len(members)} members {len(trained)} could be trained, and a committee takes {FEWEST}{why}"
        )
    return report_as_dict(CountReport(len(trained), len(members) - len(trained)))


def _parts(campaign: Campaign) -> tuple[tuple[str, ...], ...]:
    settings = protocol_of(campaign).committee
    groups = set_of(campaign, LabelSetKind.START).groups
    try:
        return left_out(groups, size=settings.size, share=settings.left_out, seed=campaign.seed)
    except InputError as error:
        raise CommitteeMissing(f"The start set is too small for the committee: {error}.") from error


def _job(member: Member, labels: int) -> JobSpec:
    params = {"committee": member.committee_id, "member": member.index, "labels": labels}
    label = f"Train member {member.index}"
    return JobSpec(STAGE, (str(member.pk),), params, label, single_queue(), time_limit_s=TIME_LIMIT_S)


def _member(job: Job) -> Member:
    joined = ("campaign__potential", "campaign__owner", "campaign__started_by")
    rows = Member.objects.select_related("warm_from__model", *(f"committee__{name}" for name in joined))
    return rows.get(pk=int(job.units[0]))


def _overrides(member: Member) -> dict[str, float]:
    settings = Protocol.from_dict({"committee": member.committee.settings}).committee
    return epochs_of(settings, warm=member.warm_from_id is not None)


BINDING = Binding(STAGE, plan=plan, load=load, files=model_outputs, save=save, failed=failed, report=report)
