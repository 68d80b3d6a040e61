"""κ_L against the value that a convergence study varies (the paper's Figs. S6 and S7)."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from apps.conductivity.selectors.study_facts import StudyFacts, StudyPointFacts
from apps.web.figures.style import MUTED, SERIES, Figure, axis, figure

SAME = 1e-3
"""Principal values that differ by less, relatively, in every point are drawn as one line."""


def kappa_series(study: StudyFacts) -> Figure:
    """Principal κ_L, W/(m·K), over the varied value; the present setting is marked. Points without a κ_L are absent."""
    points = [point for point in study.points if point.principal]
    return figure(
        [_line(points, which, study.unit) for which in _distinct(points)],
        xaxis=axis(study.label),
        yaxis=axis(f"Principal κ<sub>L</sub> at {study.temperature:g} K (W/(m·K))"),
        **(_marked(study) if study.present > 0 else {}),
    )


def _distinct(points: list[StudyPointFacts]) -> list[int]:
    """Principal values that differ from the one before in some point."""
    return [i for i in range(3) if i == 0 or any(_apart(point.principal, i) for point in points)]


def _apart(principal: tuple[float, ...], which: int) -> bool:
    return abs(principal[which] - principal[which - 1]) > SAME * abs(principal[0])


def _line(points: list[StudyPointFacts], which: int, unit: str) -> go.Scatter:
    name = f"κ{'₁₂₃'[which]}"
    return go.Scatter(
        x=[point.value for point in points],
        y=[point.principal[which] for point in points],
        text=[point.uvw[which] if point.uvw else "" for point in points],
        mode="lines+markers",
        name=name,
        line={"color": SERIES[which], "width": 2},
        marker={"size": 8},
        hovertemplate=f"{name} %{{text}}<br>%{{x:g}} {unit}: %{{y:.4g}} W/(m·K)<extra></extra>",
    )


def _marked(study: StudyFacts) -> dict[str, Any]:
    """A dotted line at the present setting, named at its upper end."""
    place = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": study.present, "x1": study.present}
    words = {
        "x": study.present, "y": 1, "yref": "paper", "text": f"present {study.present:g} {study.unit}",
        "showarrow": False, "xanchor": "left", "yanchor": "top", "xshift": 4, "font": {"color": MUTED},
    }  # fmt: skip
    return {"shapes": [{**place, "line": {"color": MUTED, "dash": "dot", "width": 1}}], "annotations": [words]}
