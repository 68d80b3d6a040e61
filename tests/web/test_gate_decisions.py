"""Deciding by page: previews, two people, reasons, undoing; every way around it by page, refused."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.campaigns.models import Membership
from apps.dft.models import (
    Approval,
    BudgetGrant,
    DftFile,
    GatePolicy,
)
from apps.dft.selectors import budget_of, jobs_of
from apps.dft.services import budget_grant
from apps.jobs.models import Attempt, Job
from tests.apps.gate import Gate, a_gate, a_request
from tests.apps.rows import a_campaign, a_member, a_user
from tests.web.gate import (
    a_file,
    a_vasp_request,
    as_user,
    decide,
    settings_of,
    shown,
    states,
    text,
)

pytestmark = pytest.mark.django_db
MOST_QUERIES = 15


class TestDecisions:
    def test_a_preview_decides_nothing_and_counts(self, gate: Gate) -> None:
        form = {"shown": " ".join(shown(*gate.waiting)), "answer": "approve"}
        page = text(as_user(gate.approver).post(reverse("approvals-preview"), form))
        assert "Approve 2 calculations?" in page
        assert f'name="shown" value="{" ".join(shown(*gate.waiting))}"' in page
        assert states(gate) == ["PROPOSED", "PROPOSED"]
        assert Approval.objects.count() == 0

    def test_bulk_is_approved_as_one_batch_and_queued(self, gate: Gate) -> None:
        assert decide(gate.approver, "approve", *gate.waiting).status_code == 302
        assert states(gate) == ["APPROVED", "APPROVED"]
        assert len(set(Approval.objects.values_list("batch", flat=True))) == 1
        assert Job.objects.filter(kind="calculate").count() == 2

    def test_the_preview_says_what_the_budget_does_not_cover(self, db: None) -> None:
        gate = a_gate(core_hours=0)
        page = text(
            as_user(gate.approver).post(
                reverse("approvals-preview"), {"shown": shown(*gate.waiting), "answer": "approve"}
            )
        )
        assert "2 cannot go along" in page
        assert "does not cover it" in page
        assert decide(gate.approver, "approve", *gate.waiting).status_code == 409
        assert states(gate) == ["PROPOSED", "PROPOSED"]

    def test_the_preview_of_many_asks_the_database_little(self, gate: Gate) -> None:
        made = a_request(gate.campaign, gate.scientist, key="labels/1/0", count=20)
        form = {"shown": shown(*made.calculations.all()), "answer": "approve"}
        client = as_user(gate.approver)
        with CaptureQueriesContext(connection) as asked:
            client.post(reverse("approvals-preview"), form)
        assert len(asked) <= MOST_QUERIES, [q["sql"][:150] for q in asked]

    def test_the_second_of_two_people_sees_who_decided(self, gate: Gate) -> None:
        second = a_member(gate.campaign, "approver", name="second")
        one = gate.waiting[0]
        decide(gate.approver, "approve", one, reason="Cheap.")
        late = decide(second, "deny", one, reason="No.")
        assert late.status_code == 409
        assert "Approved by approver at" in text(late)
        assert "Cheap." in text(late)
        form = {"shown": shown(one), "answer": "approve"}
        assert "Approved by approver at" in text(as_user(second).post(reverse("approvals-preview"), form))

    def test_a_denial_needs_a_reason_and_is_final_for_the_inputs(self, gate: Gate) -> None:
        one = gate.waiting[0]
        answer = decide(gate.approver, "deny", one, reason="  ")
        assert answer.status_code == 400
        assert "Say why it is denied" in text(answer)
        assert states(gate)[0] == "PROPOSED"
        decide(gate.approver, "deny", one, reason="Too skewed.")
        assert states(gate)[0] == "DENIED"
        again = a_request(gate.campaign, gate.scientist, key="labels/0/1")
        refused = decide(gate.approver, "approve", again.calculations.get(order=0))
        assert (refused.status_code, "final" in text(refused)) == (409, True)

    def test_inputs_that_changed_since_they_were_shown_are_not_approved(self, gate: Gate) -> None:
        seen = gate.waiting[0]
        change = {"version": 1, "reason": "", **settings_of(seen), "cutoff": "350"}
        address = reverse("dft-change", args=[seen.pk])
        assert as_user(gate.operator).post(address, change).status_code == 302
        refused = decide(gate.approver, "approve", seen)
        assert (refused.status_code, "changed since they were shown" in text(refused)) == (409, True)

    def test_an_approval_is_undone_while_nothing_ran_and_not_afterwards(self, gate: Gate) -> None:
        client = as_user(gate.approver)
        form = {"shown": shown(gate.waiting[0]), "answer": "approve"}
        client.post(reverse("approvals-decide"), form)
        assert "of which nothing has begun" in text(client.get(reverse("approvals")))
        left = budget_of(gate.campaign).left
        assert left < 100.0
        assert client.post(reverse("approvals-undo")).status_code == 302
        assert states(gate)[0] == "VOIDED"
        assert budget_of(gate.campaign).left == pytest.approx(100.0)
        client.post(reverse("approvals-decide"), {"shown": shown(gate.waiting[1]), "answer": "approve"})
        Attempt.objects.create(job=jobs_of(gate.waiting[1]).last(), number=1, host="here")
        assert client.post(reverse("approvals-undo")).status_code == 404
        assert states(gate)[1] == "APPROVED"

    @pytest.mark.parametrize("values", [[], ["x"], ["1"], ["1:0"], ["1:1;2:1"], [" ".join(["1:1"] * 2001)]])
    def test_a_form_that_names_nothing_readable_is_a_plain_400(self, gate: Gate, values) -> None:
        for name in ("approvals-preview", "approvals-decide"):
            form = {"shown": values, "answer": "approve"}
            assert as_user(gate.approver).post(reverse(name), form).status_code == 400


class TestWaysAround:
    """Each by page; the same by service, REST and SQL stands in other tests."""

    def test_who_is_no_approver_approves_nothing(self, gate: Gate) -> None:
        people = [gate.scientist, gate.operator, a_member(gate.campaign, "admin"), a_member(gate.campaign, "reviewer")]
        for person in people:
            assert decide(person, "approve", *gate.waiting).status_code == 403, person
        assert decide(a_user("stranger"), "approve", *gate.waiting).status_code == 404
        assert states(gate) == ["PROPOSED", "PROPOSED"]

    def test_the_proposer_may_not_approve_his_own_even_as_approver(self, gate: Gate) -> None:
        Membership.objects.create(campaign=gate.campaign, user=gate.scientist, roles=["approver"])
        answer = decide(gate.scientist, "approve", *gate.waiting)
        assert (answer.status_code, "proposed it may not approve" in text(answer).lower()) == (409, True)
        assert Job.objects.filter(kind="calculate").count() == 0

    def test_without_the_token_of_the_form_nothing_is_taken(self, gate: Gate) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(gate.approver)
        pk, one = gate.campaign.pk, gate.waiting[0].pk
        addresses = [
            *(reverse(name) for name in ("approvals-preview", "approvals-decide", "approvals-undo")),
            *(reverse(name, args=[pk]) for name in ("campaign-grant", "campaign-policy")),
            *(reverse(name, args=[one]) for name in ("dft-change", "dft-retry", "dft-withdraw", "dft-upload")),
            reverse("dft-request-comment", args=[gate.request.pk]),
        ]
        form = {"shown": shown(*gate.waiting), "answer": "approve", "core_hours": "5", "reason": "x", "text": "x"}
        assert {address: client.post(address, form).status_code for address in addresses} == dict.fromkeys(
            addresses, 403
        )

    def test_no_decision_is_made_by_a_link(self, gate: Gate) -> None:
        client = as_user(gate.approver)
        for name in ("approvals-preview", "approvals-decide", "approvals-undo"):
            asked = f"{reverse(name)}?answer=approve&shown={shown(gate.waiting[0])[0]}"
            assert client.get(asked).status_code == 405, name

    def test_a_retry_and_an_upload_open_nothing_without_an_approval(self, gate: Gate) -> None:
        one = a_vasp_request(gate)
        client = as_user(gate.operator)
        assert client.post(reverse("dft-retry", args=[one.pk])).status_code == 409
        upload = client.post(reverse("dft-upload", args=[one.pk]), {"file": a_file()})
        assert (upload.status_code, DftFile.objects.count()) == (409, 0)

    def test_an_approver_alone_changes_and_retries_nothing(self, gate: Gate) -> None:
        one, client = gate.waiting[0], as_user(gate.approver)
        change = {"version": 1, "reason": "", **settings_of(one), "cutoff": "350"}
        assert client.post(reverse("dft-change", args=[one.pk]), change).status_code == 403
        assert client.post(reverse("dft-retry", args=[one.pk])).status_code == 403

    def test_core_hours_and_policy_need_their_roles(self, gate: Gate) -> None:
        pk = gate.campaign.pk
        grant, policy = reverse("campaign-grant", args=[pk]), reverse("campaign-policy", args=[pk])
        for person in (gate.scientist, gate.operator):
            assert as_user(person).post(grant, {"core_hours": "5"}).status_code == 403
        for person in (gate.approver, gate.operator):
            assert as_user(person).post(policy, {"allowed": "on", "reason": "please"}).status_code == 403
        assert (BudgetGrant.objects.count(), GatePolicy.objects.count()) == (1, 0)
        revoke = reverse("campaign-revoke", args=[pk, BudgetGrant.objects.get().pk])
        assert as_user(gate.scientist).post(revoke).status_code == 403

    def test_a_grant_of_another_campaign_is_not_there(self, gate: Gate) -> None:
        other = a_gate_beside(gate)
        foreign = reverse("campaign-revoke", args=[gate.campaign.pk, other.pk])
        assert as_user(gate.approver).post(foreign).status_code == 404


def a_gate_beside(gate: Gate) -> BudgetGrant:
    campaign = a_campaign(gate.scientist, "other")
    return budget_grant(
        campaign=campaign, core_hours=1.0, user=a_member(campaign, "approver", name="stranger-approver")
    )
