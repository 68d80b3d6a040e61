"""`python -m kappakit.testing.echo_run FOLDER`: kappakit.run with the echo stage and without engines."""

from __future__ import annotations

import sys
from pathlib import Path

from kappakit import run
from kappakit.errors import InputError
from kappakit.ports import Generator, GeneratorRef, GeneratorTrainer, Potential, PotentialRef, Progress, Trainer
from kappakit.testing.echo import register


class NoEngines:
    """Only progress: the echo asks for nothing else."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    def potential(self, ref: PotentialRef) -> Potential:
        raise InputError(f"no potential {ref.name} here")

    def generator(self, ref: GeneratorRef) -> Generator:
        raise InputError(f"no generator {ref.name} here")

    def trainer(self, engine: str) -> Trainer:
        raise InputError(f"no trainer {engine} here")

    def generator_trainer(self, engine: str) -> GeneratorTrainer:
        raise InputError(f"no trainer {engine} here")


if __name__ == "__main__":
    register()
    sys.exit(run.main(Path(sys.argv[1]).resolve(), NoEngines))
