"""`python -m kappakit.testing.quick_run FOLDER`: kappakit.testing.run with a trainer that learns nothing, too."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from kappakit import run
from kappakit.ports import Trainer
from kappakit.testing.committees import FakeTrainer
from kappakit.testing.run import FakeEngines


class QuickEngines(FakeEngines):
    """For what is about the course of a campaign, not about learning: no stage of it loads torch."""

    def trainer(self, engine: str) -> Trainer:
        return FakeTrainer()


if __name__ == "__main__":
    target = Path(sys.argv[1]).resolve()
    run.limit_threads(int(json.loads((target / "stage.json").read_text())["threads"]))
    sys.exit(run.main(target, QuickEngines))
