"""RealEngines: the doors that a stage process opens, resolved through the registry."""

from __future__ import annotations

from collections.abc import Sequence

from kappakit.engines.registry import (
    COMMITTEES,
    DFT_CODES,
    GENERATOR_TRAINERS,
    GENERATORS,
    INTERACTIONS,
    POTENTIALS,
    TRAINERS,
    resolve,
)
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


class RealEngines:
    """Implements kappakit.ports.Engines; a potential is loaded once a process."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self._potentials: dict[PotentialRef, Potential] = {}

    def potential(self, ref: PotentialRef) -> Potential:
        """Load a potential; raises InputError for an unknown engine or damaged weights."""
        if ref not in self._potentials:
            self._potentials[ref] = resolve(POTENTIALS, ref.engine, "potential engine")(ref)
        return self._potentials[ref]

    def committee(self, refs: Sequence[PotentialRef]) -> Committee:
        """Load members of one engine and architecture; raises InputError where they do not fit together."""
        engines = {ref.engine for ref in refs}
        if len(engines) != 1:
            raise InputError("the members of a committee are of one engine")
        committee: Committee = resolve(COMMITTEES, engines.pop(), "committee engine")(refs)
        return committee

    def dft(self, engine: str, oracle: PotentialRef | None = None) -> DftCode:
        """A DFT engine; the surrogate takes its potential. Raises InputError for an unknown one."""
        load = resolve(DFT_CODES, engine, "DFT engine")
        code: DftCode = load(self.potential(oracle)) if oracle else load()
        return code

    def generator(self, ref: GeneratorRef) -> Generator:
        """Load a generator; raises InputError for an unknown engine or damaged weights."""
        generator: Generator = resolve(GENERATORS, ref.engine, "generator")(ref)
        return generator

    def trainer(self, engine: str) -> Trainer:
        """The trainer of an engine; raises InputError for an unknown one."""
        trainer: Trainer = resolve(TRAINERS, engine, "trainer")()
        return trainer

    def generator_trainer(self, engine: str) -> GeneratorTrainer:
        """The trainer of a generator's engine; raises InputError for an unknown one."""
        trainer: GeneratorTrainer = resolve(GENERATOR_TRAINERS, engine, "generator's trainer")()
        return trainer

    def interactions(self, name: str) -> Interactions:
        """How the strengths of three-phonon scattering are computed; raises InputError for an unknown name."""
        interactions: Interactions = resolve(INTERACTIONS, name, "way of interactions")()
        return interactions
