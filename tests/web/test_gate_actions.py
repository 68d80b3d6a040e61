"""What people do about DFT beside deciding: comments, settings, uploads, core-hours."""

from __future__ import annotations

import io
import zipfile

import pytest
from django.urls import reverse

from apps.campaigns.models import Membership
from apps.dft.models import (
    BudgetGrant,
    Decision,
    DftCalculation,
    DftComment,
    DftFile,
)
from apps.dft.selectors import budget_of
from apps.jobs.models import Job
from tests.apps.gate import Gate
from tests.apps.rows import a_member
from tests.web.gate import (
    a_file,
    a_vasp_request,
    approved,
    as_user,
    decide,
    ended,
    settings_of,
    states,
    text,
)

pytestmark = pytest.mark.django_db


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
