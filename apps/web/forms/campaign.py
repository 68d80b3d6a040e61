"""A new campaign: name, potential, generator, files, and the protocol's fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms

from apps.web.forms.protocol import ProtocolField, ProtocolGroup, form_field, nested, protocol_groups
from kappakit.protocol import PROTOCOLS, Protocol, ProtocolError

LARGEST_SEED = 2**31 - 1
Models = Sequence[tuple[int, str]]
"""Ids and names to choose from."""


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Any number of uploaded files; cleans to a list."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        """Each file is checked on its own."""
        given = data if isinstance(data, list | tuple) else [data]
        return [super(ManyFilesField, self).clean(item, initial) for item in given if item]


@dataclass(frozen=True)
class BoundProtocolField:
    """A field of the form beside its facts: default, origin, unit."""

    field: ProtocolField
    bound: forms.BoundField


@dataclass(frozen=True)
class BoundSection:
    """Some fields of a stage under their title."""

    title: str
    fields: tuple[BoundProtocolField, ...]


@dataclass(frozen=True)
class BoundGroup:
    """A stage's fields by section; `opened` when one of them has an error or differs from its default."""

    group: ProtocolGroup
    sections: tuple[BoundSection, ...]
    opened: bool


class CampaignForm(forms.Form):
    """What makes a campaign; the protocol's own words name what is wrong beside the field."""

    name = forms.CharField(max_length=200, help_text="Shown everywhere; unique.")
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}), help_text="For people.")
    potential = forms.ChoiceField(
        required=False, help_text="Relaxes and gives the forces of κ_L. It belongs to every result."
    )
    generator = forms.ChoiceField(
        required=False,
        help_text="Proposes crystals where the protocol’s source is generate or both and its generator is cdvae.",
    )
    seed = forms.IntegerField(
        min_value=0, max_value=LARGEST_SEED, initial=0, help_text="The same seed and input give the same campaign."
    )
    files = ManyFilesField(
        required=False,
        help_text="CIF, POSCAR (one or many), AIRSS res, extxyz, Carbon-24 CSV, a zip of them, or ase.db; "
        "what cannot be read is refused alone.",
    )

    def __init__(self, *args: Any, potentials: Models, generators: Models, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.groups = protocol_groups()
        for name, models in (("potential", potentials), ("generator", generators)):
            field: Any = self.fields[name]
            field.choices = [("", "choose later"), *((str(pk), name) for pk, name in models)]
        for field in self._protocol_fields():
            self.fields[field.path] = form_field(field)

    def clean(self) -> dict[str, Any]:
        """Check the protocol as a whole; its problems go to their fields."""
        values = super().clean() or self.cleaned_data
        try:
            self.protocol = Protocol.from_dict(nested(self._protocol_values(values)))
        except ProtocolError as error:
            self.add_problems(error.problems)
        return values

    def add_problems(self, problems: Mapping[str, Any]) -> None:
        """path or field → what is wrong, beside its field; what has no field goes to the top."""
        for path, problem in problems.items():
            known = path if path in self.fields else None
            self.add_error(known, str(problem) if known else f"{path}: {problem}")

    def bound_groups(self) -> list[BoundGroup]:
        """The protocol's fields by stage, for the page."""
        return [self._bound(group) for group in self.groups]

    def _bound(self, group: ProtocolGroup) -> BoundGroup:
        sections = tuple(
            BoundSection(section.title, tuple(BoundProtocolField(field, self[field.path]) for field in section.fields))
            for section in group.sections
        )
        opened = not group.name or any(row.bound.errors for section in sections for row in section.fields)
        return BoundGroup(group, sections, opened)

    def _protocol_fields(self) -> list[ProtocolField]:
        return [field for group in self.groups for field in group.fields]

    def _protocol_values(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Those that Django could read; the others have their error already."""
        paths = [field.path for field in self._protocol_fields()]
        return {path: values[path] for path in paths if path in values and values[path] is not None}


def initial_of(preset: str) -> dict[str, Any]:
    """The form's values for a named protocol; the demo's for an unknown one."""
    protocol = PROTOCOLS.get(preset, PROTOCOLS["demo"])
    return {field.path: field.default for group in protocol_groups(protocol) for field in group.fields}


class CloneForm(forms.Form):
    name = forms.CharField(max_length=200)


class FilesForm(forms.Form):
    files = ManyFilesField()
