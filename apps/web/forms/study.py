"""The values of a convergence study."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django import forms

from apps.conductivity.study_values import FEWEST, MOST, StudyRefused, Varied, checked

LONGEST = 400


def typed(values: Sequence[float]) -> str:
    """'15 20 25'."""
    return " ".join(f"{value:g}" for value in values)


class StudyForm(forms.Form):
    """2 to 12 numbers, in the unit and within the bounds of what is varied. `address`: where the time that the typed
    values are expected to take is asked for."""

    values = forms.CharField(max_length=LONGEST)

    def __init__(self, *args: Any, varied: Varied, values: Sequence[float], address: str = "", **kwargs: Any) -> None:
        super().__init__(*args, auto_id=f"{varied.name}_%s", initial={"values": typed(values)}, **kwargs)
        self.varied = varied
        field = self.fields["values"]
        field.label = varied.label
        whole = ", whole numbers" if varied.whole else ""
        field.help_text = (
            f"{FEWEST} to {MOST} values between {varied.low:g} and {varied.high:g} {varied.unit}{whole}; "
            f"now {varied.present:g}: {varied.about}."
        )
        field.widget.attrs |= {
            "autocomplete": "off",
            "inputmode": "decimal",
            **(self._asks(address) if address else {}),
        }

    def clean_values(self) -> tuple[float, ...]:
        """Ascending numbers."""
        try:
            return checked(
                [_number(word) for word in re.split(r"[\s,;]+", self.cleaned_data["values"].strip())], self.varied
            )
        except StudyRefused as refused:
            raise forms.ValidationError(str(refused.detail["values"])) from refused

    def _asks(self, address: str) -> dict[str, str]:
        return {
            "hx-get": address,
            "hx-trigger": "input changed delay:400ms",
            "hx-target": f"#{self.varied.name}_expected",
            "hx-sync": "this:replace",
        }


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError as error:
        raise forms.ValidationError(f"“{word}” is not a number: separate numbers by spaces.") from error
