"""Training curves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from apps.web.figures.style import SERIES, Figure, axis, figure, log_ticks


@dataclass(frozen=True)
class Panel:
    """One figure: columns of the curve with the names of their lines, a title with the unit, and how a point reads."""

    name: str
    title: str
    reads: str
    lines: tuple[tuple[str, str], ...]


TRAINED, HELD_OUT = "training", "held out"
PANELS = (
    Panel("train_loss", "Training loss", "{y:.3g}", (("train_loss", ""),)),
    Panel("val_energy_mae", "Energy MAE, held out (meV/atom)", "{y:.3g} meV/atom", (("val_energy_mae", ""),)),
    Panel("val_force_rmse", "Force RMSE, held out (meV/Å)", "{y:.3g} meV/Å", (("val_force_rmse", ""),)),
    Panel("val_stress_mae", "Stress MAE, held out (GPa)", "{y:.3g} GPa", (("val_stress_mae", ""),)),
)
GENERATOR_PANELS = (
    *(
        Panel(term, f"{term.capitalize()} term", "{y:.3g}", ((f"train_{term}", TRAINED), (f"val_{term}", HELD_OUT)))
        for term in ("coordinates", "lattice", "number")
    ),
    Panel("val_types", "Types term, held out", "{y:.3g}", (("val_types", ""),)),
    Panel("kl", "KL divergence (nats a crystal)", "{y:.3g} nats", (("kl", ""),)),
    Panel("learning_rate", "Learning rate", "{y:.3g}", (("learning_rate", ""),)),
)
"""Terms of the objective have no unit; a lattice's is a negative logarithm of a density and may be below zero."""


def training_curves(curve: Mapping[str, Sequence[float]]) -> dict[str, Figure]:
    """Panel → figure, logarithmic; `curve`: column → values, one an epoch of a potential, one for some steps of a
    generator. Columns that were never measured are left out."""
    steps = "step" in curve
    panels, over, unit = (GENERATOR_PANELS, "step", "Step") if steps else (PANELS, "epoch", "Epoch")
    measured = [panel for panel in panels if any(_measured(curve.get(column, ())) for column, _ in panel.lines)]
    return {panel.name: _figure(curve, panel, over, unit) for panel in measured}


def _figure(curve: Mapping[str, Sequence[float]], panel: Panel, over: str, unit: str) -> Figure:
    shown = [(curve[column], name) for column, name in panel.lines if _measured(curve.get(column, ()))]
    numbers = [value for values, _ in shown for value in values if value is not None]
    below_zero = min(numbers) < 0
    traces = [
        _line(curve[over], values, name, colour, over, panel.reads, below_zero)
        for (values, name), colour in zip(shown, SERIES, strict=False)
    ]
    scale: dict[str, Any] = {} if below_zero else {"type": "log", **log_ticks(numbers)}
    return figure(traces, xaxis=axis(unit), yaxis=axis(panel.title, **scale), showlegend=len(traces) > 1)


def _line(
    places: Sequence[float], values: Sequence[float], name: str, colour: str, over: str, reads: str, below_zero: bool
) -> Any:
    return go.Scatter(
        x=list(places),
        y=[value if below_zero or _positive(value) else None for value in values],
        name=name,
        mode="lines",
        connectgaps=True,
        line={"color": colour, "width": 2},
        hovertemplate=f"{name} {over} %{{x}}: %{reads}<extra></extra>".lstrip(),
    )


def _measured(values: Iterable[float | None]) -> bool:
    return any(value for value in values)


def _positive(value: float | None) -> bool:
    return value is not None and value > 0
