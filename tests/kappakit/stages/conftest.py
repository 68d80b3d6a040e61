"""Engines for stages that ask for nothing but progress."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from kappakit.engines.search.generator import SearchGenerator
from kappakit.ports import GeneratorRef, SilentProgress


@dataclass
class QuietEngines:
    """Progress and the random symmetric search; no potential."""

    progress: SilentProgress = field(default_factory=SilentProgress)

    def potential(self, ref: Any) -> Any:
        raise LookupError(f"no potential {ref} here")

    def generator(self, ref: GeneratorRef) -> SearchGenerator:
        return {"search": SearchGenerator()}[ref.engine]

    def trainer(self, engine: str) -> Any:
        raise LookupError(f"no trainer {engine} here")


@pytest.fixture
def engines() -> QuietEngines:
    return QuietEngines()
