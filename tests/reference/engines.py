"""The doors of a stage that is given its forces: nothing but the interaction strengths is asked for."""

from __future__ import annotations

from kappakit.engines.registry import INTERACTIONS, resolve
from kappakit.ports import Interactions, SilentProgress


class NoPotential:
    """Progress and the real interaction strengths."""

    progress = SilentProgress()

    def interactions(self, name: str) -> Interactions:
        """By the registry."""
        found: Interactions = resolve(INTERACTIONS, name, "interactions")()
        return found
