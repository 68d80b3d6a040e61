"""What most tests of the gate begin from."""

from __future__ import annotations

import pytest

from tests.apps.gate import Gate, a_gate


@pytest.fixture
def gate(db: None) -> Gate:
    return a_gate()
