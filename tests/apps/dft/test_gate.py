"""Every way around the gate that was thought of is refused, by the application and by the database itself."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from apps.campaigns.models import Campaign, Membership
from apps.campaigns.services import campaign_clone
from apps.core.errors import ApplicationError, Conflict, NotAllowed
from apps.dft.errors import AlreadyDecided, BudgetSpent, GateRefused, ReasonMissing
from apps.dft.models import Approval, BudgetEntry, BudgetGrant, Decision, DftCalculation, DftRequest, GatePolicy
from apps.dft.selectors import budget_of, calculations_for, preview
from apps.dft.services import (
    budget_grant,
    calculation_change,
    calculation_decide,
    calculation_retry,
    calculation_void,
    calculations_decide,
    grant_revoke,
    own_approval_set,
    request_approve_by_grant,
)
from apps.dft.services.running import calculation_enqueue
from apps.jobs.models import Job, State
from apps.jobs.services import claim, retry
from kappakit.dft import inputs_sha256
from tests.apps.gate import Gate, a_gate, a_request
from tests.apps.rows import a_member, a_user, may_create

pytestmark = pytest.mark.django_db


def sql(statement: str, *values: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def approved(gate: Gate, number: int = 0) -> DftCalculation:
    calculation = gate.waiting[number]
    return calculation_decide(
        calculation=calculation, version=calculation.version, answer="approve", user=gate.approver
    )


def dft_jobs() -> int:
    return Job.objects.filter(kind="calculate").count()


class TestTheDoor:
    def test_an_approval_reserves_queues_once_and_says_who(self, gate: Gate) -> None:
        done = approved(gate)
        assert done.state == Decision.APPROVED
        assert dft_jobs() == 1
        assert budget_of(gate.campaign).left == pytest.approx(100.0 - done.estimate)
        assert done.decisions.get().decided_by == gate.approver

    def test_a_proposal_computes_nothing(self, gate: Gate) -> None:
        with pytest.raises(GateRefused, match="without an approval"):
            calculation_enqueue(gate.waiting[0], number=0)
        assert dft_jobs() == 0
        assert claim(queue="single", owner="o", host="h", lease_s=60) is None

    def test_a_state_set_by_raw_sql_is_refused(self, gate: Gate) -> None:
        for state in ("APPROVED", "DONE", "FAILED"):
            with pytest.raises(DatabaseError, match=r"dft_gate|Invalid transition"), transaction.atomic():
                sql("UPDATE dft_dftcalculation SET state = %s WHERE id = %s", state, gate.waiting[0].pk)

    def test_a_row_inserted_as_approved_is_refused(self, gate: Gate) -> None:
        columns = [f.column for f in DftCalculation._meta.fields if f.column not in ("id", "state", "version")]
        names = ", ".join(f'"{name}"' for name in columns)
        with pytest.raises(DatabaseError, match="no living approval"), transaction.atomic():
            sql(
                f"INSERT INTO dft_dftcalculation ({names}, state, version) SELECT {names}, 'APPROVED', 9 "
                "FROM dft_dftcalculation WHERE id = %s",
                gate.waiting[0].pk,
            )

    def test_a_job_inserted_by_raw_sql_is_refused(self, gate: Gate) -> None:
        waiting = gate.waiting[0]
        with pytest.raises(DatabaseError, match="no job without its approved calculation"), transaction.atomic():
            Job.objects.create(
                kind="calculate", group="step:1", key="k", label="sneaky", queue="heavy", units=[str(waiting.pk)],
                params={"inputs_sha256": waiting.inputs_sha256},
            )  # fmt: skip

    def test_a_job_of_another_kind_cannot_become_one(self, gate: Gate) -> None:
        job = Job.objects.create(kind="relax", group="step:1", key="k", label="r", queue="heavy", units=["1"])
        with pytest.raises(DatabaseError, match="dft_gate"), transaction.atomic():
            sql("UPDATE jobs_job SET kind = 'calculate' WHERE id = %s", job.pk)

    def test_a_job_cannot_be_turned_to_another_calculation(self, gate: Gate) -> None:
        approved(gate)
        with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
            sql("UPDATE jobs_job SET units = %s::jsonb WHERE kind = 'calculate'", f'["{gate.waiting[1].pk}"]')

    def test_one_approval_does_not_carry_two_calculations_in_one_job(self, gate: Gate) -> None:
        done = approved(gate)
        with pytest.raises(DatabaseError, match="one calculation"), transaction.atomic():
            Job.objects.create(
                kind="calculate", group="g", key="k2", label="two", queue="heavy",
                units=[str(done.pk), str(gate.waiting[1].pk)], params={"inputs_sha256": done.inputs_sha256},
            )  # fmt: skip


class TestWhoDecides:
    def test_a_viewer_and_an_operator_may_not(self, gate: Gate) -> None:
        for user in (gate.operator, a_member(gate.campaign, "reviewer")):
            with pytest.raises(NotAllowed):
                calculation_decide(calculation=gate.waiting[0], version=1, answer="approve", user=user)

    def test_the_proposer_may_not_approve_his_own_even_as_approver(self, gate: Gate) -> None:
        Membership.objects.create(campaign=gate.campaign, user=gate.scientist, roles=["approver"])
        with pytest.raises(GateRefused, match="proposed it may not approve"):
            calculation_decide(calculation=gate.waiting[0], version=1, answer="approve", user=gate.scientist)
        assert dft_jobs() == 0

    def test_a_one_person_campaign_switches_that_off_on_record(self, gate: Gate) -> None:
        Membership.objects.create(campaign=gate.campaign, user=gate.scientist, roles=["approver"])
        with pytest.raises(ReasonMissing):
            own_approval_set(campaign=gate.campaign, allowed=True, user=gate.scientist, reason=" ")
        own_approval_set(campaign=gate.campaign, allowed=True, user=gate.scientist, reason="I am alone here.")
        done = calculation_decide(calculation=gate.waiting[0], version=1, answer="approve", user=gate.scientist)
        assert done.state == Decision.APPROVED
        assert GatePolicy.objects.get().events.count() == 1

    def test_who_is_no_admin_cannot_switch_it_off_by_raw_sql(self, gate: Gate) -> None:
        with pytest.raises(DatabaseError, match="only an admin"), transaction.atomic():
            GatePolicy.objects.create(
                campaign=gate.campaign, own_approval=True, changed_by=gate.operator, reason="please"
            )

    def test_a_changed_owner_changes_no_proposer(self, gate: Gate) -> None:
        Membership.objects.create(campaign=gate.campaign, user=gate.scientist, roles=["approver"])
        Campaign.objects.filter(pk=gate.campaign.pk).update(owner=gate.operator)
        with pytest.raises(GateRefused, match="proposed it may not approve"):
            calculation_decide(calculation=gate.waiting[0], version=1, answer="approve", user=gate.scientist)
        with pytest.raises(DatabaseError, match="who proposed it, never changes"), transaction.atomic():
            sql("UPDATE dft_dftcalculation SET proposed_by_id = %s", gate.operator.pk)
        with pytest.raises(DatabaseError), transaction.atomic():
            sql("UPDATE dft_dftrequest SET proposed_by_id = %s", gate.operator.pk)

    def test_an_approval_written_by_raw_sql_needs_an_approver(self, gate: Gate) -> None:
        waiting = gate.waiting[0]
        for user in (gate.operator, a_user("stranger")):
            with pytest.raises(DatabaseError, match="only an approver"), transaction.atomic():
                Approval.objects.create(
                    calculation=waiting, inputs_sha256=waiting.inputs_sha256, answer="approve", decided_by=user
                )

    def test_an_approval_of_other_inputs_is_refused(self, gate: Gate) -> None:
        with pytest.raises(DatabaseError, match="inputs changed"), transaction.atomic():
            Approval.objects.create(
                calculation=gate.waiting[0], inputs_sha256="0" * 64, answer="approve", decided_by=gate.approver
            )

    def test_the_second_of_two_people_sees_who_decided(self, gate: Gate) -> None:
        second = a_member(gate.campaign, "approver", name="second")
        approved(gate)
        with pytest.raises(AlreadyDecided, match="Approved by approver"):
            calculation_decide(calculation=gate.waiting[0], version=1, answer="deny", user=second, reason="no")

    def test_the_queue_of_a_person_holds_only_what_he_may_decide(self, gate: Gate) -> None:
        assert calculations_for(gate.approver).count() == 2
        assert calculations_for(gate.operator).count() == 0
        assert calculations_for(gate.scientist).count() == 0


class TestInputs:
    def test_the_database_makes_the_hash(self, gate: Gate) -> None:
        waiting = gate.waiting[0]
        sql("UPDATE dft_dftcalculation SET inputs_sha256 = 'f' WHERE id = %s", waiting.pk)
        waiting.refresh_from_db()
        assert waiting.inputs_sha256 == inputs_sha256(waiting.inputs)

    def test_inputs_that_changed_since_they_were_shown_are_not_approved(self, gate: Gate) -> None:
        waiting = gate.waiting[0]
        calculation_change(calculation=waiting, version=1, user=gate.operator, changes={"cutoff": 800.0})
        with pytest.raises(AlreadyDecided, match="changed since"):
            calculation_decide(calculation=waiting, version=1, answer="approve", user=gate.approver)

    def test_approved_inputs_cannot_be_edited_in_place(self, gate: Gate) -> None:
        done = approved(gate)
        with pytest.raises(DatabaseError, match="fixed"), transaction.atomic():
            sql("UPDATE dft_dftcalculation SET inputs = inputs || ' ' WHERE id = %s", done.pk)

    def test_an_edit_voids_the_approval_and_proposes_anew(self, gate: Gate) -> None:
        done = approved(gate)
        again = calculation_change(calculation=done, version=1, user=gate.operator, changes={"smearing_width": 0.1})
        done.refresh_from_db()
        assert (done.state, again.state) == (Decision.VOIDED, Decision.PROPOSED)
        assert again.inputs_sha256 != done.inputs_sha256
        assert again.replaces == done
        assert done.decisions.get().voided_at is not None
        assert Job.objects.get().state == State.CANCELLED
        assert budget_of(gate.campaign).left == pytest.approx(100.0)

    def test_a_voided_calculation_is_not_queued_again_by_its_job(self, gate: Gate) -> None:
        done = approved(gate)
        calculation_void(calculation=done, user=gate.operator, reason="wrong cell")
        with pytest.raises(DatabaseError, match="no job without"), transaction.atomic():
            retry(job=Job.objects.get())

    def test_settings_outside_their_range_change_nothing(self, gate: Gate) -> None:
        with pytest.raises(ApplicationError, match="cutoff"):
            calculation_change(calculation=gate.waiting[0], version=1, user=gate.operator, changes={"cutoff": -1.0})


class TestDenial:
    def test_it_needs_a_reason_and_is_final_for_these_inputs(self, gate: Gate) -> None:
        waiting = gate.waiting[0]
        with pytest.raises(ReasonMissing):
            calculation_decide(calculation=waiting, version=1, answer="deny", user=gate.approver)
        calculation_decide(calculation=waiting, version=1, answer="deny", user=gate.approver, reason="too dear")
        again = a_request(gate.campaign, gate.scientist, key="labels/0/1").calculations.get(order=0)
        assert again.inputs_sha256 == waiting.inputs_sha256
        with pytest.raises(GateRefused, match="final"):
            calculation_decide(calculation=again, version=1, answer="approve", user=gate.approver)
        with pytest.raises(DatabaseError, match=r"Invalid|transition"), transaction.atomic():
            sql("UPDATE dft_dftcalculation SET state = 'PROPOSED' WHERE id = %s", waiting.pk)

    def test_a_clone_inherits_neither_approval_nor_budget_nor_escape_from_a_denial(self, gate: Gate) -> None:
        done = approved(gate, 1)
        calculation_decide(calculation=gate.waiting[0], version=1, answer="deny", user=gate.approver, reason="no")
        may_create(gate.scientist)
        scientist = type(gate.scientist).objects.get(pk=gate.scientist.pk)
        clone = campaign_clone(campaign=gate.campaign, user=scientist, name="clone")
        assert budget_of(clone).left == 0
        request = a_request(clone, scientist)
        other = a_member(clone, "approver", name="other")
        assert all(c.state == Decision.PROPOSED for c in request.calculations.all())
        assert request.calculations.get(order=1).inputs_sha256 == done.inputs_sha256
        with pytest.raises(BudgetSpent):
            calculation_decide(calculation=request.calculations.get(order=1), version=1, answer="approve", user=other)
        budget_grant(campaign=clone, core_hours=10, user=other)
        with pytest.raises(GateRefused, match="final"):
            calculation_decide(calculation=request.calculations.get(order=0), version=1, answer="approve", user=other)

    def test_a_decision_is_neither_changed_nor_deleted(self, gate: Gate) -> None:
        done = approved(gate)
        calculation_decide(calculation=gate.waiting[1], version=1, answer="deny", user=gate.approver, reason="no")
        for statement in (
            "UPDATE dft_approval SET answer = 'approve'",
            "DELETE FROM dft_approval",
            "UPDATE dft_approval SET inputs_sha256 = 'x'",
        ):
            with pytest.raises(DatabaseError, match=r"dft_gate|check"), transaction.atomic():
                sql(statement)
        assert done.decisions.count() == 1


class TestBudget:
    def test_the_gate_closes_when_the_budget_does_not_cover_it(self) -> None:
        gate = a_gate(core_hours=0.0)
        with pytest.raises(BudgetSpent):
            approved(gate)
        with pytest.raises(DatabaseError, match="does not cover"), transaction.atomic():
            Approval.objects.create(
                calculation=gate.waiting[0], inputs_sha256=gate.waiting[0].inputs_sha256, answer="approve",
                decided_by=gate.approver,
            )  # fmt: skip

    def test_core_hours_come_from_an_approver_only(self, gate: Gate) -> None:
        with pytest.raises(NotAllowed):
            budget_grant(campaign=gate.campaign, core_hours=5, user=gate.scientist)
        with pytest.raises(DatabaseError, match="only an approver"), transaction.atomic():
            BudgetGrant.objects.create(campaign=gate.campaign, core_hours=5, granted_by=gate.scientist)

    def test_the_ledger_cannot_be_written_up_or_rewritten(self, gate: Gate) -> None:
        done = approved(gate)
        facts = {"campaign": gate.campaign, "calculation": done}
        for kind, hours in (("grant", 5.0), ("release", 50.0), ("reserve", 1.0), ("consume", 1.0)):
            with pytest.raises(DatabaseError, match="dft_gate"), transaction.atomic():
                BudgetEntry.objects.create(kind=kind, core_hours=hours, **facts)
        for statement in ("UPDATE dft_budgetentry SET core_hours = 0", "DELETE FROM dft_budgetentry"):
            with pytest.raises(DatabaseError, match="only grows"), transaction.atomic():
                sql(statement)

    def test_a_revoked_grant_takes_back_what_is_left(self, gate: Gate) -> None:
        done = approved(gate)
        grant_revoke(grant=BudgetGrant.objects.get(), user=gate.approver)
        budget = budget_of(gate.campaign)
        assert budget.left == pytest.approx(0.0)
        assert budget.reserved == pytest.approx(done.estimate)

    def test_a_bulk_approval_is_previewed_and_goes_all_or_nothing(self, gate: Gate) -> None:
        seen = preview(gate.approver, gate.waiting)
        assert len(seen.calculations) == 2
        assert seen.core_hours == pytest.approx(sum(c.estimate for c in gate.waiting))
        shown = [(c.pk, c.version) for c in gate.waiting]
        with pytest.raises(AlreadyDecided):
            calculations_decide(shown=[shown[0], (shown[1][0], 7)], answer="approve", user=gate.approver)
        assert dft_jobs() == 0
        decided = calculations_decide(shown=shown, answer="approve", user=gate.approver)
        assert len({c.decisions.get().batch for c in decided}) == 1
        assert dft_jobs() == 2

    def test_a_preview_names_what_cannot_go_along(self, gate: Gate) -> None:
        approved(gate)
        seen = preview(gate.approver, gate.waiting)
        assert [c.order for c in seen.calculations] == [1]
        assert "Approved by approver" in seen.refused[0][1]


class TestAutomaticLabels:
    def test_a_grant_approves_labels_in_its_grantors_name(self, gate: Gate) -> None:
        assert request_approve_by_grant(request=gate.request) == 0
        grant = budget_grant(campaign=gate.campaign, core_hours=5, user=gate.approver, automatic=True)
        assert request_approve_by_grant(request=gate.request) == 2
        decision = Approval.objects.first()
        assert decision is not None
        assert (decision.grant, decision.decided_by) == (grant, gate.approver)

    def test_it_stops_where_the_budget_ends(self) -> None:
        gate = a_gate(core_hours=0.0)
        first = gate.waiting[0].estimate
        budget_grant(campaign=gate.campaign, core_hours=first * 1.5, user=gate.approver, automatic=True)
        assert request_approve_by_grant(request=gate.request) == 1

    def test_a_revoked_grant_or_another_purpose_approves_nothing(self, gate: Gate) -> None:
        grant = budget_grant(campaign=gate.campaign, core_hours=5, user=gate.approver, automatic=True)
        grant_revoke(grant=grant, user=gate.approver)
        assert request_approve_by_grant(request=gate.request) == 0
        waiting = gate.waiting[0]
        with pytest.raises(DatabaseError, match="no living grant"), transaction.atomic():
            Approval.objects.create(
                calculation=waiting, inputs_sha256=waiting.inputs_sha256, answer="approve", decided_by=gate.approver,
                grant=grant, batch=uuid.uuid4(),
            )  # fmt: skip
        with pytest.raises(DatabaseError), transaction.atomic():
            DftRequest.objects.filter(pk=gate.request.pk).update(purpose="validate")


class TestAgain:
    def test_only_a_failed_calculation_is_tried_again_and_within_the_budget(self, gate: Gate) -> None:
        done = approved(gate)
        with pytest.raises(Conflict):
            calculation_retry(calculation=done, user=gate.operator)
        DftCalculation.objects.filter(pk=done.pk).update(state=Decision.FAILED, failure="engine")
        done.refresh_from_db()
        assert calculation_retry(calculation=done, user=gate.operator).state == Decision.APPROVED

    def test_a_repeated_wake_up_starts_nothing_twice(self, gate: Gate) -> None:
        approved(gate)
        assert claim(queue="single", owner="a", host="h", lease_s=60) is not None
        assert claim(queue="single", owner="b", host="h", lease_s=60) is None
