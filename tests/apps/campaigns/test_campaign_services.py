"""A campaign's life: drafted, started, cancelled, resumed, cloned, archived."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction

from apps.campaigns import services
from apps.campaigns.models import CAMPAIGN_MOVES, STEP_MOVES, Campaign, CampaignState, Step, StepState
from apps.campaigns.selectors import step_group
from apps.core.errors import Conflict, NotAllowed
from apps.jobs import services as jobs
from apps.jobs.bindings import JobSpec
from apps.jobs.models import Job, State
from apps.jobs.services import Ending, Outcome
from apps.structures.services import import_file_add
from apps.training.models import ModelState
from kappakit.protocol import PROTOCOLS
from tests.apps.rows import a_campaign, a_member, a_model, a_user, may_create

pytestmark = pytest.mark.django_db

SEARCH = {"source": "generate"}


def a_scientist(name: str = "marie"):
    user = a_user(name)
    may_create(user)
    return user


def a_draft(owner, **facts) -> Campaign:
    values = {"name": "carbon", "protocol": SEARCH} | facts
    if "potential" not in values:
        values["potential"] = a_model()
    return services.campaign_create(owner=owner, **values)


def running(owner) -> tuple[Campaign, Step]:
    campaign = services.campaign_start(campaign=a_draft(owner), user=owner)
    step = services.step_open(campaign=campaign, name="generate", sweep=0, iteration=0, candidates=())
    return campaign, step


def queued(step: Step, *units: str) -> list[Job]:
    return jobs.enqueue(
        [JobSpec("generate", (unit,), {}, f"generate {unit}", "light") for unit in units], group=step_group(step.pk)
    )


def ended(outcome: Outcome) -> None:
    found = jobs.claim(queue="light", owner="me", host="here", lease_s=60)
    assert found is not None
    if outcome == Outcome.DONE:
        jobs.complete(found[1], Ending(outcome))
    else:
        jobs.fail(found[1], Ending(outcome, "out of luck"))


def test_a_draft_holds_the_whole_protocol_and_its_digest():
    campaign = a_draft(a_scientist(), protocol={"source": "generate", "relax": {"max_steps": 77}})
    assert campaign.state == CampaignState.DRAFT
    assert campaign.protocol["relax"]["max_steps"] == 77
    assert campaign.protocol["screen"]["max_atoms"] == 12
    assert len(campaign.protocol_digest) == 64


def test_a_protocol_with_negative_numbers_names_every_field():
    with pytest.raises(services.ProtocolRefused) as refused:
        a_draft(a_scientist(), protocol={"relax": {"max_steps": -1, "max_force": -2.0}, "sauce": "import"})
    assert refused.value.status == 400
    assert set(refused.value.detail) == {"relax.max_steps", "relax.max_force", "sauce"}


def test_creating_takes_the_permission():
    with pytest.raises(NotAllowed):
        a_draft(a_user("guest"))


def test_a_name_is_needed_and_is_taken_once():
    owner = a_scientist()
    a_draft(owner)
    with pytest.raises(Conflict, match="already"):
        a_draft(owner, potential=None)
    with pytest.raises(services.FieldRefused) as refused:
        a_draft(owner, name="  ", seed=-1, potential=None)
    assert set(refused.value.detail) == {"name", "seed"}


def test_a_start_without_a_potential_says_what_to_do():
    owner = a_scientist()
    with pytest.raises(services.NotReady, match="choose one, or train one"):
        services.campaign_start(campaign=a_draft(owner, potential=None), user=owner)


def test_a_start_with_a_potential_in_training_says_what_to_do():
    owner = a_scientist()
    draft = a_draft(owner, potential=a_model("young", state=ModelState.TRAINING))
    with pytest.raises(services.NotReady, match="wait until it is ready"):
        services.campaign_start(campaign=draft, user=owner)


def test_a_start_without_the_file_that_the_source_needs_says_what_to_do(tmp_path: Path, settings):
    settings.ARTIFACTS = tmp_path / "artifacts"
    owner = a_scientist()
    draft = a_draft(owner, protocol={"source": "both"})
    with pytest.raises(services.NotReady, match="upload one"):
        services.campaign_start(campaign=draft, user=owner)
    file = tmp_path / "diamond.cif"
    file.write_text("data_diamond")
    import_file_add(campaign=draft, file_name=file.name, content=file, user=owner)
    assert services.campaign_start(campaign=draft, user=owner).state == CampaignState.RUNNING


def test_a_campaign_with_a_committee_starts_and_remembers_who_started_it():
    owner = a_scientist()
    draft = a_draft(owner, protocol={"source": "generate", "committee": {"size": 8}})
    started = services.campaign_start(campaign=draft, user=owner)
    assert (started.state, started.started_by) == (CampaignState.RUNNING, owner)


def test_a_campaign_is_started_once_and_by_an_operator():
    owner = a_scientist()
    draft = a_draft(owner)
    with pytest.raises(NotAllowed):
        services.campaign_start(campaign=draft, user=a_member(draft, "reviewer"))
    started = services.campaign_start(campaign=draft, user=a_member(draft, "operator"))
    assert started.started_at is not None
    with pytest.raises(Conflict):
        services.campaign_start(campaign=draft, user=owner)


def test_cancelling_ends_what_is_queued_and_asks_what_runs_to_stop():
    owner = a_scientist()
    campaign, step = running(owner)
    queued(step, "0", "1")
    assert jobs.claim(queue="light", owner="me", host="here", lease_s=60) is not None
    services.campaign_cancel(campaign=campaign, user=owner)
    first, second = Job.objects.order_by("id")
    assert (first.state, first.cancel_requested, second.state) == (State.RUNNING, True, State.CANCELLED)
    assert Step.objects.get().state == StepState.CANCELLED


def test_resuming_tries_failed_and_cancelled_jobs_again_and_keeps_what_is_done():
    owner = a_scientist()
    campaign, step = running(owner)
    queued(step, "0", "1", "2")
    ended(Outcome.DONE)
    ended(Outcome.INPUT)
    services.step_failed(step=step, reason="out of luck")
    campaign.refresh_from_db()
    assert (campaign.state, campaign.halt_reason) == (CampaignState.HALTED, "out of luck")
    services.campaign_cancel(campaign=campaign, user=owner)
    services.campaign_resume(campaign=campaign, user=owner)
    assert (campaign.state, campaign.halt_reason) == (CampaignState.RUNNING, "")
    assert Step.objects.get().state == StepState.RUNNING
    assert [job.state for job in Job.objects.order_by("id")] == [State.DONE, State.QUEUED, State.QUEUED]


def test_a_draft_or_a_running_campaign_cannot_be_resumed():
    owner = a_scientist()
    campaign = a_draft(owner)
    with pytest.raises(Conflict):
        services.campaign_resume(campaign=campaign, user=owner)


def test_a_step_ends_once():
    _, step = running(a_scientist())
    assert services.step_done(step=step, report={"kept": 1, "dropped": 0})
    assert not services.step_done(step=step, report={"kept": 2, "dropped": 0})
    assert not services.step_failed(step=step, reason="too late")
    assert Step.objects.get().report == {"kept": 1, "dropped": 0}


def test_a_clone_is_a_draft_of_ones_own_with_the_same_input(tmp_path: Path, settings):
    settings.ARTIFACTS = tmp_path / "artifacts"
    owner = a_scientist()
    campaign = a_draft(owner, protocol={"source": "import"}, seed=7)
    file = tmp_path / "diamond.cif"
    file.write_text("data_diamond")
    import_file_add(campaign=campaign, file_name=file.name, content=file, user=owner)
    reader = a_scientist("pierre")
    services.membership_set(campaign=campaign, user=reader, roles=["viewer"], by=owner)
    clone = services.campaign_clone(campaign=campaign, user=reader, name="carbon again")
    assert (clone.owner, clone.state, clone.seed, clone.cloned_from) == (reader, CampaignState.DRAFT, 7, campaign)
    assert clone.protocol == campaign.protocol
    assert [given.file_name for given in clone.imports.all()] == ["diamond.cif"]


def test_an_archived_campaign_returns_to_what_it_was():
    owner = a_scientist()
    campaign, _ = running(owner)
    with pytest.raises(Conflict):
        services.campaign_archive(campaign=campaign, user=owner)
    services.campaign_cancel(campaign=campaign, user=owner)
    services.campaign_archive(campaign=campaign, user=owner)
    assert campaign.state == CampaignState.ARCHIVED
    services.campaign_unarchive(campaign=campaign, user=owner)
    assert campaign.state == CampaignState.CANCELLED


def test_the_potential_changes_only_before_the_start():
    owner = a_scientist()
    campaign, other = a_draft(owner), a_model("other")
    services.model_set(campaign=campaign, user=owner, kind="potential", model=other)
    services.campaign_start(campaign=campaign, user=owner)
    with pytest.raises(Conflict, match="clone"):
        services.model_set(campaign=campaign, user=owner, kind="potential", model=None)


def refused(statement: str, *values: object) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
    except DatabaseError:
        return True
    return False


@pytest.mark.parametrize("state", CampaignState.values)
def test_the_database_refuses_every_other_move_of_a_campaign(state: str):
    campaign = a_campaign(a_user("owner"), protocol=PROTOCOLS["smoke"], state=state)
    for other in set(CampaignState.values) - {state}:
        with transaction.atomic():
            legal = other in CAMPAIGN_MOVES.get(CampaignState(state), ())
            move = "UPDATE campaigns_campaign SET state = %s WHERE id = %s"
            assert refused(move, other, campaign.pk) != legal
            transaction.set_rollback(True)


@pytest.mark.parametrize("state", StepState.values)
def test_the_database_refuses_every_other_move_of_a_step(state: str):
    step = Step.objects.create(campaign=a_campaign(a_user("owner")), name="relax", state=state)
    for other in set(StepState.values) - {state}:
        with transaction.atomic():
            legal = other in STEP_MOVES.get(StepState(state), ())
            assert refused("UPDATE campaigns_step SET state = %s WHERE id = %s", other, step.pk) != legal
            transaction.set_rollback(True)


def test_what_people_do_with_a_campaign_is_history():
    owner = a_scientist()
    campaign, _ = running(owner)
    services.campaign_cancel(campaign=campaign, user=owner)
    events = campaign.name_state_halt_reason_potential_generator_protocol_events.order_by("pgh_id")
    states = [event.state for event in events]
    assert states == [CampaignState.DRAFT, CampaignState.RUNNING, CampaignState.CANCELLED]
