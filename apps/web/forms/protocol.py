"""The protocol as a form: one field for every number of the method, from the metadata of kappakit.protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, get_type_hints

from django import forms

from apps.web.forms.sections import CHOICES, OTHERS, SECTIONS, USED_WITH
from kappakit.protocol import GENERATIONS, PROTOCOLS, FieldFacts, Protocol, field_facts

GROUP_TITLES = {
    "generate": "Generate",
    "relax": "Relax",
    "deduplicate": "Remove duplicates",
    "screen": "Screen",
    "embed": "Map",
    "sample": "Diverse sample",
    "conductivity": "Thermal conductivity",
    "neighbours": "Neighbours",
    "committee": "Committee",
    "dft": "DFT: what is computed",
    "dft_run": "DFT: how it runs",
}
WORDS = {"fc3": "FC3", "fc2": "FC2", "bte": "BTE", "lbte": "LBTE", "ltol": "ltol", "stol": "stol",
         "k": "k-point", "ddof": "degrees of freedom taken off"}  # fmt: skip
SPELT = {"min": "minutes"}
"""Unit → how a name may say it."""
GENERATE = "generate"
ORIGINS = {"paper": "paper", "ours": "ours"}


@dataclass(frozen=True)
class ProtocolField:
    """One number: `path` 'relax.max_steps', its type, default and facts."""

    path: str
    kind: type
    default: Any
    facts: FieldFacts

    @property
    def label(self) -> str:
        """'Max steps' with the unit in parentheses, unless the name says it."""
        words = [WORDS.get(word, word) for word in self.path.rpartition(".")[2].split("_")]
        name = " ".join(words)
        said = name.endswith(SPELT.get(self.facts.unit, self.facts.unit))
        unit = f" ({self.facts.unit})" if self.facts.unit and not said else ""
        return name[0].upper() + name[1:] + unit

    @property
    def shown(self) -> Any:
        """The default, a choice in words."""
        return in_words(self.path, self.default)

    @property
    def used_with(self) -> str:
        """'conductivity.supercell_rule=width': the choice with which alone it is used; '' for always."""
        return "=".join(USED_WITH.get(self.path, ()))


@dataclass(frozen=True)
class ProtocolSection:
    """Fields of a stage under a title of their own, '' where the stage has no sections."""

    title: str
    fields: tuple[ProtocolField, ...]


@dataclass(frozen=True)
class ProtocolGroup:
    """The fields of one stage."""

    name: str
    title: str
    about: str
    fields: tuple[ProtocolField, ...]

    @property
    def sections(self) -> tuple[ProtocolSection, ...]:
        """All its fields, sorted by SECTIONS."""
        return tuple(_sections(self))


def protocol_groups(protocol: Protocol | None = None) -> tuple[ProtocolGroup, ...]:
    """Every field of the protocol, a group for each stage; defaults are those of `protocol` (the paper's)."""
    return tuple(_groups(protocol or Protocol()))


def presets() -> dict[str, dict[str, Any]]:
    """preset → path → value, for the form's chooser."""
    return {
        name: {field.path: field.default for group in protocol_groups(protocol) for field in group.fields}
        for name, protocol in PROTOCOLS.items()
    }


def generations() -> dict[str, dict[str, Any]]:
    """Named way to generate → path → value, for the form's chooser; how many crystals is left as it is."""
    return {
        name: {f"{GENERATE}.{field.name}": getattr(way, field.name) for field in fields(way) if field.name != "count"}
        for name, way in GENERATIONS.items()
    }


def form_field(field: ProtocolField) -> forms.Field:
    """A Django field without limits of its own: the protocol itself says what is wrong, in its own words."""
    facts = field.facts
    help_text = facts.help
    if facts.choices:
        return forms.ChoiceField(label=field.label, help_text=help_text, choices=choices_of(field))
    if field.kind is bool:
        return forms.BooleanField(label=field.label, help_text=help_text, required=False)
    if field.kind is str:
        return forms.CharField(label=field.label, help_text=help_text, required=False)
    widget = forms.NumberInput(attrs={"step": "1" if field.kind is int else "any"} | _limits(facts))
    number = forms.IntegerField if field.kind is int else forms.FloatField
    return number(label=field.label, help_text=help_text, widget=widget)


def choices_of(field: ProtocolField) -> list[tuple[str, str]]:
    """Values of a choice, each with its words."""
    return [(choice, in_words(field.path, choice)) for choice in field.facts.choices]


def in_words(path: str, value: Any) -> Any:
    """A choice in words; any other value as it is."""
    return CHOICES.get(path, {}).get(value, value) if isinstance(value, str) else value


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """{'relax.max_steps': 500} → {'relax': {'max_steps': 500}}."""
    tree: dict[str, Any] = {}
    for path, value in values.items():
        group, _, name = path.rpartition(".")
        (tree.setdefault(group, {}) if group else tree)[name] = value
    return tree


def _groups(protocol: Protocol) -> Iterator[ProtocolGroup]:
    plain = [f.name for f in fields(protocol) if not is_dataclass(getattr(protocol, f.name))]
    yield ProtocolGroup("", "Source", "Where crystals come from.", _fields(protocol, plain, ""))
    for stage in fields(protocol):
        settings = getattr(protocol, stage.name)
        if is_dataclass(settings):
            about = " ".join((type(settings).__doc__ or "").split("\n\n")[0].split()).replace("`", "")
            names = [f.name for f in fields(settings)]
            yield ProtocolGroup(
                stage.name, GROUP_TITLES.get(stage.name, stage.name), about, _fields(settings, names, f"{stage.name}.")
            )


def _sections(group: ProtocolGroup) -> Iterator[ProtocolSection]:
    left = {field.path.rpartition(".")[2]: field for field in group.fields}
    for title, names in SECTIONS.get(group.name, ()):
        yield ProtocolSection(title, tuple(left.pop(name) for name in names if name in left))
    if left:
        yield ProtocolSection(OTHERS if group.name in SECTIONS else "", tuple(left.values()))


def _fields(settings: Any, names: list[str], prefix: str) -> tuple[ProtocolField, ...]:
    kinds = get_type_hints(type(settings))
    return tuple(
        ProtocolField(prefix + name, kinds[name], getattr(settings, name), field_facts(settings, name))
        for name in names
    )


def _limits(facts: FieldFacts) -> dict[str, str]:
    limits = {"min": facts.low, "max": facts.high}
    return {name: f"{limit:.17g}" for name, limit in limits.items() if limit is not None}
