"""A committee of analytic potentials that differ by known amounts, and a trainer that learns nothing. No torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from kappakit.crystals import Crystal
from kappakit.errors import InputError
from kappakit.ports import (
    CommitteeEvaluation,
    LabelledCrystal,
    PotentialRef,
    Progress,
    TrainingCurvePoint,
    TrainingResult,
)
from kappakit.testing.potentials import FakePotential

DISAGREEMENT = 0.2
"""Relative differences of the members' stiffness spread so far without labels; halved by every HALVING of them."""
HALVING = 8
CARD = "card.json"


class FakeMember(FakePotential):
    """The fake potential with another resistance to bending: all agree on diamond, and on nothing that is bent."""

    def __init__(self, factor: float) -> None:
        self.stiffness = FakePotential.stiffness * factor


class FakeCommittee:
    """Members in the order of the refs; they agree the more, the more labels their cards name."""

    def __init__(self, refs: Sequence[PotentialRef]) -> None:
        if not refs:
            raise InputError("a committee has members")
        self.size = len(refs)
        places = np.linspace(-1.0, 1.0, self.size) if self.size > 1 else np.zeros(1)
        self._members = [
            FakeMember(1.0 + DISAGREEMENT * place * 0.5 ** (_labels(ref) / HALVING))
            for ref, place in zip(refs, places, strict=True)
        ]

    def evaluate(self, crystals: Sequence[Crystal]) -> list[CommitteeEvaluation]:
        """Each member on each crystal."""
        rows = [[member.evaluate([crystal])[0] for member in self._members] for crystal in crystals]
        return [CommitteeEvaluation(np.array([e.energy for e in r]), np.array([e.forces for e in r])) for r in rows]

    def member(self, index: int) -> FakePotential:
        """One of them."""
        return self._members[index]


def _labels(ref: PotentialRef) -> int:
    path = Path(ref.folder) / CARD
    if not ref.folder or not path.exists():
        return 0
    labels: int = json.loads(path.read_text()).get("data", {}).get("labels", 0)
    return labels


class FakeTrainer:
    """Stores weights that depend on the seed and on what it was given, as a real one would, after no work."""

    def train(
        self,
        frames: Sequence[LabelledCrystal],
        *,
        configuration: str,
        overrides: dict[str, Any],
        seed: int,
        always_train: Sequence[str],
        folder: Path,
        progress: Progress,
        held_out: Sequence[str] | None = None,
        initial: Path | None = None,
    ) -> TrainingResult:
        """One epoch that is over at once."""
        folder.mkdir(parents=True, exist_ok=True)
        trained = [f for f in frames if f.group not in (held_out or ())]
        weights = np.array([seed, sum(f.evaluation.energy for f in trained)], dtype=np.float64)
        save_file({"weights": weights}, str(folder / "model.safetensors"))
        (folder / "model.json").write_text("{}\n")
        card = {
            "name": configuration,
            "engine": "fake",
            "seed": seed,
            "errors": {},
            "initial": None if initial is None else _digest(initial),
        }
        (folder / CARD).write_text(json.dumps(card))
        progress(1, 1, "nothing to learn")
        point = TrainingCurvePoint(1, 0.1, 10.0, 100.0, 1.0, 1e-3, 0.0)
        return TrainingResult(str(folder), _digest(folder), card, (point,))


def _digest(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
