"""AllegroPotential: a stored Allegro model as `kappakit.ports.Potential`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from kappakit.crystals import Crystal
from kappakit.engines import torchsim_model
from kappakit.engines.allegro import network
from kappakit.engines.allegro.compiled import cache_folder, compiled, compiler
from kappakit.engines.allegro.evaluator import Evaluator
from kappakit.engines.allegro.graphs import Graph, graph, neighbours
from kappakit.engines.allegro.versions import VERSION
from kappakit.errors import InputError
from kappakit.ports import Evaluation, PotentialRef, Progress, RelaxedCrystal, TrustLimits
from kappakit.protocol import RelaxSettings

CARD, DESCRIPTORS = "card.json", "descriptors.safetensors"
DEFAULT_PRECISION = "float64"


class AllegroPotential:
    """Compiled on first use where a C++ compiler is found (a minute, then cached), uncompiled otherwise.

    Attributes as in `kappakit.ports.Potential`; `network` with its `description` beside them, uncompiled.
    """

    engine = "allegro"
    version = VERSION

    def __init__(
        self,
        folder: Path,
        *,
        precision: str | None = None,
        cache: Path | None = None,
        compile_model: bool | None = None,
    ) -> None:
        """None: `precision` as the card says, `compile_model` where a compiler is found.

        Raises InputError for a damaged folder.
        """
        self._folder = folder
        self._card = read_card(folder)
        self.name = str(self._card.get("name", folder.name))
        self.sha256 = network.digest(folder)
        self.precision = precision or str(self._card.get("precision", DEFAULT_PRECISION))
        if self.precision not in network.DTYPES:
            raise InputError(f"a potential computes in float32 or float64, not {self.precision}")
        self.network, self.description = network.load(folder, dtype=self.precision)
        self.network.requires_grad_(False)
        self.species = self.description.species
        self.compiled = compiler() is not None if compile_model is None else compile_model
        self._cache = cache_folder(cache)
        self.trust = trust_limits(self._card)

    @cached_property
    def trust_descriptors(self) -> np.ndarray | None:
        """(n, d) SOAP vectors of the training configurations, None where the folder holds none."""
        path = self._folder / DESCRIPTORS
        if not path.exists():
            return None
        try:
            return load_file(str(path))["soap"]
        except (OSError, KeyError, SafetensorError) as error:
            raise InputError(f"{path} is damaged: {error}") from error

    @cached_property
    def _evaluator(self) -> Evaluator:
        model = self.network
        if self.compiled:
            model = compiled(
                self.network,
                sha256=self.sha256,
                dtype=self.precision,
                example=_example(self.description),
                cache=self._cache,
            )
        return Evaluator(model, self.description)

    def evaluate(self, crystals: Sequence[Crystal]) -> list[Evaluation]:
        """Evaluate each crystal; raises InputError on an element it does not know."""
        self._check(crystals)
        return self._evaluator.evaluate(crystals)

    def relax(self, crystals: Sequence[Crystal], settings: RelaxSettings, progress: Progress) -> list[RelaxedCrystal]:
        """Relax cell and positions of all crystals together by torch-sim's FIRE."""
        self._check(crystals)
        return torchsim_model.relax(self._evaluator.torchsim_model(), crystals, settings, progress)

    def _check(self, crystals: Sequence[Crystal]) -> None:
        unknown = {s for c in crystals for s in c.symbols} - set(self.species)
        if unknown:
            raise InputError(f"{self.name} knows {', '.join(self.species)}, not {', '.join(sorted(unknown))}")


def _example(description: network.Description) -> Graph:
    """Two crystals that the compiler traces; their sizes do not matter."""
    cell = np.eye(3) * 3.0
    positions = np.array([[0.0, 0.0, 0.0], [0.5, 0.5, 0.52]])
    crystal = Crystal.from_symbols(cell, positions, [description.species[0]] * 2)
    part = neighbours(crystal, description.architecture.cutoff, description.species)
    return graph([part, part])


def read_card(folder: Path) -> dict[str, Any]:
    """The model card; raises InputError for a missing or damaged one."""
    try:
        card = json.loads((folder / CARD).read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} holds no model card: {error}") from error
    if not isinstance(card, dict):
        raise InputError(f"{folder / CARD} is not a model card")
    return card


def trust_limits(card: dict[str, Any]) -> TrustLimits:
    """The card's `trust` fields, defaults where it gives none; raises InputError for unknown ones."""
    given = card.get("trust", {})
    known = {f.name for f in fields(TrustLimits)}
    if not isinstance(given, dict) or given.keys() - known:
        raise InputError(f"the card's trust limits have other fields than {', '.join(sorted(known))}")
    return TrustLimits(**given)


def load(ref: PotentialRef) -> AllegroPotential:
    """The potential of a reference; raises InputError for damaged weights or a digest that differs."""
    return _verified(AllegroPotential(Path(ref.folder)), ref)


def load_uncompiled(ref: PotentialRef) -> AllegroPotential:
    """The same in double precision, ready at once."""
    return _verified(AllegroPotential(Path(ref.folder), precision="float64", compile_model=False), ref)


def _verified(potential: AllegroPotential, ref: PotentialRef) -> AllegroPotential:
    if ref.sha256 and ref.sha256 != potential.sha256:
        raise InputError(f"the weights in {ref.folder} are not those of {ref.name}: their sha256 differs")
    return potential
