"""Training curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from apps.web.figures.style import SERIES, Figure, axis, figure, log_ticks

PANELS = (
    ("train_loss", "Training loss", "{y:.3g}"),
    ("val_energy_mae", "Energy MAE, held out (meV/atom)", "{y:.3g} meV/atom"),
    ("val_force_rmse", "Force RMSE, held out (meV/Å)", "{y:.3g} meV/Å"),
    ("val_stress_mae", "Stress MAE, held out (GPa)", "{y:.3g} GPa"),
)
"""Column of a curve → title of its panel with unit, and how a point reads."""


def training_curves(curve: Mapping[str, Sequence[float]]) -> dict[str, Figure]:
    """column → figure over epochs, logarithmic; `curve`: column → values, one an epoch. Columns that were never
    measured are left out."""
    measured = [panel for panel in PANELS if any(_positive(value) for value in curve.get(panel[0], ()))]
    return {column: _panel(curve["epoch"], curve[column], title, text) for column, title, text in measured}


def _panel(epochs: Sequence[float], values: Sequence[float], title: str, text: str) -> Figure:
    trace = go.Scatter(
        x=list(epochs),
        y=[value if _positive(value) else None for value in values],
        mode="lines",
        connectgaps=True,
        line={"color": SERIES[0], "width": 2},
        hovertemplate=f"epoch %{{x}}: %{text}<extra></extra>",
    )
    return figure([trace], xaxis=axis("Epoch"), yaxis=axis(title, type="log", **log_ticks(values)), showlegend=False)


def _positive(value: float | None) -> bool:
    return value is not None and value > 0
