"""A new training."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django import forms

CONFIGURATIONS = {
    "carbon-tiny": "carbon-tiny: minutes on two cores, for tests and committees",
    "carbon-laptop": "carbon-laptop: what ships; tens of minutes to hours",
    "carbon-paper": "carbon-paper: the paper's hyper-parameters; wants a GPU",
}


class TrainingForm(forms.Form):
    """What training_start asks for."""

    name = forms.CharField(max_length=100, help_text="Shown wherever a value depends on the model; unique.")
    configuration = forms.ChoiceField(choices=list(CONFIGURATIONS.items()))
    data_set = forms.FileField(
        required=False,
        help_text="Labelled extended XYZ: energy, forces, stress, group. Without one a teacher labels known crystals.",
    )
    teacher = forms.ChoiceField(required=False, help_text="A potential whose energies and forces are learnt.")
    seed = forms.IntegerField(min_value=0, max_value=2**31 - 1, initial=0)
    overrides = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text='Settings that differ from the configuration, as JSON, e.g. {"epochs": 50}.',
    )

    def __init__(self, *args: Any, teachers: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["teacher"].choices = [("", "none"), *((str(pk), name) for pk, name in teachers)]

    def clean_overrides(self) -> dict[str, Any]:
        """A JSON object, {} for nothing."""
        try:
            values = json.loads(self.cleaned_data["overrides"] or "{}")
        except json.JSONDecodeError as error:
            raise forms.ValidationError(f"This is not JSON: {error.msg} at position {error.pos}.") from error
        if not isinstance(values, dict):
            raise forms.ValidationError('Give a JSON object, e.g. {"epochs": 50}.')
        return values

    def add_problems(self, problems: Mapping[str, Any]) -> None:
        """field → what is wrong, beside its field."""
        for name, problem in problems.items():
            self.add_error(name if name in self.fields else None, str(problem))
