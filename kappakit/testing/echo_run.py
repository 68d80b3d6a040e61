"""`python -m kappakit.testing.echo_run FOLDER`: kappakit.run with the echo stage and without engines."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kappakit import run
from kappakit.ports import Progress
from kappakit.testing.echo import register


@dataclass(frozen=True)
class NoEngines:
    """Only progress: the echo asks for nothing else."""

    progress: Progress

    def _none(self, name: Any) -> Any:
        raise LookupError(f"no engine {name} here")

    potential = generator = trainer = _none


if __name__ == "__main__":
    register()
    sys.exit(run.main(Path(sys.argv[1]).resolve(), NoEngines))
