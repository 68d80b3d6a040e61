"""AllegroTrainer: the engine's `ports.Trainer`; also a command, `python -m kappakit.engines.allegro.trainer`."""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from kappakit.engines.allegro import network
from kappakit.engines.allegro.batches import prepare
from kappakit.engines.allegro.configurations import Configuration, configuration
from kappakit.engines.allegro.dataset import Split, held_out_split, split
from kappakit.engines.allegro.preparation import describe, stored_start
from kappakit.engines.allegro.training import CURVE, Training
from kappakit.engines.allegro.versions import VERSION
from kappakit.labels import read_frames
from kappakit.ports import LabelledCrystal, PrintedProgress, Progress, TrainingCurvePoint, TrainingResult
from kappakit.units import EV_PER_A3_IN_GPA

CARD = "card.json"


class AllegroTrainer:
    """Trains a named configuration; what it leaves in the folder resumes it."""

    def __init__(self, device: str = "cpu") -> None:
        self.device = device

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
        """Train to the end; raises InputError for an unknown configuration, too few groups, a foreign checkpoint, and
        for `initial` weights of another architecture.

        `held_out`: exactly these groups validate and nothing is a test set. Validation only observes: no weight and no
        end of a training depends on it. `initial`: the energy's scale and shift stay those of its weights.
        """
        chosen = _named(configuration, overrides)
        parts = _split(frames, chosen, seed, always_train, held_out)
        start = None if initial is None else stored_start(initial, chosen.architecture)
        description, train = describe(parts.train, chosen.architecture, seed, start)
        training = Training(description, chosen.training, seed=seed, device=self.device, folder=folder)
        if start is not None:
            training.begin_from(start)
        training.resume()
        validation = prepare(parts.validation, chosen.architecture.cutoff, description.species)
        training.run(train, validation, progress)
        sha256 = training.store()
        card = _card(chosen, training, parts, seed, always_train, self.device)
        card |= {"initial": None if start is None else start.sha256}
        (folder / CARD).write_text(json.dumps(card, indent=1) + "\n")
        return TrainingResult(str(folder), sha256, card, read_curve(folder))


def _named(name: str, overrides: dict[str, Any]) -> Configuration:
    return configuration(name, overrides)


def _split(
    frames: Sequence[LabelledCrystal],
    chosen: Configuration,
    seed: int,
    always_train: Sequence[str],
    held_out: Sequence[str] | None,
) -> Split:
    if held_out is not None:
        return held_out_split(frames, held_out)
    return split(
        frames,
        seed=seed,
        always_train=always_train,
        validation_fraction=chosen.training.validation_fraction,
        test_fraction=chosen.training.test_fraction,
    )


def read_curve(folder: Path) -> tuple[TrainingCurvePoint, ...]:
    """The points written so far."""
    path = folder / CURVE
    lines = path.read_text().splitlines() if path.exists() else []
    return tuple(TrainingCurvePoint(**json.loads(line)) for line in lines)


def _card(
    chosen: Configuration, training: Training, parts: Split, seed: int, always_train: Sequence[str], device: str
) -> dict[str, Any]:
    uses = [use for use in ("train", "validation", "test") if getattr(parts, use)]
    return {
        "name": chosen.name,
        "engine": "allegro",
        "version": VERSION,
        "configuration": chosen.as_dict(),
        "parameters": network.parameter_count(training.network),
        "seed": seed,
        "species": list(training.description.species),
        "split": {
            "by": "distinct crystal (group), never by frame",
            "held_out": "given" if parts.given else "drawn from the seed",
            "always_train": list(always_train),
            **{use: _use(getattr(parts, use)) for use in ("train", "validation", "test")},
        },
        "training": {
            "epochs": training.epoch,
            "seconds": round(sum(p.seconds for p in read_curve(training.folder)), 1),
            "device": torch.cuda.get_device_name() if device == "cuda" else platform.processor() or platform.machine(),
        },
        "errors": {use: _errors(training, getattr(parts, use)) for use in uses},
    }


def _use(frames: Sequence[LabelledCrystal]) -> dict[str, Any]:
    return {"frames": len(frames), "groups": sorted({f.group for f in frames})}


def _errors(training: Training, frames: Sequence[LabelledCrystal]) -> dict[str, Any]:
    kinds = sorted({f.kind for f in frames})
    chosen = {"all": list(frames), **{k: [f for f in frames if f.kind == k] for k in kinds if k}}
    return {kind: _error_row(training, some) for kind, some in chosen.items()}


def _error_row(training: Training, frames: Sequence[LabelledCrystal]) -> dict[str, float]:
    description = training.description
    energy, force, stress = training.errors(prepare(frames, description.architecture.cutoff, description.species))
    return {
        "frames": len(frames),
        "energy_mae_mev_per_atom": round(energy, 3),
        "force_rmse_mev_per_angstrom": round(force, 2),
        "stress_mae_gpa": round(stress * EV_PER_A3_IN_GPA, 4),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line: train CONFIGURATION on DATASET into FOLDER."""
    parser = argparse.ArgumentParser(description="Train an Allegro potential; run again to resume.")
    parser.add_argument("configuration")
    parser.add_argument("dataset", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--always-train", nargs="*", default=[])
    parser.add_argument("--override", nargs="*", default=[], metavar="FIELD=VALUE")
    given = parser.parse_args(arguments)
    overrides = dict(item.split("=", 1) for item in given.override)
    result = AllegroTrainer(given.device).train(
        read_frames(given.dataset),
        configuration=given.configuration,
        overrides={k: v if k == "loss" else float(v) for k, v in overrides.items()},
        seed=given.seed,
        always_train=given.always_train,
        folder=given.folder,
        progress=PrintedProgress(),
    )
    print(json.dumps({k: result.card[k] for k in ("parameters", "training", "errors")}))


if __name__ == "__main__":
    main()
