"""How planning, conductivity, neighbours, force sets, studies and validations meet the database."""

from __future__ import annotations

from apps.conductivity.stages import (
    conductivity,
    force_sets,
    kappa_plan,
    kappa_spread,
    kappa_study,
    neighbours,
    validation,
)
from apps.jobs.bindings import Binding

BINDINGS: tuple[Binding, ...] = (
    kappa_plan.BINDING,
    conductivity.BINDING,
    kappa_spread.BINDING,
    kappa_study.BINDING,
    neighbours.BINDING,
    force_sets.BINDING,
    validation.CELLS,
    validation.VALIDATED,
)
