"""How planning, conductivity, neighbours, force sets and validations meet the database."""

from __future__ import annotations

from apps.conductivity.stages import conductivity, force_sets, kappa_plan, kappa_spread, neighbours, validation
from apps.jobs.bindings import Binding

BINDINGS: tuple[Binding, ...] = (
    kappa_plan.BINDING,
    conductivity.BINDING,
    kappa_spread.BINDING,
    neighbours.BINDING,
    force_sets.BINDING,
    validation.CELLS,
    validation.VALIDATED,
)
