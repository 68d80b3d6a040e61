"""Forms of the DFT gate: other settings, core-hours, an uploaded result."""

from __future__ import annotations

from typing import Any

from django import forms

from apps.web.forms.protocol import ProtocolField, form_field, protocol_groups
from kappakit.dft import HASHED, RELAX, DftTask

FIXED = ("engine",)
"""Another engine is another request."""
ONLY_RELAX = ("relax_force", "relax_stress")


class SettingsForm(forms.Form):
    """The settings of one calculation; what differs is another proposal. The protocol's own words say what is wrong."""

    reason = forms.CharField(
        max_length=2000, required=False, label="Why", widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Stays with the calculation that this replaces.",
    )  # fmt: skip

    def __init__(self, *args: Any, task: DftTask, **kwargs: Any) -> None:
        self.task = task
        self.setting_names = [name for name, _ in _fields(task)]
        initial = {name: getattr(task.settings, name) for name in self.setting_names}
        super().__init__(*args, initial=initial, **kwargs)
        for name, field in _fields(task):
            self.fields[name] = form_field(field)

    def settings_bound(self) -> list[forms.BoundField]:
        """The settings' fields, for the page."""
        return [self[name] for name in self.setting_names]

    def changes(self) -> dict[str, Any]:
        """Setting → value where it differs from what stands there."""
        values = {name: self.cleaned_data[name] for name in self.setting_names if name in self.cleaned_data}
        return {name: value for name, value in values.items() if value != getattr(self.task.settings, name)}

    def add_problems(self, problems: dict[str, Any]) -> None:
        """'dft.cutoff' → what is wrong, beside its field."""
        for path, problem in problems.items():
            name = path.removeprefix("dft.")
            self.add_error(name if name in self.fields else None, str(problem))


class GrantForm(forms.Form):
    core_hours = forms.FloatField(
        label="Core-hours", widget=forms.NumberInput(attrs={"step": "any", "min": "0"}),
        help_text="One core for one hour is one.",
    )  # fmt: skip
    automatic = forms.BooleanField(
        required=False, label="Labels may spend it without asking again",
        help_text="Requests for labels are then approved by themselves, in your name, as far as the balance reaches; "
        "a validation always waits for a person.",
    )  # fmt: skip
    reason = forms.CharField(required=False, max_length=2000, help_text="Stays on record.")


class PolicyForm(forms.Form):
    allowed = forms.BooleanField(required=False, label="Proposers may approve their own")
    reason = forms.CharField(
        max_length=2000, label="Why", help_text="For a campaign of one person. It stays on record."
    )


class ResultForm(forms.Form):
    file = forms.FileField(label="vasprun.xml", help_text="As VASP wrote it, whole; it is checked against the inputs.")


def _fields(task: DftTask) -> list[tuple[str, ProtocolField]]:
    (group,) = [group for group in protocol_groups() if group.name == "dft"]
    named = [(field.path.removeprefix("dft."), field) for field in group.fields]
    left_out = FIXED if task.task == RELAX else FIXED + ONLY_RELAX
    return [(name, field) for name, field in named if name in HASHED and name not in left_out]
