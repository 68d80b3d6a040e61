"""What a committee disagrees about, iteration by iteration, and how honest its spread is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from apps.committees.selectors.history import CommitteeHistory, Iteration, Named, Point, Reliability
from apps.web.figures.style import MUTED, SERIES, WARNING, Figure, axis, figure, log_ticks

FORCES = "forces"
RIGHT = {"overlaying": "y", "side": "right", "rangemode": "tozero", "showgrid": False}


def uncertainty_by_iteration(history: CommitteeHistory, urls: Mapping[int, str]) -> Figure:
    """The uncertainty of every candidate in each iteration (the paper's Fig. 3b), logarithmic, with the threshold; what
    was labelled is ringed. `urls`: candidate → address of its page."""
    values = [value for row in history.iterations for value in _values(row, history.criterion)]
    traces = [_everyone(history, urls), _labelled(history), _threshold(history)]
    return figure(
        traces,
        xaxis=_iterations(history),
        yaxis=axis(
            f"Uncertainty of {history.criterion} ({history.unit})",
            type="log",
            **log_ticks([*values, history.threshold]),
        ),
    )


def highest_by_iteration(history: CommitteeHistory) -> Figure:
    """The highest and the median uncertainty, and how many candidates are above the threshold (the paper's Fig. 3c)."""
    told = [row for row in history.iterations if row.highest is not None]
    at = [_where(row) for row in told]
    line = {"width": 2, "color": SERIES[0]}
    said = f"%{{fullData.name}}: %{{y:.3g}} {history.unit}<extra></extra>"
    traces: list[Any] = [
        go.Bar(x=at, y=[row.above for row in told], name="above the threshold", yaxis="y2", marker={"color": SERIES[1],
               "opacity": 0.35}, hovertemplate="%{y} above the threshold<extra></extra>"),
        go.Scatter(x=at, y=[row.highest for row in told], mode="lines+markers", name="highest", line=line,
                   hovertemplate=said),
        go.Scatter(x=at, y=[row.median for row in told], mode="lines+markers", name="median",
                   line={**line, "color": SERIES[2], "dash": "dot"}, hovertemplate=said),
        _threshold(history),
    ]  # fmt: skip
    step = max(1, round(max((row.above for row in told), default=0) / 5))
    right = {**RIGHT, "tickmode": "linear", "tick0": 0, "dtick": step}
    return figure(
        traces,
        xaxis=_iterations(history),
        yaxis=axis(f"Uncertainty of {history.criterion} ({history.unit})", rangemode="tozero"),
        yaxis2=axis("Candidates above the threshold", **right),
        margin={"l": 64, "r": 64, "t": 16, "b": 52},
    )


def errors_by_iteration(history: CommitteeHistory) -> Figure:
    """Errors of the members' mean on the fixed test set: energies meV/atom, forces meV/Å on the right."""
    told = [row for row in history.iterations if row.calibration and not row.borrowed]
    at = [_where(row) for row in told]
    shown = (
        ("energy_mae", "energy MAE", "meV/atom", "y", SERIES[0], "solid"),
        ("force_rmse", "force RMSE", "meV/Å", "y2", SERIES[3], "dot"),
    )
    traces = [
        go.Scatter(
            x=at,
            y=[getattr(row.calibration, name) for row in told],
            mode="lines+markers",
            name=title,
            yaxis=side,
            line={"width": 2, "color": colour, "dash": dash},
            hovertemplate=f"{title}: %{{y:.3g}} {unit}<extra></extra>",
        )
        for name, title, unit, side, colour, dash in shown
    ]
    return figure(
        traces,
        xaxis=_iterations(history),
        yaxis=axis("Energy MAE (meV/atom)", rangemode="tozero"),
        yaxis2=axis("Force RMSE (meV/Å)", **RIGHT, tickmode="auto"),
        margin={"l": 64, "r": 64, "t": 16, "b": 52},
    )


def calibration(found: Reliability, criterion: str) -> Figure:
    """|True error| against spread on the test set, both logarithmic, with the diagonal; zeros cannot be shown."""
    spread, error, unit, what = (
        (found.spread_force, found.error_force, "eV/Å", "forces")
        if criterion == FORCES
        else (found.spread_energy, found.error_energy, "meV/atom", "energy")
    )
    pairs = [(s, abs(e), g) for s, e, g in zip(spread, error, found.groups, strict=True) if s > 0 and e]
    ends = [bound(n for pair in pairs for n in pair[:2]) for bound in (min, max)] if pairs else []
    points = go.Scattergl(
        x=[s for s, _, _ in pairs],
        y=[e for _, e, _ in pairs],
        text=[g for *_, g in pairs],
        mode="markers",
        name="configurations of the test set",
        marker={"size": 7, "color": SERIES[0], "opacity": 0.6},
        hovertemplate=f"%{{text}}<br>spread %{{x:.3g}}, error %{{y:.3g}} {unit}<extra></extra>",
    )
    diagonal = go.Scatter(x=ends, y=ends, mode="lines", name="spread = error", hoverinfo="skip",
                          line={"width": 1.5, "color": MUTED, "dash": "dash"})  # fmt: skip
    return figure(
        [points, diagonal],
        xaxis=axis(f"Spread of {what} ({unit})", type="log", **log_ticks(s for s, _, _ in pairs)),
        yaxis=axis(f"|True error| of {what} ({unit})", type="log", **log_ticks(e for _, e, _ in pairs)),
    )


def _everyone(history: CommitteeHistory, urls: Mapping[int, str]) -> go.Scattergl:
    spots = [(row, point) for row in history.iterations for point in row.points]
    return go.Scattergl(
        x=[_where(row) for row, _ in spots],
        y=[_value(point, history.criterion) for _, point in spots],
        text=[_called(history.names.get(point.candidate_id)) for _, point in spots],
        customdata=[urls.get(point.candidate_id, "") for _, point in spots],
        mode="markers",
        name="candidates",
        marker={"size": 7, "color": SERIES[0], "opacity": 0.55},
        hovertemplate=f"%{{text}}: %{{y:.3g}} {history.unit}<extra></extra>",
    )


def _labelled(history: CommitteeHistory) -> go.Scattergl:
    asked = [row for row in history.iterations if row.request and row.request.before is not None]
    ring = {"size": 13, "symbol": "circle-open", "color": SERIES[1], "line": {"color": SERIES[1], "width": 2}}
    return go.Scattergl(
        x=[_where(row) for row in asked],
        y=[row.request.before for row in asked if row.request],
        text=[_called(row.request.candidate) for row in asked if row.request],
        mode="markers",
        name="labelled next",
        marker=ring,
        hovertemplate=f"%{{text}}, labelled: %{{y:.3g}} {history.unit}<extra></extra>",
    )


def _threshold(history: CommitteeHistory) -> go.Scatter:
    at = [_where(row) for row in history.iterations]
    return go.Scatter(
        x=at,
        y=[history.threshold] * len(at),
        mode="lines",
        name=f"threshold {history.threshold:g} {history.unit}",
        line={"width": 1.5, "color": WARNING, "dash": "dash"},
        hoverinfo="skip",
    )


def _iterations(history: CommitteeHistory) -> dict[str, Any]:
    """Iterations in order, sweeps apart; no more than twenty are named."""
    order = [_where(row) for row in history.iterations]
    several = len({row.sweep for row in history.iterations}) > 1
    title = "Iteration, by sweep (no unit)" if several else "Iteration (no unit)"
    return axis(title, type="category", categoryorder="array", categoryarray=order, nticks=20)


def _where(row: Iteration) -> str:
    return f"{row.sweep}/{row.iteration}" if row.sweep else str(row.iteration)


def _values(row: Iteration, criterion: str) -> Sequence[float]:
    return [_value(point, criterion) for point in row.points]


def _value(point: Point, criterion: str) -> float:
    return point.force_spread if criterion == FORCES else point.energy_std


def _called(named: Named | None) -> str:
    return f"{named.name} #{named.index}" if named else ""
