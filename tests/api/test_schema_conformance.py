"""Whatever a program sends, valid or not: no 500, only statuses and bodies that the schema names."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from knox.models import AuthToken
from rest_framework.settings import api_settings
from rest_framework.throttling import SimpleRateThrottle
from schemathesis import APIOperation, GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.core.failures import FailureGroup

from kappaweb.wsgi import application
from tests.api import rows, world
from tests.apps.rows import may_create

CHECKED = [
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "negative_data_rejection",
]  # fmt: skip
QUICK = settings(
    max_examples=4,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def rest(db, monkeypatch):
    """The schema of the running application, and a world whose owner asks."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", dict.fromkeys(api_settings.DEFAULT_THROTTLE_RATES))
    yield schemathesis.openapi.from_wsgi("/api/v1/schema/", application)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def ada_owns(db):
    """Ids of rows that exist, and a token of a person who may do everything with them."""
    ada = rows.user("ada")
    may_create(ada)
    there = world.build(ada)
    return {
        "campaign": there.campaign.pk, "candidate": there.candidate.pk, "row": there.list.pk, "job": there.job.pk,
        "export": there.export.pk, "plan": there.plan.pk, "structure": there.candidate.relaxed_id,
        "tensor": there.tensor.pk, "model": there.model.pk, "dft_request": there.dft_request.pk,
        "study": there.study.pk,
        "calculation": there.dft_request.calculations.first().pk, "sha256": there.files["fc3"].sha256,
    }, AuthToken.objects.create(ada)[1]  # fmt: skip


def failures(operation: APIOperation, mode: GenerationMode, ids: dict[str, Any], token: str) -> list[str]:
    """What one operation did that its schema does not promise."""
    found: list[str] = []

    @QUICK
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        if mode == GenerationMode.POSITIVE:
            case.path_parameters = {name: ids.get(name, value) for name, value in case.path_parameters.items()}
        answer = case.call(headers={"Authorization": f"Bearer {token}"})
        try:
            case.validate_response(answer, checks=CHECKS.get_by_names(CHECKED))
        except FailureGroup as group:
            found.extend(f"{operation.label}: {failure}"[:1500] for failure in group.exceptions)

    ask()
    return found[:1]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_operation_keeps_its_promise(rest, ada_owns, mode):
    operations = [result.ok() for result in rest.get_all_operations()]
    assert len(operations) > 40
    found = [problem for operation in operations for problem in failures(operation, mode, *ada_owns)]
    assert not found, "\n\n".join(found)
