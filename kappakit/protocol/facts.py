"""What a form and a check need to know of each number of the protocol."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

PAPER = "paper"
OURS = "ours"


@dataclass(frozen=True)
class FieldFacts:
    """What a form and a check need to know of a field."""

    unit: str
    help: str
    origin: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()


def setting(
    default: Any,
    help: str,
    *,
    unit: str = "",
    origin: str = OURS,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    return field(default=default, metadata={"facts": FieldFacts(unit, help, origin, low, high, choices)})


def field_facts(settings: Any, name: str) -> FieldFacts:
    """Unit, help, origin and range of one field of a settings class or instance."""
    (found,) = [f for f in fields(settings) if f.name == name]
    return found.metadata["facts"]
