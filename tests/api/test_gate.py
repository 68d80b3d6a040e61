"""The gate over REST: the same rules by the same services, and no address that sets a state."""

from __future__ import annotations

import hashlib

import pytest
from django.urls import reverse
from knox.models import AuthToken
from rest_framework.test import APIClient

from apps.dft.models import Approval, Decision
from apps.dft.selectors import budget_of
from apps.dft.services import calculation_decide
from apps.jobs.models import Job
from tests.apps.gate import Gate, a_gate, a_request
from tests.apps.rows import a_user

pytestmark = pytest.mark.django_db
DECIDE = "/api/v1/dft-calculations/decide/"


@pytest.fixture
def gate(db: None) -> Gate:
    return a_gate()


def program(user) -> APIClient:
    """A client with the user's token."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {AuthToken.objects.create(user)[1]}")
    return client


def decide(user, answer: str, *calculations, **more):
    body = {"shown": [[row.pk, row.version] for row in calculations], "answer": answer} | more
    return program(user).post(DECIDE, body, format="json")


def told(response) -> tuple[int, str]:
    return response.status_code, response.json().get("code", "")


def states(gate: Gate) -> list[str]:
    return [row.state for row in gate.waiting]


def test_an_approver_s_program_approves_what_it_was_shown(gate: Gate) -> None:
    answer = decide(gate.approver, "approve", *gate.waiting, reason="By the nightly rule.")
    assert answer.status_code == 200
    assert {row["state"] for row in answer.json()["results"]} == {"APPROVED"}
    assert answer.json()["units"]["results.estimate"] == "core-hours"
    assert Job.objects.filter(kind="calculate").count() == 2


def test_the_proposer_s_token_and_other_roles_are_refused(gate: Gate) -> None:
    assert told(decide(gate.scientist, "approve", *gate.waiting)) == (403, "not_allowed")
    assert told(decide(gate.operator, "approve", *gate.waiting)) == (403, "not_allowed")
    assert told(decide(a_user("eve"), "approve", *gate.waiting)) == (404, "not_found")
    assert APIClient().post(DECIDE, {}, format="json").status_code == 401
    assert states(gate) == ["PROPOSED", "PROPOSED"]


def test_the_proposer_s_token_is_refused_even_with_the_role(gate: Gate) -> None:
    gate.campaign.memberships.create(user=gate.scientist, roles=["approver"])
    assert told(decide(gate.scientist, "approve", *gate.waiting)) == (409, "gate_refused")
    assert Job.objects.filter(kind="calculate").count() == 0


def test_the_second_program_is_told_who_decided(gate: Gate) -> None:
    one = gate.waiting[0]
    calculation_decide(calculation=one, version=1, answer="approve", user=gate.approver)
    answer = decide(gate.approver, "approve", *gate.waiting)
    assert told(answer) == (409, "already_decided")
    assert answer.json()["detail"].startswith("Approved by approver at")
    assert states(gate)[1] == "PROPOSED"


def test_another_version_than_the_one_shown_is_refused(gate: Gate) -> None:
    body = {"shown": [[gate.waiting[0].pk, 2]], "answer": "approve"}
    assert told(program(gate.approver).post(DECIDE, body, format="json")) == (409, "already_decided")


def test_a_denial_needs_a_reason_and_is_final(gate: Gate) -> None:
    one = gate.waiting[0]
    assert told(decide(gate.approver, "deny", one)) == (400, "reason_missing")
    assert decide(gate.approver, "deny", one, reason="Too skewed.").status_code == 200
    again = a_request(gate.campaign, gate.scientist, key="labels/0/1")
    assert told(decide(gate.approver, "approve", again.calculations.get(order=0))) == (409, "gate_refused")


def test_the_budget_closes_the_gate(db: None) -> None:
    gate = a_gate(core_hours=0)
    assert told(decide(gate.approver, "approve", *gate.waiting)) == (409, "budget_spent")


@pytest.mark.parametrize(
    "body",
    [{}, {"shown": []}, {"shown": [[1]], "answer": "approve"}, {"shown": [[0, 1]], "answer": "approve"},
     {"shown": [[1, 1]], "answer": "APPROVED"}, {"shown": [[1, 1]], "answer": "approve", "state": "APPROVED"}],
)  # fmt: skip
def test_a_body_that_says_something_else_is_a_400(gate: Gate, body) -> None:
    assert program(gate.approver).post(DECIDE, body, format="json").status_code == 400


def test_no_address_sets_a_state_inputs_or_core_hours(gate: Gate) -> None:
    one, pk = gate.waiting[0], gate.campaign.pk
    addresses = [
        reverse("api-dft-calculation", args=[one.pk]),
        reverse("api-dft-request", args=[gate.request.pk]),
        reverse("api-dft-requests", args=[pk]),
        reverse("api-dft-budget", args=[pk]),
        reverse("api-dft-ledger", args=[pk]),
    ]
    crafted = {"state": "APPROVED", "inputs": "{}", "proposed_by": "operator", "core_hours": 9.0, "left": 9.0}
    for person in (gate.scientist, gate.approver, a_user("root", is_superuser=True)):
        client = program(person)
        for address in addresses:
            for method in ("post", "put", "patch", "delete"):
                answer = getattr(client, method)(address, crafted, format="json")
                assert told(answer) == (405, "method_not_allowed"), (person, method, address)
    for method in ("get", "put", "patch", "delete"):
        assert getattr(program(gate.approver), method)(DECIDE).status_code == 405
    assert states(gate) == ["PROPOSED", "PROPOSED"]
    assert (Approval.objects.count(), Job.objects.filter(kind="calculate").count()) == (0, 0)
    assert budget_of(gate.campaign).left == pytest.approx(100.0)


def test_retrying_a_job_over_rest_does_not_exist(gate: Gate) -> None:
    done = calculation_decide(calculation=gate.waiting[0], version=1, answer="approve", user=gate.approver)
    job = Job.objects.get(kind="calculate")
    client = program(gate.operator)
    assert client.get(f"/api/v1/jobs/{job.pk}/").json()["group"].startswith(f"campaign:{gate.campaign.pk}:dft:")
    assert client.post(f"/api/v1/jobs/{job.pk}/", {"state": "QUEUED"}, format="json").status_code == 405
    assert done.state == Decision.APPROVED


def test_a_request_its_calculations_and_the_budget_are_read_with_units(gate: Gate) -> None:
    client = program(gate.operator)
    (row,) = client.get(f"/api/v1/campaigns/{gate.campaign.pk}/dft-requests/").json()["results"]
    assert (row["proposed"], row["purpose"], row["proposed_by"]) == (2, "label", "scientist")
    whole = client.get(f"/api/v1/dft-requests/{row['id']}/").json()
    assert whole["units"]["calculations.estimate"] == "core-hours"
    assert whole["units"]["uncertainty"] == "meV/atom"
    one = client.get(f"/api/v1/dft-calculations/{whole['calculations'][0]['id']}/").json()
    assert hashlib.sha256(one["inputs"].encode()).hexdigest() == one["inputs_sha256"]
    assert (one["estimate_basis"], one["outcome"]) == ("no history", None)
    budget = client.get(f"/api/v1/campaigns/{gate.campaign.pk}/dft-budget/").json()
    assert (budget["granted"], budget["left"], budget["units"]["left"]) == (100.0, 100.0, "core-hours")
    (entry,) = client.get(f"/api/v1/campaigns/{gate.campaign.pk}/dft-ledger/").json()["results"]
    assert (entry["kind"], entry["core_hours"]) == ("grant", 100.0)


def test_requests_are_read_page_by_page(gate: Gate) -> None:
    for number in range(4):
        a_request(gate.campaign, gate.scientist, key=f"labels/1/{number}", count=1)
    client, address, seen = (
        program(gate.approver),
        f"/api/v1/campaigns/{gate.campaign.pk}/dft-requests/?page_size=2",
        [],
    )
    while address:
        page = client.get(address).json()
        seen += [row["id"] for row in page["results"]]
        address = page["next"]
    assert len(seen) == len(set(seen)) == 5
