"""κ_L over temperature, and what the mean free paths carry."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from apps.reviews.dossier import CumulativeFacts, TensorFacts
from apps.web.figures.style import MUTED, SERIES, Figure, axis, figure, log_ticks

ANGSTROM_IN_NM = 0.1
SAME = 1e-3
"""Principal values that differ by less, relatively, are drawn as one line."""

DASHES = {"RTA": "solid", "LBTE": "dash"}


def kappa_temperature(tensors: Sequence[TensorFacts]) -> Figure:
    """Principal κ_L, W/(m·K), over temperature, K, both logarithmic; one line style a method."""
    traces = [line for tensor in tensors for line in _lines(tensor)]
    return figure(
        traces,
        xaxis=axis("Temperature (K)", type="log", **log_ticks(t for one in tensors for t in one.temperatures)),
        yaxis=axis("Principal κ<sub>L</sub> (W/(m·K))", type="log", **log_ticks(_values(tensors))),
        shapes=[_mark(tensors[0].temperature)] if tensors else [],
    )


def kappa_cumulative(cumulative: CumulativeFacts, temperature: float) -> Figure:
    """κ_L (trace / 3) carried by phonons of shorter mean free path; the dotted line marks half."""
    paths = [value * ANGSTROM_IN_NM for value in cumulative.mean_free_paths]
    total = cumulative.cumulative[-1] if cumulative.cumulative else 0.0
    trace = go.Scatter(
        x=paths,
        y=cumulative.cumulative,
        mode="lines",
        line={"color": SERIES[0], "width": 2},
        hovertemplate="paths up to %{x:.3g} nm carry %{y:.4g} W/(m·K)<extra></extra>",
    )
    half = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": total / 2, "y1": total / 2}
    return figure(
        [trace],
        xaxis=axis("Mean free path (nm)", type="log", **log_ticks(paths)),
        yaxis=axis(f"Cumulative κ<sub>L</sub> at {temperature:g} K (W/(m·K))", rangemode="tozero"),
        shapes=[{**half, "line": {"color": MUTED, "dash": "dot", "width": 1}}],
        showlegend=False,
    )


def _values(tensors: Sequence[TensorFacts]) -> list[float]:
    return [value for tensor in tensors for row in tensor.principal_by_temperature for value in row]


def _lines(tensor: TensorFacts) -> list[go.Scatter]:
    return [_line(tensor, which) for which in _distinct(tensor)]


def _distinct(tensor: TensorFacts) -> list[int]:
    """Principal values that differ from the one before: degenerate ones are one line."""
    largest = tensor.principal[0] or 1.0
    return [i for i in range(3) if i == 0 or abs(tensor.principal[i] - tensor.principal[i - 1]) > SAME * largest]


def _line(tensor: TensorFacts, which: int) -> go.Scatter:
    name = f"{tensor.method} κ{'₁₂₃'[which]} {tensor.uvw[which]}"
    return go.Scatter(
        x=list(tensor.temperatures),
        y=[row[which] for row in tensor.principal_by_temperature],
        mode="lines",
        name=name,
        line={"color": SERIES[which], "dash": DASHES.get(tensor.method, "solid"), "width": 2},
        hovertemplate=f"{name}<br>%{{x:g}} K: %{{y:.4g}} W/(m·K)<extra></extra>",
    )


def _mark(temperature: float) -> dict[str, object]:
    """A thin line at the ranked temperature."""
    place = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": temperature, "x1": temperature}
    return {**place, "line": {"color": MUTED, "dash": "dot", "width": 1}}
