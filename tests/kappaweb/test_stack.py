"""The whole stack on one machine, started and stopped for real."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from kappaweb.embedded import ports, postgres, stack
from kappaweb.embedded.places import LONGEST_SOCKET, SOCKET_NAME, Places
from kappaweb.embedded.supervision import StackError


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Places]:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "kappaweb.settings.base")
    found = Places(tmp_path / "home")
    yield found
    stack.stop(found)
    postgres.remove(found)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_the_stack_starts_serves_and_stops(places: Places):
    address = stack.start(places)
    assert status_of(f"{address}login/") == 200
    assert stack.start(places) == stack.address(places) == address
    assert {process.state for process in stack.status(places)} <= {"RUNNING", "STARTING"}
    link = stack.login_link(places, "admin")
    assert link.startswith(address)
    assert status_of(link) in (200, 302)
    assert status_of(link) == 403
    stack.stop(places)
    assert not stack.is_running(places)
    assert stack.address(places) == ""
    assert stack.status(places) == []


def test_a_port_that_was_asked_for_and_is_taken_is_refused(taken: int):
    with pytest.raises(StackError, match=f"Port {taken} is in use"):
        ports.choose(taken)


def test_without_a_wish_the_next_free_port_is_taken(monkeypatch: pytest.MonkeyPatch, taken: int):
    monkeypatch.setattr(ports, "FIRST", taken)
    monkeypatch.setattr(ports, "LAST", taken + 20)
    assert taken < ports.choose(None) <= taken + 20


def test_a_long_path_still_gets_a_socket_that_fits():
    places = Places(Path("/tmp") / ("x" * 200))
    assert len(str(places.socket / SOCKET_NAME)) < LONGEST_SOCKET
