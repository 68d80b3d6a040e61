"""What people do with campaigns. Each call asks for the role that it takes; each move is a compare-and-set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from apps.campaigns.models import Campaign, CampaignState, Membership, Role, Step, StepState
from apps.campaigns.permissions import can_create, permit
from apps.campaigns.selectors import protocol_of, step_group
from apps.core.errors import ApplicationError, Conflict, NotAllowed
from apps.jobs import services as jobs
from apps.jobs.models import OPEN, SPLIT, Job, State
from apps.training.models import ModelKind, ModelState, TrainedModel
from kappakit.protocol import Protocol, ProtocolError

LARGEST_SEED = 2**31 - 1


class ProtocolRefused(ApplicationError):
    """`detail`: path of a field ('relax.max_steps') → what is wrong with it."""

    code = "protocol_refused"
    status = 400


class FieldRefused(ApplicationError):
    """`detail`: field → what is wrong with it."""

    code = "field_refused"
    status = 400


class NotReady(ApplicationError):
    """Something is missing before the campaign can start; the message says what to do."""

    code = "not_ready"
    status = 409


@transaction.atomic
def campaign_create(
    *,
    name: str,
    owner: Any,
    protocol: Mapping[str, Any],
    description: str = "",
    potential: TrainedModel | None = None,
    generator: TrainedModel | None = None,
    seed: int = 0,
) -> Campaign:
    """A draft; what `protocol` leaves out keeps its default.

    Raises NotAllowed without the permission to create campaigns, ProtocolRefused, FieldRefused (name, seed, potential,
    generator) and Conflict for a name that is taken.
    """
    if not can_create(owner):
        raise NotAllowed("You may not create campaigns. Ask an administrator for the permission.")
    checked = _protocol_checked(protocol)
    _fields_checked(name, seed, {ModelKind.POTENTIAL: potential, ModelKind.GENERATOR: generator})
    return _insert(
        name=name.strip(),
        description=description,
        owner=owner,
        protocol=checked.as_dict(),
        protocol_digest=checked.digest,
        potential=potential,
        generator=generator,
        seed=seed,
    )


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
    again = _of_steps(groups) & (stopped | Q(state=State.FAILED)) | _beside_steps(campaign) & stopped
    for job in Job.objects.filter(again).exclude(error_code=SPLIT).order_by("id"):
        _job_again(job)
    return moved


@transaction.atomic
def campaign_clone(*, campaign: Campaign, user: Any, name: str) -> Campaign:
    """A draft of the user's own with the same protocol, models, seed, files and centres, and no results."""
    permit(user, "view", campaign)
    clone = campaign_create(
        name=name,
        owner=user,
        protocol=campaign.protocol,
        description=campaign.description,
        potential=campaign.potential,
        generator=campaign.generator,
        seed=campaign.seed,
    )
    Campaign.objects.filter(pk=clone.pk).update(cloned_from=campaign)
    for given in campaign.imports.all():
        clone.imports.create(file_name=given.file_name, artifact_id=given.artifact_id, uploaded_by=user)
    for given in campaign.label_sets.filter(kind="upload"):
        clone.label_sets.create(
            kind="upload", file_name=given.file_name, artifact_id=given.artifact_id, uploaded_by=user
        )
    for centre in campaign.centres.all():
        clone.centres.create(structure_id=centre.structure_id, order=centre.order, candidate_id=centre.candidate_id)
    clone.refresh_from_db()
    return clone


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


@transaction.atomic
def model_set(*, campaign: Campaign, user: Any, kind: str, model: TrainedModel | None) -> Campaign:
    """Choose the potential or the generator (`kind`) of a draft.

    Raises FieldRefused for a model of another kind, Conflict once it was started: its results are of the old one.
    """
    permit(user, "operate", campaign)
    _fields_checked(campaign.name, campaign.seed, {ModelKind(kind): model})
    if not Campaign.objects.filter(pk=campaign.pk, state=CampaignState.DRAFT).update(**{ModelKind(kind).value: model}):
        raise Conflict(f"The {kind} belongs to the results: clone the campaign to use another one.")
    campaign.refresh_from_db()
    return campaign


@transaction.atomic
def membership_set(*, campaign: Campaign, user: Any, roles: Iterable[str], by: Any) -> Membership:
    """Give `user` exactly these roles (none: takes them all away). `by` needs the role admin.

    Raises FieldRefused for a role that does not exist.
    """
    permit(by, "administer", campaign)
    wanted = set(roles)
    if unknown := wanted - set(Role.values):
        raise FieldRefused(f"There is no role {', '.join(sorted(unknown))}.", detail={"roles": "unknown"})
    ordered = [role for role in Role.values if role in wanted]
    membership, _ = Membership.objects.update_or_create(campaign=campaign, user=user, defaults={"roles": ordered})
    return membership


# --- for the worker ---------------------------------------------------------------------------------------------------


def step_open(*, campaign: Campaign, name: str, sweep: int, iteration: int, candidates: Iterable[int]) -> Step:
    """The step's row, made where the campaign does not have it yet."""
    step, _ = Step.objects.get_or_create(
        campaign=campaign, name=name, sweep=sweep, iteration=iteration, defaults={"candidates": list(candidates)}
    )
    return step


def step_planned(*, step: Step, expected_units: int) -> None:
    """Note of how many units it consists."""
    Step.objects.filter(pk=step.pk).update(expected_units=expected_units)


def step_waits(*, step: Step, why: str) -> None:
    """Note what a step waits for that has no job open, such as people."""
    Step.objects.filter(pk=step.pk, state=StepState.RUNNING).exclude(note=why).update(note=why)


def step_done(*, step: Step, report: Mapping[str, Any], note: str = "") -> bool:
    """RUNNING → DONE with its report; False when somebody else moved it first."""
    return _step_move(step, StepState.DONE, report=dict(report), note=note)


@transaction.atomic
def step_failed(*, step: Step, reason: str) -> bool:
    """RUNNING → FAILED; the campaign halts with the reason. False when somebody else moved it first."""
    if not _step_move(step, StepState.FAILED, note=reason):
        return False
    campaign_halt(campaign=step.campaign, reason=reason)
    return True


def campaign_halt(*, campaign: Campaign, reason: str) -> bool:
    """RUNNING → HALTED; False when it was not running."""
    rows = Campaign.objects.filter(pk=campaign.pk, state=CampaignState.RUNNING)
    return bool(rows.update(state=CampaignState.HALTED, halt_reason=reason))


def campaign_done(*, campaign: Campaign) -> bool:
    """RUNNING → DONE; False when it was not running."""
    rows = Campaign.objects.filter(pk=campaign.pk, state=CampaignState.RUNNING)
    return bool(rows.update(state=CampaignState.DONE, finished_at=Now()))


def _protocol_checked(data: Mapping[str, Any]) -> Protocol:
    try:
        return Protocol.from_dict(dict(data))
    except ProtocolError as error:
        raise ProtocolRefused(str(error), detail=dict(error.problems)) from error


def _fields_checked(name: str, seed: int, models: Mapping[ModelKind, TrainedModel | None]) -> None:
    problems = {}
    if not name.strip():
        problems["name"] = "must not be empty"
    if not 0 <= seed <= LARGEST_SEED:
        problems["seed"] = f"must lie between 0 and {LARGEST_SEED}"
    for kind, model in models.items():
        if model is not None and model.kind != kind:
            problems[kind.value] = f"is not a {kind.label}"
    if problems:
        raise FieldRefused("; ".join(f"{f}: {p}" for f, p in problems.items()), detail=problems)


def _insert(**values: Any) -> Campaign:
    try:
        with transaction.atomic():
            return Campaign.objects.create(**values)
    except IntegrityError as error:
        raise Conflict(f"There is a campaign “{values['name']}” already.", detail={"name": "is taken"}) from error


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


def _step_move(step: Step, to: StepState, **changes: Any) -> bool:
    rows = Step.objects.filter(pk=step.pk, state=StepState.RUNNING)
    return bool(rows.update(state=to, ended_at=Now(), **changes))


def _of_steps(groups: list[str]) -> Q:
    return Q(group__in=groups)


def _beside_steps(campaign: Campaign) -> Q:
    """Jobs of the campaign that no step's group holds, such as DFT calculations."""
    return Q(group__startswith=f"campaign:{campaign.pk}:")


def _job_again(job: Job) -> None:
    """One that is still being stopped is over for its worker only later: it is let go on."""
    if job.state == State.RUNNING:
        Job.objects.filter(pk=job.pk, state=State.RUNNING).update(cancel_requested=False)
    else:
        jobs.retry(job=job)
