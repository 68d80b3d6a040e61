"""What a generator's crystals became: distinct ones against how many, deviations by relaxation, the latent space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from apps.structures.selectors.generation_curves import Deviations, GenerationCurves, LatentMap
from apps.web.figures.maps import NO_AXIS
from apps.web.figures.style import MUTED, SERIES, Figure, axis, figure, log_ticks

PERCENT = 100.0
SHOWN = (("unique", "distinct", SERIES[0]), ("novel", "novel", SERIES[2]), ("kept", "pass the screen", SERIES[1]))


def rarefaction_curves(curves: GenerationCurves) -> Figure:
    """Shares in % of all that were asked for, over how many were generated (logarithmic)."""
    wanted = [row for row in SHOWN if row[0] != "novel" or curves.novel_known]
    traces = [_share(curves.drawn, getattr(curves, name), title, colour) for name, title, colour in wanted]
    return figure(
        traces,
        xaxis=axis("Crystals generated", type="log", **log_ticks(curves.drawn)),
        yaxis=axis("Share of the generated (%)", rangemode="tozero"),
    )


def _share(drawn: Sequence[int], found: Sequence[float], title: str, colour: str) -> go.Scatter:
    return go.Scatter(
        x=list(drawn),
        y=[PERCENT * value / n for value, n in zip(found, drawn, strict=True)],
        customdata=[[value] for value in found],
        mode="lines",
        name=title,
        line={"width": 2, "color": colour},
        hovertemplate=f"%{{customdata[0]:.1f}} {title} of %{{x}} generated: %{{y:.1f}} %<extra></extra>",
    )


def deviation_violins(found: Deviations) -> dict[str, Figure]:
    """name → violin: relative changes of lengths, angles and volume in %, displacements in units of (V/N)^(1/3)."""
    panels: Mapping[str, tuple[str, Sequence[float]]] = {
        "lengths": ("Change of lattice lengths (%)", found.lengths),
        "angles": ("Change of lattice angles (%)", found.angles),
        "volume": ("Change of the volume (%)", found.volume),
        "positions": ("Displacement, rms ((V/N)<sup>1/3</sup>)", found.positions),
    }
    return {
        name: _violin(title, values, colour)
        for (name, (title, values)), colour in zip(panels.items(), SERIES, strict=False)
    }


def _violin(title: str, values: Sequence[float], colour: str) -> Figure:
    trace = go.Violin(
        y=list(values),
        name="",
        line={"color": colour},
        box={"visible": True},
        meanline={"visible": True},
        points=False,
        spanmode="hard",
        hoverinfo="y",
    )
    return figure([trace], yaxis=axis(title), xaxis={**NO_AXIS}, showlegend=False)


def latent_plane(found: LatentMap, urls: Mapping[int, str]) -> Figure:
    """Training crystals in grey below generated ones; `urls`: candidate → address of its page. No unit."""
    traces: list[Any] = [
        _points(found.training, "training crystals", {"size": 6, "color": MUTED, "opacity": 0.55}, "%{text}"),
        _points(found.candidates, "generated", {"size": 8, "color": SERIES[0], "opacity": 0.8}, "candidate %{text}"),
    ]
    traces[1].customdata = [urls.get(pk, "") for pk, _, _ in found.candidates]
    return figure(
        traces,
        xaxis=NO_AXIS,
        yaxis={**NO_AXIS, "scaleanchor": "x"},
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        dragmode="pan",
        legend={"orientation": "h", "y": -0.02, "yanchor": "top", "x": 0},
    )


def _points(points: Sequence[tuple[Any, float, float]], name: str, marker: dict[str, Any], text: str) -> go.Scattergl:
    return go.Scattergl(
        x=[x for _, x, _ in points],
        y=[y for *_, y in points],
        text=[str(key) for key, *_ in points],
        mode="markers",
        name=name,
        marker=marker,
        hovertemplate=f"{text}<extra></extra>",
    )
