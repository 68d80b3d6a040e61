"""`python -m kappakit.testing.echo_run FOLDER`: kappakit.run with the echo stage and without engines."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from kappakit import run
from kappakit.errors import InputError
from kappakit.ports import (
    Committee,
    DftCode,
    Generator,
    GeneratorRef,
    GeneratorTrainer,
    Interactions,
    Potential,
    PotentialRef,
    Progress,
    Trainer,
)
from kappakit.testing.echo import register


class NoEngines:
    """Only progress: the echo asks for nothing else."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    def potential(self, ref: PotentialRef) -> Potential:
        raise InputError(f"no potential {ref.name} here")

    def committee(self, refs: Sequence[PotentialRef]) -> Committee:
        raise InputError("no committee here")

    def dft(self, engine: str, oracle: PotentialRef | None = None) -> DftCode:
        raise InputError(f"no DFT engine {engine} here")

    def generator(self, ref: GeneratorRef) -> Generator:
        raise InputError(f"no generator {ref.name} here")

    def trainer(self, engine: str) -> Trainer:
        raise InputError(f"no trainer {engine} here")

    def generator_trainer(self, engine: str) -> GeneratorTrainer:
        raise InputError(f"no trainer {engine} here")

    def interactions(self, name: str) -> Interactions:
        raise InputError(f"no interactions {name} here")


if __name__ == "__main__":
    register()
    sys.exit(run.main(Path(sys.argv[1]).resolve(), NoEngines))
