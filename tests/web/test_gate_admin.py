"""The admin looks at the gate and opens nothing."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from apps.dft.models import (
    Approval,
    DftRequest,
)
from tests.apps.gate import Gate
from tests.apps.rows import a_user
from tests.web.gate import (
    approved,
    as_user,
    states,
    text,
)

pytestmark = pytest.mark.django_db


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
