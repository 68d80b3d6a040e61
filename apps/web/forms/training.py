"""New trainings, and measuring a generator."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django import forms

from apps.training import services
from kappakit.ports import PARTS

CONFIGURATIONS = {
    "carbon-tiny": "carbon-tiny: minutes on two cores, for tests and committees",
    "carbon-laptop": "carbon-laptop: what ships; tens of minutes to hours",
    "carbon-paper": "carbon-paper: the paper's hyper-parameters; wants a GPU",
}
GENERATOR_CONFIGURATIONS = {
    "laptop": "laptop: what ships; 90 minutes on a core",
    "carbon": "carbon: wider, larger batches; for a GPU",
    "published": "published: close to the CDVAE paper, 95,000 steps; wants a GPU",
    "tiny": "tiny: minutes on two cores, for trying things out",
}
GENERATOR_SPLITS = {
    "given": "given: each file is one part",
    "grouped": "grouped: all crystals are split anew, by distinct crystal",
}
FORMATS = "CIF, POSCAR (one or many), AIRSS res, extxyz, Carbon-24 CSV, a zip of them, or ase.db"


class ProblemsForm(forms.Form):
    """A form that shows a service's refusal."""

    def add_problems(self, problems: Mapping[str, Any]) -> None:
        """field → what is wrong, beside its field."""
        for name, problem in problems.items():
            self.add_error(name if name in self.fields else None, str(problem))


class ModelForm(ProblemsForm):
    """What every training asks for."""

    name = forms.CharField(max_length=100, help_text="Shown wherever a value depends on the model; unique.")
    configuration = forms.ChoiceField()
    seed = forms.IntegerField(min_value=0, max_value=2**31 - 1, initial=0)
    overrides = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text='Settings that differ from the configuration, as JSON, e.g. {"epochs": 50}.',
    )

    def clean_overrides(self) -> dict[str, Any]:
        """A JSON object, {} for nothing."""
        try:
            values = json.loads(self.cleaned_data["overrides"] or "{}")
        except json.JSONDecodeError as error:
            raise forms.ValidationError(f"This is not JSON: {error.msg} at position {error.pos}.") from error
        if not isinstance(values, dict):
            raise forms.ValidationError('Give a JSON object, e.g. {"epochs": 50}.')
        return values


class TrainingForm(ModelForm):
    """What training_start asks for."""

    configuration = forms.ChoiceField(choices=list(CONFIGURATIONS.items()))
    data_set = forms.FileField(
        required=False,
        help_text="Labelled extended XYZ: energy, forces, stress, group. Without one a teacher labels known crystals.",
    )
    teacher = forms.ChoiceField(required=False, help_text="A potential whose energies and forces are learnt.")
    field_order = ("name", "configuration", "data_set", "teacher", "seed", "overrides")

    def __init__(self, *args: Any, teachers: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["teacher"].choices = [("", "none"), *((str(pk), name) for pk, name in teachers)]


class GeneratorTrainingForm(ModelForm):
    """What generator_training_start asks for."""

    configuration = forms.ChoiceField(choices=list(GENERATOR_CONFIGURATIONS.items()))
    train = forms.FileField(label="Training crystals", help_text=f"It learns from these. {FORMATS}.")
    validation = forms.FileField(
        label="Validation crystals",
        required=False,
        help_text="Held out; they show in the curves how it does on crystals that it never saw.",
    )
    test = forms.FileField(
        label="Test crystals",
        required=False,
        help_text="Held out; it can be measured against them afterwards.",
    )
    split = forms.ChoiceField(
        choices=list(GENERATOR_SPLITS.items()),
        help_text="Grouped: all files are taken together and no distinct crystal straddles the parts; 60 % of them "
        "train, 20 % validate, 20 % test. The published split of Carbon-24 puts copies of a crystal on both sides.",
    )
    minutes = forms.FloatField(
        label="Time (min)",
        min_value=0,
        initial=0,
        help_text="It ends after so long; 0: all steps of the configuration.",
    )
    field_order = ("name", "configuration", *PARTS, "split", "seed", "minutes", "overrides")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["overrides"].help_text = 'Settings that differ from the configuration, as JSON: {"steps": 5000}.'


class AssessmentForm(ProblemsForm):
    """What assessment_start asks for."""

    count = forms.IntegerField(
        min_value=1,
        max_value=services.LARGEST_ASSESSMENT,
        label="Generated crystals",
        help_text="Validity, coverage and statistics; published: 10,000.",
    )
    reconstructed = forms.IntegerField(
        min_value=1,
        max_value=services.LARGEST_ASSESSMENT,
        label="Reconstructed crystals",
        help_text="Test crystals that are encoded and decoded again; published: all of them.",
    )
