"""What all figures share: colours that read on light and dark, axes, and the JSON that the page draws."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import plotly.graph_objects as go

Figure = dict[str, Any]
"""{'data': […], 'layout': {…}}: plain JSON types."""

SERIES = ("#3b7dd8", "#d9730d", "#2a9d63", "#9b5fc0", "#c2455e", "#7a7f87")
"""Distinguishable on white and on near-black, and to most colour-blind eyes (after Okabe and Ito, 2008)."""

MUTED = "#98a2b0"
WARNING = "#c2455e"
FONT = "Inter, system-ui, sans-serif"


def axis(title: str, **more: Any) -> dict[str, Any]:
    """An axis with its title; colours come from the page's theme."""
    return {"title": {"text": title}, "ticks": "outside", "showline": True, "automargin": True, **more}


NARROW = 0.8
"""Decades below which 1, 2, 5 would leave an axis all but bare."""


def log_ticks(numbers: Iterable[float]) -> dict[str, list[Any]]:
    """tickvals and ticktext of a logarithmic axis over `numbers`: the decades, 1, 2, 5 of each, or even steps where
    the range is narrow; zero and below are passed over."""
    positive = [number for number in numbers if number > 0]
    if not positive:
        return {}
    low, high = math.log10(min(positive)) - 0.05, math.log10(max(positive)) + 0.05
    nice = _even_steps(10**low, 10**high) if high - low < NARROW else _decades(low, high)
    shown = [number for number in nice if low <= math.log10(number) <= high]
    return {"tickvals": shown, "ticktext": [f"{number:g}" if number < 1e5 else f"{number:.0e}" for number in shown]}


def _decades(low: float, high: float) -> list[float]:
    steps = (1, 2, 5) if high - low < 3 else (1,)
    return [float(f"{m}e{e}") for e in range(math.floor(low), math.ceil(high) + 1) for m in steps]


def _even_steps(low: float, high: float) -> list[float]:
    """About five numbers from low to high, a step of 1, 2 or 5 in some decade apart."""
    decade = 10.0 ** math.floor(math.log10((high - low) / 5))
    step = next(m * decade for m in (1, 2, 5, 10) if m * decade * 5 >= high - low)
    return [round(k * step, 12) for k in range(max(math.floor(low / step), 1), math.ceil(high / step) + 1)]


def figure(traces: list[Any], **layout: Any) -> Figure:
    """Traces and layout as JSON, without a template: the page sets ink, grid and background."""
    made = go.Figure(
        data=traces,
        layout={
            "template": None,
            "font": {"family": FONT, "size": 13},
            "margin": {"l": 64, "r": 16, "t": 16, "b": 52},
            "hovermode": "closest",
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            **layout,
        },
    )
    return made.to_plotly_json()


WORDS_A_LINE = 4


def in_lines(label: Sequence[str]) -> list[str]:
    """The words of a trust label in lines that a hover can hold."""
    return [" · ".join(label[at : at + WORDS_A_LINE]) for at in range(0, len(label), WORDS_A_LINE)]
