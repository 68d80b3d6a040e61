"""The doors of a stage that asks for a potential: Tersoff's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kappakit.engines.registry import INTERACTIONS, resolve
from kappakit.ports import Interactions, PotentialRef, SilentProgress
from tests.kappakit.tersoff_potential import TersoffPotential


@dataclass
class TersoffEngines:
    """Whatever potential is asked for, `of` comes."""

    of: TersoffPotential = field(default_factory=TersoffPotential)
    progress: SilentProgress = field(default_factory=SilentProgress)

    def potential(self, ref: PotentialRef) -> TersoffPotential:
        return self.of

    def interactions(self, name: str) -> Interactions:
        """The real ones: nothing about them is slow on small crystals."""
        return resolve(INTERACTIONS, name, "interactions")()

    def generator(self, name: str) -> Any:
        raise LookupError(name)

    def trainer(self, engine: str) -> Any:
        raise LookupError(engine)
