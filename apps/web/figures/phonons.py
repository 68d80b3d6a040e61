"""Phonon bands with the density of states beside them."""

from __future__ import annotations

from itertools import pairwise

import plotly.graph_objects as go

from apps.reviews.dossier import BandsFacts, DosFacts
from apps.web.figures.style import MUTED, SERIES, WARNING, Figure, axis, figure
from kappakit.units import THZ_IN_PER_CM

MEETING = 1e-6
"""Ticks closer than this share one label, 'U|K'."""


def bands_dos(bands: BandsFacts, dos: DosFacts) -> Figure:
    """Frequencies in THz along the path, and states per THz; imaginary ones lie below zero on a tinted ground."""
    ticks = merged_ticks(bands.ticks)
    lowest = min((min(row) for row in bands.frequencies), default=0.0)
    return figure(
        [*_branches(bands), _dos(dos)],
        xaxis=axis(
            "Wave vector", domain=[0, 0.78], tickvals=[at for at, _ in ticks], ticktext=[label for _, label in ticks],
            showgrid=True, zeroline=False, range=[bands.distances[0], bands.distances[-1]],
        ),
        xaxis2=axis("DOS (1/THz)", domain=[0.81, 1], zeroline=False, rangemode="tozero", nticks=3),
        yaxis=axis("Frequency (THz)", zeroline=True, zerolinewidth=1),
        shapes=[_imaginary_ground(lowest)] if lowest < 0 else [],
        showlegend=False,
    )  # fmt: skip


def bands_beside(bands: BandsFacts, overlay: BandsFacts, *, name: str, overlay_name: str) -> Figure:
    """Two sets of bands in THz at the same fractional wave vectors: `bands` drawn over `overlay`, named in a legend."""
    ticks = merged_ticks(bands.ticks)
    lowest = min(min(row) for drawn in (bands, overlay) for row in drawn.frequencies)
    below = _branches(overlay, colour=SERIES[1], name=overlay_name, dash="dash")
    return figure(
        [*below, *_branches(bands, name=name)],
        xaxis=axis(
            "Wave vector", tickvals=[at for at, _ in ticks], ticktext=[label for _, label in ticks],
            showgrid=True, zeroline=False, range=[bands.distances[0], bands.distances[-1]],
        ),
        yaxis=axis("Frequency (THz)", zeroline=True, zerolinewidth=1),
        shapes=[_imaginary_ground(lowest)] if lowest < 0 else [],
        showlegend=True,
    )  # fmt: skip


def merged_ticks(ticks: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """One tick a place: labels that meet at a break are joined by a bar."""
    merged: list[tuple[float, str]] = []
    for at, label in ticks:
        if merged and abs(at - merged[-1][0]) < MEETING:
            before = merged[-1][1]
            merged[-1] = (at, before if label == before else f"{before}|{label}")
        else:
            merged.append((at, label))
    return merged


def segments(count: int, breaks: list[int]) -> list[tuple[int, int]]:
    """(start, end) of every connected piece of a path of `count` points."""
    bounds = [0, *sorted(b for b in set(breaks) if 0 < b < count), count]
    return list(pairwise(bounds))


def _branches(bands: BandsFacts, *, colour: str = SERIES[0], name: str = "", dash: str = "solid") -> list[go.Scatter]:
    """One line a branch; together they are one entry of the legend."""
    count = len(bands.frequencies[0]) if bands.frequencies else 0
    return [
        _branch(bands, branch, {"color": colour, "width": 1.4, "dash": dash}).update(
            name=name, legendgroup=name, showlegend=bool(name) and branch == 0
        )
        for branch in range(count)
    ]


def _branch(bands: BandsFacts, branch: int, line: dict[str, object]) -> go.Scatter:
    x: list[float | None] = []
    y: list[float | None] = []
    for start, end in segments(len(bands.distances), bands.breaks):
        x += [*bands.distances[start:end], None]
        y += [*(row[branch] for row in bands.frequencies[start:end]), None]
    return go.Scatter(
        x=x,
        y=y,
        mode="lines",
        connectgaps=False,
        line=line,
        customdata=[None if value is None else value * THZ_IN_PER_CM for value in y],
        hovertemplate="%{y:.2f} THz = %{customdata:.0f} cm⁻¹<extra></extra>",
    )


def _dos(dos: DosFacts) -> go.Scatter:
    return go.Scatter(
        x=dos.total,
        y=dos.frequencies,
        xaxis="x2",
        mode="lines",
        fill="tozerox",
        line={"color": MUTED, "width": 1.2},
        hovertemplate="%{y:.2f} THz: %{x:.3g} states/THz<extra></extra>",
    )


def _imaginary_ground(lowest: float) -> dict[str, object]:
    place = {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": min(lowest * 1.1, -0.05), "y1": 0}
    return {**place, "fillcolor": WARNING, "opacity": 0.08, "line": {"width": 0}, "layer": "below"}
