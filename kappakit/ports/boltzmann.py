"""Interaction strengths of three phonons, which the Boltzmann equation is built from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Interactions(Protocol):
    """How the strengths |Φ(q0 λ0, q1 λ1, q2 λ2)|² are computed; everything else of the equation is phono3py's.

    `name` is that of `kappakit.engines.registry.INTERACTIONS`; `version` says what computes, for the records.
    """

    name: str
    version: str

    def prepare(self, calculation: Any, options: Mapping[str, Any]) -> dict[str, Any]:
        """Give a phono3py.Phono3py, which has its mesh, FC2 and FC3, its Interaction.

        Stands in place of `calculation.init_phph_interaction(**options)`; returns what
        `calculation.run_thermal_conductivity` has to be given besides its own arguments.
        """
