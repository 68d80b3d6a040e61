"""Moves of campaigns that people make; each is a compare-and-set."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.db import ProgrammingError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from apps.campaigns.models import Campaign, CampaignState, Step, StepState
from apps.campaigns.permissions import permit
from apps.campaigns.selectors import protocol_of, step_group
from apps.campaigns.services.refusals import NotReady
from apps.core.errors import Conflict
from apps.jobs import services as jobs
from apps.jobs.models import OPEN, SPLIT, Job, State
from apps.training.models import ModelState, TrainedModel

logger = logging.getLogger(__name__)


@transaction.atomic
def campaign_start(*, campaign: Campaign, user: Any) -> Campaign:
    """DRAFT → RUNNING. Raises NotReady for what is missing, Conflict in any other state."""
    permit(user, "operate", campaign)
    _ready_checked(campaign)
    return _move(campaign, [CampaignState.DRAFT], CampaignState.RUNNING, started_at=Now(), started_by=user)


@transaction.atomic
def campaign_cancel(*, campaign: Campaign, user: Any) -> Campaign:
    """RUNNING or HALTED → CANCELLED; what is queued is cancelled, what runs is asked to stop. Results stay."""
    permit(user, "operate", campaign)
    moved = _move(campaign, [CampaignState.RUNNING, CampaignState.HALTED], CampaignState.CANCELLED, finished_at=Now())
    steps = Step.objects.filter(campaign=campaign, state=StepState.RUNNING)
    groups = [step_group(pk) for pk in steps.values_list("pk", flat=True)]
    steps.update(state=StepState.CANCELLED, ended_at=Now(), note="Cancelled.")
    jobs.cancel(jobs=Job.objects.filter(_of_steps(groups) | _beside_steps(campaign), state__in=OPEN))
    return moved


@transaction.atomic
def campaign_resume(*, campaign: Campaign, user: Any) -> Campaign:
    """HALTED, CANCELLED or DONE → RUNNING; failed and cancelled steps are tried again in place, done jobs stay."""
    permit(user, "operate", campaign)
    froms = [CampaignState.HALTED, CampaignState.CANCELLED, CampaignState.DONE]
    moved = _move(campaign, froms, CampaignState.RUNNING, halt_reason="", finished_at=None)
    over = Step.objects.filter(campaign=campaign, state__in=[StepState.FAILED, StepState.CANCELLED])
    groups = [step_group(pk) for pk in over.values_list("pk", flat=True)]
    over.update(state=StepState.RUNNING, ended_at=None, note="")
    stopped = Q(state=State.CANCELLED) | Q(state=State.RUNNING, cancel_requested=True)
    again = Job.objects.filter(_of_steps(groups), stopped | Q(state=State.FAILED)).exclude(error_code=SPLIT)
    for job in again.order_by("id"):
        _job_again(job)
    for job in Job.objects.filter(_beside_steps(campaign), stopped).order_by("id"):
        _job_again_if_let(job)
    return moved


@transaction.atomic
def campaign_archive(*, campaign: Campaign, user: Any) -> Campaign:
    """Out of sight, nothing is lost. Raises Conflict while it runs."""
    permit(user, "administer", campaign)
    froms = [s for s in CampaignState.values if s not in (CampaignState.RUNNING, CampaignState.ARCHIVED)]
    return _move(campaign, froms, CampaignState.ARCHIVED, archived_from=campaign.state)


@transaction.atomic
def campaign_unarchive(*, campaign: Campaign, user: Any) -> Campaign:
    """Back to the state from which it was archived."""
    permit(user, "administer", campaign)
    back = CampaignState(campaign.archived_from or CampaignState.CANCELLED)
    return _move(campaign, [CampaignState.ARCHIVED], back, archived_from="")


def _ready_checked(campaign: Campaign) -> None:
    protocol = protocol_of(campaign)
    _model_ready("potential", campaign.potential)
    if protocol.learned:
        _model_ready("generator", campaign.generator)
        _elements_known(campaign)
    if protocol.source in ("import", "both") and not campaign.imports.exists():
        raise NotReady(
            f"The protocol's source is “{protocol.source}” and there is no file: upload one (CIF, POSCAR, res, extxyz, "
            "CSV, a zip of them, ase.db), or set the source to “generate”."
        )


def _model_ready(kind: str, model: TrainedModel | None) -> None:
    if model is None:
        raise NotReady(f"The campaign has no {kind}: choose one, or train one first.")
    if model.state != ModelState.READY:
        raise NotReady(
            f"The {kind} “{model.name}” is {model.get_state_display()}: wait until it is ready, or choose another one."
        )


def _elements_known(campaign: Campaign) -> None:
    """A potential that knows none of the generator's elements would reject whatever is generated."""
    known, made = set(campaign.potential.species), set(campaign.generator.species)
    if known and not known & made:
        raise NotReady(
            f"The generator “{campaign.generator.name}” makes crystals of {', '.join(sorted(made))}; the potential "
            f"“{campaign.potential.name}” knows {', '.join(sorted(known))}: choose another one of either."
        )


def _move(campaign: Campaign, froms: Iterable[str], to: str, **changes: Any) -> Campaign:
    """Compare and set; raises Conflict when the campaign is in none of `froms`."""
    if not Campaign.objects.filter(pk=campaign.pk, state__in=list(froms)).update(state=to, **changes):
        campaign.refresh_from_db()
        raise Conflict(f"The campaign is {campaign.get_state_display()}: it cannot become {CampaignState(to).label}.")
    campaign.refresh_from_db()
    return campaign


def _of_steps(groups: list[str]) -> Q:
    return Q(group__in=groups)


def _beside_steps(campaign: Campaign) -> Q:
    """Jobs of the campaign that no step's group holds, such as DFT calculations."""
    return Q(group__startswith=f"campaign:{campaign.pk}:")


def _job_again_if_let(job: Job) -> None:
    """A kind of job may have a gate of its own, held by the database: what it refuses by now stays cancelled."""
    try:
        with transaction.atomic():
            _job_again(job)
    except ProgrammingError:
        logger.info("job %s is not let in again", job.pk)


def _job_again(job: Job) -> None:
    """One that is still being stopped is over for its worker only later: it is let go on."""
    if job.state == State.RUNNING:
        Job.objects.filter(pk=job.pk, state=State.RUNNING).update(cancel_requested=False)
    else:
        jobs.retry(job=job)
