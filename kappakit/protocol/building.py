"""A protocol from plain data: every problem is told at once."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, get_type_hints

from kappakit.errors import InputError
from kappakit.protocol.facts import FieldFacts


class ProtocolError(InputError):
    """`problems`: field path ('relax.max_steps') → what is wrong."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("; ".join(f"{path}: {problem}" for path, problem in problems.items()))
        self.problems = problems


def build(default: Any, data: Any, path: str, problems: dict[str, str]) -> Any:
    if not isinstance(data, dict):
        problems[path.rstrip(".") or "protocol"] = "is not a set of fields"
        return default
    known = {f.name: f for f in fields(default)}
    for name in data.keys() - known.keys():
        problems[f"{path}{name}"] = "is not a field of the protocol"
    changes: dict[str, Any] = {}
    for name in data.keys() & known.keys():
        current = getattr(default, name)
        if is_dataclass(current):
            changes[name] = build(current, data[name], f"{path}{name}.", problems)
            continue
        problem, value = _checked(data[name], get_type_hints(type(default))[name], known[name].metadata["facts"])
        if problem:
            problems[f"{path}{name}"] = problem
        else:
            changes[name] = value
    return replace(default, **changes)


def _checked(value: Any, kind: type, facts: FieldFacts) -> tuple[str, Any]:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if kind is int and isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        return f"must be of type {kind.__name__}", None
    if isinstance(value, float) and value != value:
        return "is not a number", None
    if facts.choices and value not in facts.choices:
        return f"must be one of {', '.join(facts.choices)}", None
    return _range_problem(value, facts), value


def _range_problem(value: Any, facts: FieldFacts) -> str:
    unit = f" {facts.unit}" if facts.unit else ""
    if facts.low is not None and value < facts.low:
        return f"must be at least {facts.low:,.12g}{unit}"
    if facts.high is not None and value > facts.high:
        return f"must be at most {facts.high:,.12g}{unit}"
    return ""
