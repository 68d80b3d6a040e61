"""Refusals are problems with a code, nothing unknown passes, what is unexpected tells nothing inside."""

from __future__ import annotations

import json

import pytest
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from rest_framework.exceptions import ErrorDetail
from rest_framework.test import APIClient

from apps.api.errors import flat, problem
from apps.core.errors import ApplicationError, Conflict
from kappakit.errors import InputError
from kappakit.protocol import Protocol, ProtocolError

TOKENS = "/api/v1/tokens/"
SHAPE = {"type", "title", "status", "code", "detail", "errors", "request_id"}


def body(error: Exception) -> dict:
    return problem(error, {}).data


def test_an_application_error_keeps_its_code_and_status():
    told = body(Conflict("Somebody was quicker."))
    assert (told["status"], told["code"], told["detail"]) == (409, "conflict", "Somebody was quicker.")
    assert set(told) == SHAPE


def test_a_refused_query_names_its_fields():
    told = body(ApplicationError("kappa_min: Enter a number.", code="invalid_query", detail={"kappa_min": "a number"}))
    assert told["errors"] == [{"field": "kappa_min", "code": "invalid_query", "message": "a number"}]


def test_a_protocol_error_names_every_field():
    with pytest.raises(ProtocolError) as caught:
        Protocol.from_dict({"relax": {"max_steps": -1}, "spin": 1})
    told = body(caught.value)
    assert told["status"] == 400
    assert {e["field"] for e in told["errors"]} == {"protocol.relax.max_steps", "protocol.spin"}


def test_what_kappakit_cannot_use_is_a_400():
    assert body(InputError("No such element."))["code"] == "invalid_input"


def test_an_unexpected_error_is_logged_and_tells_nothing(caplog):
    told = body(RuntimeError("password=secret"))
    assert (told["status"], told["code"]) == (500, "internal_error")
    assert "secret" not in json.dumps(told)
    assert "password=secret" in caplog.text


def test_nested_errors_become_paths():
    detail = {"rows": [{}, {"id": [ErrorDetail("no", code="invalid")]}], "non_field_errors": ["both"]}
    assert [(e.field, e.message) for e in flat(detail)] == [("rows.1.id", "no"), ("", "both")]


@pytest.mark.parametrize("path", ["/api/v1/nowhere/", "/api/", "/api/v1/tokens", "/api/v2/campaigns/"])
def test_no_address_is_a_404_problem(db, path):
    answer = APIClient().get(path)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert set(answer.json()) == SHAPE


def test_an_unknown_query_parameter_is_named(ada_session):
    answer = ada_session.get(TOKENS + "?pagesize=3")
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_parameter")
    assert answer.json()["errors"][0]["field"] == "pagesize"
    assert "page_size" in answer.json()["detail"]


def test_a_write_takes_no_query_parameters(ada_session):
    assert ada_session.post(TOKENS + "?days=3", {}, format="json").status_code == 400


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("sort=colour", "sort"),
        ("page_size=0", "page_size"),
        ("page_size=501", "page_size"),
        ("page_size=٣", "page_size"),
        ("cursor=abc", "cursor"),
        ("sort=%00", "sort"),
    ],
)
def test_a_wrong_page_is_a_400_that_names_the_parameter(ada_session, query, field):
    answer = ada_session.get(f"{TOKENS}?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field


def test_an_unknown_json_key_is_named(ada_session):
    answer = ada_session.post(TOKENS, {"days": 3, "scope": "all"}, format="json")
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["field"], error["code"]) == ("scope", "unknown_key")


@pytest.mark.parametrize(
    "text",
    [
        '{"days": NaN}',
        '{"days": 1e999}',
        '{"days": 99999999999999999999}',
        '{"days": "\\u0000"}',
        '{"\\ud800": 1}',
        "[" * 100_000,
        "not json",
        "[1]",
        '"days"',
        "3",
    ],
)
def test_a_body_that_no_column_can_hold_is_a_400(ada_session, text):
    answer = ada_session.post(TOKENS, text, content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_another_media_type_is_a_415_and_another_answer_a_406(ada_session):
    assert ada_session.post(TOKENS, "days=3", content_type="application/x-www-form-urlencoded").status_code == 415
    refused = ada_session.get(TOKENS, HTTP_ACCEPT="text/html")
    assert (refused.status_code, refused.json()["code"]) == (406, "not_acceptable")


def test_another_method_is_a_405_with_the_ones_that_work(ada_session):
    answer = ada_session.put(TOKENS, {}, format="json")
    assert answer.status_code == 405
    assert "POST" in answer["Allow"]


def test_the_schema_is_valid_and_made_without_a_warning(db, capsys):
    schema = SchemaGenerator().get_schema(request=None, public=True)
    validate_schema(schema)
    assert capsys.readouterr().err == ""
    assert all(path.startswith("/api/v1/") for path in schema["paths"])


def test_the_schema_is_served_as_json_and_yaml(db):
    served = APIClient().get("/api/v1/schema/", HTTP_ACCEPT="application/vnd.oai.openapi+json")
    assert served.json()["openapi"].startswith("3.")
    assert APIClient().get("/api/v1/schema/").status_code == 200


def test_the_docs_page_loads_nothing_from_elsewhere_and_has_no_inline_script(db):
    page = APIClient().get("/api/v1/docs/")
    html = page.content.decode()
    assert page.status_code == 200
    assert "script-src 'self'" in page["Content-Security-Policy"]
    assert "<script>" not in html
    assert "https://" not in html
    script = APIClient().get("/api/v1/docs/?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert "eval(" not in script.content.decode()
