"""Nothing unknown passes silently: query parameters, JSON keys, characters that no column can hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import JSONParser

from apps.api.errors import FieldError, FieldsRefused

LARGEST = 2**63 - 1
"""A column's largest integer."""


class CleanJSONParser(JSONParser):
    """JSON whose values a database can hold: valid Unicode without NUL, numbers of 64 bits."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """The body; raises ParseError."""
        try:
            data = super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error
        _refuse_unstorable(data)
        return data


class StrictSerializer(serializers.Serializer):
    """A serializer that refuses keys it does not know, instead of dropping them."""

    def to_internal_value(self, data: Any) -> Any:
        """Validated values; raises ValidationError that names each unknown key."""
        if isinstance(data, Mapping):
            writable = {name for name, field in self.fields.items() if not field.read_only}
            unknown = sorted(str(key) for key in data.keys() - writable)
            if unknown:
                raise ValidationError({key: [_unknown(writable)] for key in unknown})
        return super().to_internal_value(data)


def only_parameters(query: QueryDict, known: Iterable[str]) -> None:
    """Raise FieldsRefused (unknown_parameter) that names each query parameter the address does not know."""
    allowed = sorted(known)
    unknown = sorted(set(query) - set(allowed))
    if unknown:
        hint = f"Known here: {', '.join(allowed)}." if allowed else "This address takes none."
        errors = [FieldError(name, "unknown_parameter", "is not a parameter of this address") for name in unknown]
        raise FieldsRefused("unknown_parameter", f"Unknown query parameter. {hint}", errors)
    if errors := [error for name in query for error in _unusable(name, query.getlist(name))]:
        raise FieldsRefused("validation_failed", "A query parameter cannot be used.", errors)


def _unusable(name: str, values: list[str]) -> Iterator[FieldError]:
    """An empty value is a program's mistake: taken as 'no filter' it would silently find everything."""
    if "" in values:
        yield FieldError(name, "blank", "is empty: leave it out, or give a value")
    if "\0" in "".join(values):
        yield FieldError(name, "invalid", "holds a NUL")


def _unknown(writable: set[str]) -> serializers.ErrorDetail:
    return serializers.ErrorDetail(f"unknown key; known: {', '.join(sorted(writable))}", code="unknown_key")


def _refuse_unstorable(data: Any) -> None:
    if isinstance(data, str):
        if "\0" in data or not _encodable(data):
            raise ParseError("A text holds NUL or half a surrogate pair.")
    elif isinstance(data, int | float):
        if not -LARGEST <= data <= LARGEST:
            raise ParseError("A number is too large.")
    elif isinstance(data, Mapping):
        _refuse_unstorable([*data.keys(), *data.values()])
    elif isinstance(data, list):
        for item in data:
            _refuse_unstorable(item)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
