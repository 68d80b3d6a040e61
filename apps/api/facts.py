"""Frozen dataclasses as JSON: a serializer is read off the type hints, units come from one literal table.

So the schema names every field of a dossier, and a field that a dossier gains is served without a second list.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache
from inspect import getdoc
from typing import Any, Union, get_args, get_origin, get_type_hints

from rest_framework import serializers

from apps.api.units import COMPUTED, LEFT_OUT, UNITS

PLAIN: dict[type, type[serializers.Field]] = {
    str: serializers.CharField,
    int: serializers.IntegerField,
    bool: serializers.BooleanField,
    datetime: serializers.DateTimeField,
}


class Quantity(serializers.FloatField):
    """A number with a unit; '1' for a ratio."""

    def __init__(self, unit: str, **kwargs: Any) -> None:
        self.unit = unit
        kwargs.setdefault("help_text", f"unit: {unit}")
        super().__init__(**kwargs)


class WithUnits(serializers.Serializer):
    """Adds `units`: the unit of every number below."""

    units = serializers.SerializerMethodField(help_text="Dotted path → unit; '1' is a ratio.")

    def get_units(self, _: Any) -> dict[str, str]:
        """See units_of."""
        return units_of(self)


@cache
def serializer_of(kind: type) -> type[serializers.Serializer]:
    """A read-only serializer of a frozen dataclass. Raises KeyError for a float field without a unit in UNITS."""
    hints = get_type_hints(kind)
    names = [f.name for f in fields(kind) if f"{kind.__name__}.{f.name}" not in LEFT_OUT]
    found: dict[str, Any] = {name: _field(hints[name], f"{kind.__name__}.{name}") for name in names}
    for name, hint in COMPUTED.get(kind.__name__, {}).items():
        found[name] = _field(hint, f"{kind.__name__}.{name}")
    found["__doc__"] = getdoc(kind)
    return type(f"{kind.__name__}Serializer", (serializers.Serializer,), found)


def units_of(serializer: serializers.BaseSerializer[Any], path: str = "") -> dict[str, str]:
    """Dotted path → unit of every Quantity below a serializer; list positions are left out of the path."""
    return dict(_units(serializer, path))


def _units(field: serializers.Field, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(field, Quantity):
        yield path, field.unit
    elif isinstance(field, serializers.ListSerializer | serializers.ListField):
        yield from _units(field.child, path)
    elif isinstance(field, serializers.Serializer):
        for name, child in field.fields.items():
            yield from _units(child, f"{path}.{name}" if path else name)


def _field(hint: Any, where: str, **kwargs: Any) -> serializers.Field:
    if get_origin(hint) in {Union, types.UnionType}:
        (inner,) = [arg for arg in get_args(hint) if arg is not type(None)]
        return _field(inner, where, allow_null=True, **kwargs)
    if hint is float:
        return Quantity(UNITS[where], **kwargs)
    if is_dataclass(hint):
        return serializer_of(hint)(**kwargs)  # type: ignore[arg-type]
    if hint in PLAIN:
        return PLAIN[hint](**_blank(hint), **kwargs)
    return _container(hint, where, **kwargs)


def _container(hint: Any, where: str, **kwargs: Any) -> serializers.Field:
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any or origin in {Mapping, dict}:
        return serializers.JSONField(**kwargs)
    if origin in {tuple, list, Sequence} and len({arg for arg in args if arg is not Ellipsis}) == 1:
        return _listed(args, where, **kwargs)
    if origin is tuple:
        return serializers.ListField(child=serializers.JSONField(), **kwargs)
    raise TypeError(f"{where}: no JSON for {hint}")


def _listed(args: tuple[Any, ...], where: str, **kwargs: Any) -> serializers.Field:
    size = len(args) if Ellipsis not in args and len(args) > 1 else None
    if is_dataclass(args[0]):
        return serializer_of(args[0])(many=True, **kwargs)  # type: ignore[arg-type]
    limits = {"min_length": size, "max_length": size} if size else {}
    return serializers.ListField(child=_field(args[0], where), **limits, **kwargs)


def _blank(hint: type) -> dict[str, bool]:
    return {"allow_blank": True} if hint is str else {}
