"""`python -m kappakit.testing.run FOLDER`: kappakit.run with the analytic potential in place of every engine's."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from kappakit import run
from kappakit.engines.doors import RealEngines
from kappakit.ports import DftCode, Potential, PotentialRef
from kappakit.testing.dft import SimulatedDft
from kappakit.testing.potentials import FakePotential


class FakeEngines(RealEngines):
    """Real generators and trainers, which are quick enough; potential and DFT are analytic."""

    def potential(self, ref: PotentialRef) -> Potential:
        return FakePotential()

    def dft(self, engine: str, oracle: PotentialRef | None = None) -> DftCode:
        """Simulated, whatever was asked for, and it says so."""
        return SimulatedDft()


if __name__ == "__main__":
    target = Path(sys.argv[1]).resolve()
    run.limit_threads(int(json.loads((target / "stage.json").read_text())["threads"]))
    sys.exit(run.main(target, FakeEngines))
