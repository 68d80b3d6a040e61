"""A model's card as sections of a page: nested facts laid flat, long lists told by their length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from apps.web.templatetags.units import num

LONGEST_LIST = 8


@dataclass(frozen=True)
class CardSection:
    """A titled part of the card; rows of (what, value)."""

    title: str
    rows: tuple[tuple[str, str], ...]


UNITS = {
    "mev_per_atom": "meV/atom",
    "mev_per_angstrom": "meV/Å",
    "ev_per_atom": "eV/atom",
    "gpa": "GPa",
    "thz": "THz",
    "per_cm": "cm⁻¹",
    "angstrom": "Å",
    "percent": "%",
    "seconds": "s",
}
"""End of a card's key → unit."""
LENGTHS = frozenset({"cutoff", "largest", "smallest", "ordering_from", "ordering_to"})
"""Lengths of a generator's configuration, in Å, whose keys do not say so."""
LEFT_TO_TABLES = frozenset({"quality"})

ERRORS = ("frames", "energy_mae_mev_per_atom", "force_rmse_mev_per_angstrom", "stress_mae_gpa")


@dataclass(frozen=True)
class ErrorRow:
    """Errors on one part of the data: frames, energy MAE meV/atom, force RMSE meV/Å, stress MAE GPa."""

    split: str
    kind: str
    frames: float | None
    energy: float | None
    force: float | None
    stress: float | None


def card_errors(card: Mapping[str, Any]) -> list[ErrorRow]:
    """The card's errors by split and kind of frame; [] where the card has none of that shape."""
    errors = card.get("errors", {})
    return [
        ErrorRow(split, kind, *(facts.get(name) for name in ERRORS))
        for split, kinds in errors.items()
        if isinstance(kinds, Mapping)
        for kind, facts in kinds.items()
        if isinstance(facts, Mapping)
    ]


def card_sections(card: Mapping[str, Any]) -> list[CardSection]:
    """Plain facts first, then a section for each nested part, in the card's own order."""
    plain = tuple((_name(key), _said(value)) for key, value in card.items() if not isinstance(value, Mapping))
    nested = [CardSection(_name(key), tuple(_rows(value))) for key, value in card.items() if _is_section(key, value)]
    return [CardSection("In short", plain), *nested] if plain else nested


def _is_section(key: str, value: Any) -> bool:
    told_elsewhere = key in LEFT_TO_TABLES or (key == "errors" and bool(card_errors({key: value})))
    return isinstance(value, Mapping) and bool(value) and not told_elsewhere


def _rows(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, item in value.items():
        name = f"{prefix}{_name(key)}" if not prefix else f"{prefix} · {_name(key)}"
        if isinstance(item, Mapping) and item:
            yield from _rows(item, name)
        else:
            yield name, _said(item)


def _name(key: str) -> str:
    if key in LENGTHS:
        return f"{key.replace('_', ' ')} (Å)"
    ending = next((end for end in UNITS if key == end or key.endswith(f"_{end}")), "")
    if not ending:
        return key.replace("_", " ")
    quantity = key.removesuffix(ending).strip("_").replace("_", " ") or "time"
    return f"{quantity} ({UNITS[ending]})"


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return num(value, 5)
    if isinstance(value, list):
        return _list(value)
    if isinstance(value, Mapping):
        return "none"
    return "–" if value is None else str(value)


def _list(values: list[Any]) -> str:
    if len(values) > LONGEST_LIST:
        return f"{len(values)} entries"
    return ", ".join(_said(value) for value in values)
