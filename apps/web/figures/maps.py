"""The map: one point a crystal, coloured by any quantity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from apps.web.figures.style import MUTED, SERIES, Figure, figure, log_ticks

NO_AXIS = {
    "showticklabels": False,
    "ticks": "",
    "showgrid": False,
    "zeroline": False,
    "showline": False,
    "title": {"text": ""},
}
COLOURSCALE = "Viridis"


@dataclass(frozen=True)
class Mark:
    """One crystal on the plane (no unit). `value`: a number, a word, or None where it has none; `ring`: emphasised."""

    x: float
    y: float
    text: str
    url: str
    value: float | str | None
    ring: bool = False


@dataclass(frozen=True)
class Quantity:
    """What colours the map: title with unit, and whether its scale is logarithmic or in words."""

    name: str
    title: str
    logarithmic: bool = False
    in_words: bool = False


def soap_map(marks: Sequence[Mark], quantity: Quantity) -> Figure:
    """scattergl of all marks; those without a value small and grey below, ringed ones on top."""
    grey = [mark for mark in marks if mark.value is None]
    coloured = [mark for mark in marks if mark.value is not None]
    traces = [_grey(grey)] if grey else []
    traces += _words(coloured) if quantity.in_words else [_scale(coloured, quantity)] if coloured else []
    traces += [_rings([mark for mark in marks if mark.ring])]
    return figure(
        traces,
        xaxis=NO_AXIS,
        yaxis={**NO_AXIS, "scaleanchor": "x"},
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        dragmode="pan",
        legend={"orientation": "h", "y": -0.02, "yanchor": "top", "x": 0},
        uirevision="map",
    )


def _points(marks: Sequence[Mark], **more: object) -> go.Scattergl:
    return go.Scattergl(
        x=[mark.x for mark in marks],
        y=[mark.y for mark in marks],
        mode="markers",
        text=[mark.text for mark in marks],
        customdata=[mark.url for mark in marks],
        hovertemplate="%{text}<extra></extra>",
        **more,
    )


def _grey(marks: Sequence[Mark]) -> go.Scattergl:
    return _points(marks, name="no value", marker={"size": 6, "color": MUTED, "opacity": 0.55})


def _words(marks: Sequence[Mark]) -> list[go.Scattergl]:
    """One trace a word, most frequent first."""
    values = [str(mark.value) for mark in marks]
    ordered = sorted(set(values), key=lambda word: (-values.count(word), word))
    return [
        _points(
            [mark for mark in marks if str(mark.value) == word],
            name=word,
            marker={"size": 9, "color": SERIES[i % len(SERIES)], "line": {"width": 0.5, "color": "#ffffff"}},
        )
        for i, word in enumerate(ordered)
    ]


def _scale(marks: Sequence[Mark], quantity: Quantity) -> go.Scattergl:
    numbers = [float(mark.value) for mark in marks if mark.value is not None]
    colours, ticks = (numbers, {}) if not quantity.logarithmic else _logarithmic(numbers)
    bar = {"title": {"text": quantity.title, "side": "right"}, "thickness": 14, "outlinewidth": 0, **ticks}
    line = {"width": 0.5, "color": "#ffffff"}
    marker = {"size": 10, "color": colours, "colorscale": COLOURSCALE, "showscale": True, "colorbar": bar, "line": line}
    return _points(marks, name=quantity.title, showlegend=False, marker=marker)


def _logarithmic(numbers: Sequence[float]) -> tuple[list[float], dict[str, Any]]:
    """Exponents, and ticks that read as the numbers themselves."""
    ticks = log_ticks(numbers)
    shown = {"tickvals": [_log10(n) for n in ticks.get("tickvals", [])], "ticktext": ticks.get("ticktext", [])}
    return [_log10(number) for number in numbers], shown


def _log10(number: float) -> float:
    return math.log10(max(number, 1e-6))


def _rings(marks: Sequence[Mark]) -> go.Scattergl:
    line = {"color": SERIES[1], "width": 2}
    return _points(marks, name="chosen", marker={"size": 15, "symbol": "circle-open", "color": SERIES[1], "line": line})
