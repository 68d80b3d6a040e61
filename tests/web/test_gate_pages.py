"""The gate's pages: who sees what, who decides what, and every way around it by page, refused."""

from __future__ import annotations

import io
import zipfile
from dataclasses import asdict

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.campaigns.models import Membership
from apps.dft.models import (
    Approval,
    BudgetGrant,
    Decision,
    DftCalculation,
    DftComment,
    DftFile,
    DftRequest,
    GatePolicy,
)
from apps.dft.selectors import budget_of, jobs_of
from apps.dft.services import Asked, budget_grant, calculation_decide, calculation_ended, request_propose
from apps.jobs.models import Attempt, Job, Outcome
from apps.jobs.services import claim
from kappakit.dft import DftTask, method_digest
from kappakit.ports import DftResult
from kappakit.protocol import DftRunSettings
from kappakit.stages.contracts import CalculateOutputs
from tests.apps.gate import Gate, a_gate, a_request, a_task
from tests.apps.rows import a_campaign, a_member, a_user

pytestmark = pytest.mark.django_db
MOST_QUERIES = 15


@pytest.fixture
def gate(db: None) -> Gate:
    return a_gate()


def as_user(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def shown(*calculations: DftCalculation) -> list[str]:
    return [f"{row.pk}:{row.version}" for row in calculations]


def decide(user, answer: str, *calculations: DftCalculation, reason: str = ""):
    form = {"shown": shown(*calculations), "answer": answer, "reason": reason}
    return as_user(user).post(reverse("approvals-decide"), form)


def text(response) -> str:
    return response.content.decode()


def states(gate: Gate) -> list[str]:
    return [row.state for row in gate.waiting]


def a_vasp_request(gate: Gate) -> DftCalculation:
    asked = Asked("label", "labels/0/9", "Labels by VASP", "What the committee learns.")
    made = request_propose(
        campaign=gate.campaign, asked=asked, tasks=[("rattle 1", a_task(engine="vasp"))], run=DftRunSettings(),
        proposed_by=gate.scientist,
    )  # fmt: skip
    return made.calculations.get()


def approved(gate: Gate, calculation: DftCalculation) -> DftCalculation:
    return calculation_decide(
        calculation=calculation, version=calculation.version, answer="approve", user=gate.approver
    )


def a_result(calculation: DftCalculation, **facts) -> DftResult:
    task = DftTask.from_text(calculation.inputs)
    method = {"engine": calculation.engine, "functional": "optB88-vdW", "spin": False}
    values = {
        "crystal": task.crystal, "energy": -18.2, "energy_sigma0": -18.21, "stress": None, "k_mesh": (3, 3, 3),
        "forces": [[0.0, 0.0, 0.3], [0.0, 0.0, -0.3]], "method": method, "method_sha256": method_digest(method),
        "version": "gpaw 26.7", "iterations": 17,
    } | facts  # fmt: skip
    arrays = {name: np.array(values[name]) for name in ("forces", "stress") if values[name] is not None}
    return DftResult(**(values | arrays))


def ended(calculation: DftCalculation, result: DftResult | None, failure: str = "") -> DftCalculation:
    job, _ = claim(queue="heavy", owner="o", host="here", lease_s=60)
    assert job == jobs_of(calculation).last()
    Job.objects.filter(pk=job.pk).update(state="DONE", lease_owner="", lease_until=None)
    Attempt.objects.filter(job=job).update(outcome=Outcome.DONE)
    message = "" if result else "The density did not converge."
    outputs = CalculateOutputs(result=result, failure=failure, message=message, seconds=30.0, cores=1)
    job.refresh_from_db()
    return calculation_ended(job=job, outputs=outputs, files={})


def pages(gate: Gate) -> dict[str, str]:
    one = gate.waiting[0].pk
    return {
        "campaign-dft": reverse("campaign-dft", args=[gate.campaign.pk]),
        "campaign-ledger": reverse("campaign-ledger", args=[gate.campaign.pk]),
        "dft-request": reverse("dft-request", args=[gate.request.pk]),
        "dft-request-place": reverse("dft-request-place", args=[gate.request.pk]),
        "dft-calculation": reverse("dft-calculation", args=[one]),
        "dft-change": reverse("dft-change", args=[one]),
    }


OWN = ("approvals", "my-requests")


class TestPages:
    def test_every_role_sees_every_page_in_few_queries(self, gate: Gate) -> None:
        people = [gate.scientist, gate.approver, gate.operator]
        people += [a_member(gate.campaign, role) for role in ("viewer", "reviewer", "curator")]
        told = {}
        for person in people:
            client = as_user(person)
            for name, address in {**pages(gate), **{name: reverse(name) for name in OWN}}.items():
                with CaptureQueriesContext(connection) as asked:
                    assert client.get(address).status_code == 200, (person, name)
                told[f"{name} for {person}"] = len(asked)
        assert {name: count for name, count in told.items() if count > MOST_QUERIES} == {}

    def test_a_stranger_learns_nothing_and_who_is_not_signed_in_is_asked_to(self, gate: Gate) -> None:
        stranger = as_user(a_user("stranger"))
        assert {name: stranger.get(address).status_code for name, address in pages(gate).items()} == dict.fromkeys(
            pages(gate), 404
        )
        assert "Nothing waits for you" in text(stranger.get(reverse("approvals")))
        for address in [*pages(gate).values(), *(reverse(name) for name in OWN)]:
            assert Client().get(address)["Location"].startswith("/login/")

    def test_the_approver_sees_what_waits_what_it_costs_and_how_many_in_the_frame(self, gate: Gate) -> None:
        page = text(as_user(gate.approver).get(reverse("approvals")))
        assert "no history" in page
        assert 'value="' + " ".join(shown(*gate.waiting)) + '"' in page
        assert '2<span class="visually-hidden"> wait for you' in page
        assert "Nothing waits for you" in text(as_user(gate.scientist).get(reverse("approvals")))

    def test_many_requests_cost_no_more_queries(self, gate: Gate) -> None:
        for number in range(6):
            a_request(gate.campaign, gate.scientist, key=f"labels/1/{number}")
        client = as_user(gate.approver)
        with CaptureQueriesContext(connection) as asked:
            client.get(reverse("approvals"))
        assert len(asked) <= MOST_QUERIES, [q["sql"][:150] for q in asked]

    def test_my_requests_say_who_decided_when_and_why(self, gate: Gate) -> None:
        decide(gate.approver, "deny", gate.waiting[0], reason="The cell is too skewed.")
        page = text(as_user(gate.scientist).get(reverse("my-requests")))
        assert "1 denied" in page
        assert "1 waiting" in page
        assert "The cell is too skewed." in page
        assert ">approver</td>" in page
        assert "You proposed nothing yet" in text(as_user(gate.operator).get(reverse("my-requests")))

    def test_the_card_shows_inputs_digest_and_what_it_would_decide(self, gate: Gate) -> None:
        page = text(as_user(gate.approver).get(reverse("dft-request", args=[gate.request.pk])))
        assert gate.waiting[0].inputs_sha256 in page
        assert "What the committee learns." in page
        assert "K spacing (1/Å)" in page
        assert "Approve the chosen" in page
        other = text(as_user(gate.scientist).get(reverse("dft-request", args=[gate.request.pk])))
        assert "Approve the chosen" not in other
        assert "takes the role approver" in other

    def test_the_card_shows_the_calculation_that_is_asked_for(self, gate: Gate) -> None:
        second = gate.waiting[1]
        address = reverse("dft-request", args=[gate.request.pk]) + f"?calculation={second.pk}"
        assert f"sha256 {second.inputs_sha256}" in text(as_user(gate.approver).get(address))

    def test_a_result_is_shown_per_atom_with_its_method(self, gate: Gate) -> None:
        done = ended(approved(gate, gate.waiting[0]), a_result(gate.waiting[0]))
        assert done.state == Decision.DONE
        page = text(as_user(gate.approver).get(reverse("dft-calculation", args=[done.pk])))
        assert "−9.100000" in page  # eV/atom: −18.2 eV over 2 atoms
        assert "0.3000" in page
        assert done.outcome.method_sha256 in page

    def test_a_failure_is_shown_with_its_class_and_the_changed_run_settings(self, gate: Gate) -> None:
        one = ended(approved(gate, gate.waiting[0]), None, "not_converged")
        assert one.state == Decision.APPROVED
        page = text(as_user(gate.approver).get(reverse("dft-calculation", args=[one.pk])))
        assert "not converged" in page
        assert "mixing 0.025" in page  # half of 0.05 for the next attempt
        assert "mixing 0.05" in page

    def test_a_surrogate_says_so_wherever_it_stands(self, gate: Gate) -> None:
        asked = Asked("label", "labels/0/5", "Trial", "")
        made = request_propose(
            campaign=gate.campaign, asked=asked, tasks=[("rattle 1", a_task(engine="surrogate"))],
            run=DftRunSettings(), proposed_by=gate.scientist,
        )  # fmt: skip
        client = as_user(gate.approver)
        for name, pk in {
            "campaign-dft": gate.campaign.pk, "dft-request": made.pk, "dft-calculation": made.calculations.get().pk,
        }.items():  # fmt: skip
            assert "no DFT" in text(client.get(reverse(name, args=[pk]))), name
        assert "no DFT" in text(client.get(reverse("approvals")))


class TestDecisions:
    def test_a_preview_decides_nothing_and_counts(self, gate: Gate) -> None:
        form = {"shown": " ".join(shown(*gate.waiting)), "answer": "approve"}
        page = text(as_user(gate.approver).post(reverse("approvals-preview"), form))
        assert "Approve 2 calculations?" in page
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


def settings_of(calculation: DftCalculation) -> dict[str, str]:
    """What the change form is filled with."""
    values = asdict(DftTask.from_text(calculation.inputs).settings)
    names = ("functional", "cutoff", "k_spacing", "smearing", "smearing_width", "energy_tolerance")
    return {name: str(values[name]) for name in names}


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


def a_file() -> SimpleUploadedFile:
    return SimpleUploadedFile("vasprun.xml", b"<modeling/>", content_type="application/xml")


class TestActions:
    def test_a_comment_is_stored_by_whoever_sees_it(self, gate: Gate) -> None:
        address = reverse("dft-request-comment", args=[gate.request.pk])
        viewer = a_member(gate.campaign, "viewer")
        assert as_user(viewer).post(address, {"text": "Why so many?"}).status_code == 302
        assert DftComment.objects.get().author == viewer
        assert "Why so many?" in text(as_user(gate.approver).get(reverse("dft-request", args=[gate.request.pk])))
        assert as_user(viewer).post(address, {"text": " "}).status_code == 400

    def test_other_settings_of_an_approved_one_are_another_proposal(self, gate: Gate) -> None:
        one = approved(gate, gate.waiting[0])
        client = as_user(gate.operator)
        change = {"version": 1, "reason": "finer", **settings_of(one), "k_spacing": "0.5"}
        answer = client.post(reverse("dft-change", args=[one.pk]), change)
        made = DftCalculation.objects.get(replaces=one)
        assert answer["Location"] == reverse("dft-calculation", args=[made.pk])
        one.refresh_from_db()
        assert (one.state, made.state, made.proposed_by) == ("VOIDED", "PROPOSED", gate.operator)
        assert f'replaced by <a href="{reverse("dft-calculation", args=[made.pk])}"' in text(
            client.get(reverse("dft-calculation", args=[one.pk]))
        )

    def test_settings_that_cannot_be_stand_beside_their_field_and_nothing_changes(self, gate: Gate) -> None:
        one, client = gate.waiting[0], as_user(gate.operator)
        change = {"version": 1, "reason": "", **settings_of(one)}
        refused = client.post(reverse("dft-change", args=[one.pk]), change | {"cutoff": "5"})
        assert (refused.status_code, "is-invalid" in text(refused)) == (422, True)
        same = client.post(reverse("dft-change", args=[one.pk]), change)
        assert (same.status_code, "Nothing differs" in text(same)) == (422, True)
        assert gate.waiting[0].version == 1

    def test_a_withdrawal_needs_a_reason_and_frees_what_was_reserved(self, gate: Gate) -> None:
        one, client = approved(gate, gate.waiting[0]), as_user(gate.operator)
        address = reverse("dft-withdraw", args=[one.pk])
        assert client.post(address, {"reason": ""}).status_code == 400
        assert client.post(address, {"reason": "Not needed."}).status_code == 302
        assert states(gate)[0] == "VOIDED"
        assert budget_of(gate.campaign).left == pytest.approx(100.0)

    def test_a_failed_one_is_tried_again_under_its_approval(self, gate: Gate) -> None:
        failed = ended(approved(gate, gate.waiting[0]), None, "input")
        assert failed.state == Decision.FAILED
        client = as_user(gate.operator)
        assert "Try again" in text(client.get(reverse("dft-calculation", args=[failed.pk])))
        assert client.post(reverse("dft-retry", args=[failed.pk])).status_code == 302
        assert states(gate)[0] == "APPROVED"

    def test_vasp_s_inputs_are_a_zip_and_a_result_is_taken_for_an_approved_one(self, gate: Gate) -> None:
        one = a_vasp_request(gate)
        client = as_user(gate.operator)
        answer = client.get(reverse("dft-inputs", args=[one.pk]))
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert {"INCAR", "POSCAR", "POTCAR.spec", "inputs.json"} <= set(archive.namelist())
            assert archive.read("inputs.json").decode() == one.inputs
        approved(gate, one)
        page = text(client.get(reverse("dft-calculation", args=[one.pk])))
        assert "Upload vasprun.xml" in page
        assert "ENCUT" in page
        assert client.post(reverse("dft-upload", args=[one.pk]), {"file": a_file()}).status_code == 302
        assert Job.objects.filter(kind="check_upload").count() == 1
        stored = DftFile.objects.get()
        file = client.get(reverse("dft-file", args=[one.pk, stored.pk]))
        assert b"".join(file) == b"<modeling/>"
        assert client.get(reverse("dft-file", args=[gate.waiting[0].pk, stored.pk])).status_code == 404
        assert client.post(reverse("dft-upload", args=[one.pk])).status_code == 400

    def test_what_an_upload_differs_in_is_shown(self, gate: Gate) -> None:
        one = a_vasp_request(gate)
        approved(gate, one)
        DftCalculation.objects.filter(pk=one.pk).update(message="Upload refused:\nENCUT: 400 eV, asked 600 eV")
        page = text(as_user(gate.operator).get(reverse("dft-calculation", args=[one.pk])))
        assert "Upload refused:<br>ENCUT: 400 eV, asked 600 eV" in page

    def test_core_hours_are_granted_seen_in_the_ledger_and_taken_back(self, gate: Gate) -> None:
        client, pk = as_user(gate.approver), gate.campaign.pk
        address = reverse("campaign-grant", args=[pk])
        for wrong in ("", "-1", "0", "nan", "1e12", "many"):
            assert client.post(address, {"core_hours": wrong}).status_code == 400, wrong
        assert client.post(address, {"core_hours": "12.5", "automatic": "on", "reason": "go"}).status_code == 302
        grant = BudgetGrant.objects.latest("id")
        assert (grant.core_hours, grant.automatic) == (12.5, True)
        page = text(client.get(reverse("campaign-dft", args=[pk])))
        assert "labels spend it by themselves" in page
        assert "+12.5" in page
        client.post(reverse("campaign-revoke", args=[pk, grant.pk]))
        assert budget_of(gate.campaign).left == pytest.approx(100.0)

    def test_an_admin_lets_proposers_approve_their_own_with_a_reason(self, gate: Gate) -> None:
        client, address = as_user(gate.scientist), reverse("campaign-policy", args=[gate.campaign.pk])
        assert client.post(address, {"allowed": "on", "reason": " "}).status_code == 400
        assert client.post(address, {"allowed": "on", "reason": "I am alone."}).status_code == 302
        assert "I am alone." in text(client.get(reverse("campaign-dft", args=[gate.campaign.pk])))
        Membership.objects.create(campaign=gate.campaign, user=gate.scientist, roles=["approver"])
        assert decide(gate.scientist, "approve", gate.waiting[0]).status_code == 302


MODELS = ("dftrequest", "dftcalculation", "approval", "budgetgrant", "budgetentry", "gatepolicy", "dftoutcome",
          "dftfile", "dftcomment")  # fmt: skip


class TestAdmin:
    """Even a superuser finds no way through the admin."""

    @pytest.fixture
    def desk(self, gate: Gate) -> Client:
        return as_user(a_user("root", is_superuser=True, is_staff=True))

    def test_everything_is_looked_at(self, gate: Gate, desk: Client) -> None:
        approved(gate, gate.waiting[0])
        lists = {name: desk.get(reverse(f"admin:dft_{name}_changelist")).status_code for name in MODELS}
        assert lists == dict.fromkeys(MODELS, 200)
        one = desk.get(reverse("admin:dft_dftcalculation_change", args=[gate.waiting[1].pk]))
        assert one.status_code == 200
        assert 'name="_save"' not in text(one)

    def test_nothing_is_added_changed_or_deleted_by_a_crafted_post(self, gate: Gate, desk: Client) -> None:
        waiting = gate.waiting[0]
        adds = {name: desk.post(reverse(f"admin:dft_{name}_add"), {}).status_code for name in MODELS}
        assert adds == dict.fromkeys(MODELS, 403)
        change = reverse("admin:dft_dftcalculation_change", args=[waiting.pk])
        assert desk.post(change, {"state": "APPROVED", "inputs": "{}"}).status_code == 403
        delete = reverse("admin:dft_dftcalculation_delete", args=[waiting.pk])
        assert desk.post(delete, {"post": "yes"}).status_code == 403
        bulk = {"action": "delete_selected", "_selected_action": [waiting.pk], "post": "yes"}
        desk.post(reverse("admin:dft_dftcalculation_changelist"), bulk)
        assert DftRequest.objects.count() == 1
        assert states(gate) == ["PROPOSED", "PROPOSED"]
        assert Approval.objects.count() == 0
