"""The gate's pages: who sees what, in few queries."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.dft.models import (
    Decision,
)
from apps.dft.services import Asked, request_propose
from kappakit.protocol import DftRunSettings
from tests.apps.gate import Gate, a_request, a_task
from tests.apps.rows import a_member, a_user
from tests.web.gate import (
    a_result,
    approved,
    as_user,
    decide,
    ended,
    shown,
    text,
)

pytestmark = pytest.mark.django_db
MOST_QUERIES = 15


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
        assert "-point spacing (1/Å)" in page
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
