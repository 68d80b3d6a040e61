"""κ_L over temperature and over the mesh, what the mean free paths carry, and how the estimate orders crystals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from apps.reviews.dossier import CumulativeFacts, MeshStepFacts, TensorFacts
from apps.reviews.tables import EstimatePoint
from apps.web.figures.style import MUTED, SERIES, Figure, axis, figure, in_lines, log_ticks

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


def kappa_meshes(steps: Sequence[MeshStepFacts], tolerance: float) -> Figure:
    """Principal κ_L over the length of the mesh; bands: ± the allowed share `tolerance` about the longest mesh's."""
    last = steps[-1].principal
    shown = [i for i in range(3) if i == 0 or abs(last[i] - last[i - 1]) > SAME * last[0]]
    return figure(
        [_mesh_line(steps, i) for i in shown],
        xaxis=axis("Mesh length (Å)"),
        yaxis=axis("Principal κ<sub>L</sub> (W/(m·K))", rangemode="tozero"),
        shapes=[_band(last[i], tolerance, SERIES[i]) for i in shown],
    )


def _mesh_line(steps: Sequence[MeshStepFacts], which: int) -> go.Scatter:
    name = f"κ{'₁₂₃'[which]}"
    return go.Scatter(
        x=[step.length for step in steps],
        y=[step.principal[which] for step in steps],
        text=["×".join(map(str, step.numbers)) for step in steps],
        mode="lines+markers",
        name=name,
        line={"color": SERIES[which], "width": 2},
        hovertemplate=f"{name}, %{{x:.3g}} Å (%{{text}}): %{{y:.4g}} W/(m·K)<extra></extra>",
    )


def _band(value: float, tolerance: float, colour: str) -> dict[str, object]:
    """± the share `tolerance` of a value, over the whole width."""
    place = {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "layer": "below", "line": {"width": 0}}
    return {**place, "y0": value * (1 - tolerance), "y1": value * (1 + tolerance), "fillcolor": colour, "opacity": 0.15}


def estimate_ranks(points: Sequence[EstimatePoint], urls: Mapping[int, str]) -> Figure:
    """κ_L (RTA) over its estimate, W/(m·K), both logarithmic; the dotted line: equal. `urls`: candidate → its page."""
    trace = go.Scatter(
        x=[point.promise for point in points],
        y=[point.kappa for point in points],
        text=[f"<b>{point.name}</b> #{point.index}" for point in points],
        customdata=[urls[point.candidate_id] for point in points],
        hovertext=["<br>".join(in_lines(point.label)) for point in points],
        mode="markers",
        marker={"size": 9, "color": SERIES[0], "opacity": 0.8},
        hovertemplate="%{text}<br>estimate %{x:.4g}, κ_L (RTA) %{y:.4g} W/(m·K)<br>%{hovertext}<extra></extra>",
    )
    values = [value for point in points for value in (point.promise, point.kappa)]
    ends = {"x0": min(values), "y0": min(values), "x1": max(values), "y1": max(values)}
    return figure(
        [trace],
        xaxis=axis("Estimate before computing (W/(m·K))", type="log", **log_ticks(p.promise for p in points)),
        yaxis=axis("κ<sub>L</sub>, RTA (W/(m·K))", type="log", **log_ticks(p.kappa for p in points)),
        shapes=[{"type": "line", **ends, "line": {"color": MUTED, "dash": "dot", "width": 1}}],
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
