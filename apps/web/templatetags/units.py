"""How numbers, times and the field's symbols read. Formatting only."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import wraps
from typing import Any

from django import template
from django.forms import BoundField, Select
from django.utils.html import escape, format_html, format_html_join, json_script
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

ABSENT = "–"
THIN = "\u202f"

TONES = {
    "info": {"RUNNING", "STARTED", "TRAINING", "running", "QUEUED", "imported", "generated", "structure-known"},
    "ok": {"APPROVED", "approve", "DONE", "READY", "done", "kept", "stable", "shortlist", "new", "confirmed"},
    "warn": {"PROPOSED", "HALTED", "PLANNED", "WAITING", "borderline", "transient", "timeout", "lost", "kappa-known"},
    "bad": {
        *("DENIED", "deny", "FAILED", "rejected", "reject", "imaginary", "bug", "input", "killed", "excluded"),
        *("unstable", "different"),
    },
}
"""Tone of a label → the states that it colours."""

WORDS = {
    "PLANNED": "waits for a start",
    "STARTED": "computing",
    "kappa-known": "κ known",
    "structure-known": "structure known",
    "screened-out": "screened out",
    "imaginary": "imaginary modes",
    "shortlist": "shortlisted",
    "reject": "rejected",
    "reset": "verdict withdrawn",
    "transient": "try again later",
    "timeout": "over its time limit",
    "lost": "lost with its worker",
    "killed": "died by a signal",
    "bug": "failed",
    "input": "refused its input",
    "PREPARING": "being prepared",
    "RELAXING": "relaxation at the gate or running",
    "DISPLACING": "making supercells",
    "COMPUTING": "supercells at the gate or running",
    "ASSEMBLING": "assembling force constants",
    "confirmed": "confirmed",
    "unstable": "imaginary modes",
    "different": "another structure",
    "kl": "KL divergence",
    "PROPOSED": "waits for approval",
    "approve": "approved",
    "deny": "denied",
    "label": "label for the committee",
    "validate": "validation",
    "not_converged": "not converged",
    "walltime": "time limit",
}


def _or_absent(show: Callable[..., str]) -> Callable[..., str]:
    """The filter `show`, and '–' for None and for '', which a template makes of a field of None."""

    @wraps(show)
    def shown(value: Any, *arguments: Any) -> str:
        return ABSENT if value is None or value == "" else show(value, *arguments)

    return shown


@register.filter
@_or_absent
def num(value: float, digits: int = 3) -> str:
    """`digits` significant ones, a real minus, thin spaces in thousands; '–' where there is nothing."""
    if value == 0:
        return "0"
    text = f"{value:.{digits}g}"
    if "e" in text and 1e-4 <= abs(value) < 1e7:
        text = f"{value:.0f}"
    return _grouped(text).replace("-", "−")


@register.filter
@_or_absent
def fixed(value: float, decimals: int = 3) -> str:
    """`decimals` decimals, a real minus; '–' where there is nothing."""
    return f"{round(value, decimals) + 0.0:.{decimals}f}".replace("-", "−")


@register.filter
@_or_absent
def hours(value: float) -> str:
    """Core-hours: three digits, never a power of ten; below a thousandth it says so."""
    return "< 0.001" if 0 < value < 1e-3 else num(round(value, 3), 3)


@register.filter
@_or_absent
def kappa(value: float) -> str:
    """κ_L in W/(m·K): whole numbers from 100, else three digits."""
    return _grouped(f"{value:.0f}") if abs(value) >= 100 else num(value, 3)


@register.filter
@_or_absent
def count(value: int) -> str:
    """A whole number with thin spaces in thousands."""
    return _grouped(f"{value:d}")


@register.filter
@_or_absent
def duration(seconds: float) -> str:
    """'42 s', '3 min 5 s', '2 h 10 min'; '–' where there is nothing."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


@register.filter
@_or_absent
def minutes(value: float) -> str:
    """A duration given in minutes."""
    return duration(60.0 * value)


@register.filter
@_or_absent
def percent(value: float, decimals: int = 0) -> str:
    """A share as per cent."""
    return f"{round(100 * value, decimals) + 0.0:.{decimals}f} %".replace("-", "−")


@register.filter
def mesh(value: Iterable[int] | None) -> str:
    """'10×10×10'."""
    return "×".join(str(n) for n in value) if value else ABSENT


@register.filter
def spacegroup(symbol: str) -> SafeString:
    """'Fd-3m' with an overline, 'P6_3/mmc' with a subscript."""
    barred = re.sub(r"-(\d)", r'<span class="overline">\1</span>', escape(symbol))
    screwed = re.sub(r"_(\d)", r"<sub>\1</sub>", barred)
    return mark_safe(f'<span class="sg">{screwed}</span>')


@register.filter
def formula(text: str) -> SafeString:
    """'B2N2' with subscripts."""
    lowered = re.sub(r"(\d+)", r"<sub>\1</sub>", escape(text))
    return mark_safe(f'<span class="formula">{lowered}</span>')


@register.filter
def typeset(text: str) -> SafeString:
    """'κ_L' with its subscript."""
    return mark_safe(escape(text).replace("κ_L", "κ<sub>L</sub>"))


@register.filter
def sentence(text: str) -> SafeString:
    """`typeset`, beginning with a capital unless it begins with a symbol: κ never becomes K."""
    return typeset(text[:1].upper() + text[1:] if text[:1].isascii() else text)


@register.filter
def state(value: str) -> SafeString | str:
    """A coloured label for a state, an outcome or a verdict."""
    if not value:
        return ABSENT
    tone = next((name for name, values in TONES.items() if value in values), "")
    return format_html('<span class="label{}">{}</span>', f" label-{tone}" if tone else "", words(value))


@register.filter
def convergence(words: str, converged: bool | None) -> SafeString | str:
    """What a test of the mesh found, coloured unless it was passed."""
    if converged:
        return words
    return format_html('<span class="label label-warn">{}</span>', words)


@register.filter
def trusted(label: str) -> SafeString:
    """A trust label whose words are joined, each a piece that does not break from its dot."""
    return format_html_join("", "<span>{}</span>", ((word,) for word in label.split(" · ") if word))


@register.filter
def engine(name: str) -> SafeString | str:
    """A DFT engine's name; a surrogate, which is no DFT, says so wherever it stands."""
    if name == "surrogate":
        return mark_safe(
            '<span class="label label-warn" title="a potential that stands for DFT: no DFT">surrogate</span>'
        )
    return {"gpaw": "GPAW", "vasp": "VASP"}.get(name, name)


@register.filter
def words(value: str) -> str:
    """A state in words."""
    return WORDS.get(value, value.lower().replace("_", " "))


@register.filter
def short(digest: str) -> str:
    """The first twelve characters of a digest."""
    return digest[:12]


def _grouped(text: str) -> str:
    """Thin spaces between thousands from 10 000 on."""
    whole, dot, rest = text.partition(".")
    digits = whole.lstrip("-")
    return text if not digits.isdigit() or len(digits) < 5 else f"{int(whole):,}".replace(",", THIN) + dot + rest


@register.filter
def descending(name: str) -> str:
    """The order by `name` the other way round."""
    return f"-{name}"


@register.filter
def first_sort(column: Any) -> str:
    """The order of a first click: numbers begin with the largest."""
    return f"-{column.name}" if "num" in str(column.attrs.get("td", {}).get("class", "")) else column.name


@register.filter
def control(bound: BoundField) -> SafeString:
    """A form's control in our clothes, joined to its help and its error for screen readers."""
    select = isinstance(bound.field.widget, Select)
    described = [
        f"{bound.id_for_label}_{part}" for part, there in (("error", bound.errors), ("help", bound.help_text)) if there
    ]
    attributes = {"class": ("form-select" if select else "form-control") + (" is-invalid" if bound.errors else "")}
    if described:
        attributes["aria-describedby"] = " ".join(described)
    if bound.errors:
        attributes["aria-invalid"] = "true"
    return bound.as_widget(attrs=attributes)


@register.filter
def between(start: datetime, end: datetime) -> str:
    """The time from `start` to `end`."""
    return duration((end - start).total_seconds())


@register.filter
def rough(seconds: float) -> str:
    """A duration that does not pretend: whole minutes above one, tens of seconds below."""
    return duration(10 * max(1, round(seconds / 10))) if seconds < 60 else minutes_whole(seconds)


def minutes_whole(seconds: float) -> str:
    """'4 min', '2 h 10 min'."""
    hours, left = divmod(round(seconds / 60), 60)
    return f"{hours} h {left} min" if hours else f"{left} min"


@register.filter
def json_script_named(figure: object, name: str) -> SafeString:
    """A curve's figure as JSON for the page's script."""
    return json_script(figure, f"curve-{name}")


@register.filter
def tally(items: Iterable[str]) -> str:
    """'2 × 8a, 1 × 4b' of ['8a', '8a', '4b']."""
    return ", ".join(f"{number} × {item}" for item, number in Counter(items).items()) or ABSENT
