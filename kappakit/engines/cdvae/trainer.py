"""CdvaeTrainer: the engine's `ports.GeneratorTrainer`; also a command, `python -m kappakit.engines.cdvae.trainer`."""

from __future__ import annotations

import argparse
import json
import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kappakit.engines.cdvae import network
from kappakit.engines.cdvae.bank import Bank, encoded, symmetry_facts
from kappakit.engines.cdvae.batches import Store, niggli, store
from kappakit.engines.cdvae.configurations import Configuration, configuration
from kappakit.engines.cdvae.crystal_file import read_crystals, write_crystals
from kappakit.engines.cdvae.generator import VERSION
from kappakit.engines.cdvae.geometry import effective_neighbours, parameters_of
from kappakit.engines.cdvae.precision import single_precision
from kappakit.engines.cdvae.training import CURVE, Training
from kappakit.errors import InputError
from kappakit.ports import (
    PARTS,
    GeneratorCurvePoint,
    GeneratorTrainingResult,
    PrintedProgress,
    Progress,
    TrainingCrystal,
)

CARD = "card.json"
FEWEST = 8
"""Training crystals without which there is nothing to learn."""
SMALLEST_STD = 1e-2


class CdvaeTrainer:
    """Trains a named configuration; what it leaves in the folder resumes it."""

    def __init__(self, device: str = "") -> None:
        """`device` 'cpu' or 'cuda'; '': a GPU where torch sees one."""
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")

    @single_precision()
    def train(
        self,
        crystals: Sequence[TrainingCrystal],
        *,
        configuration: str,
        overrides: dict[str, Any],
        seed: int,
        minutes: float,
        folder: Path,
        progress: Progress,
    ) -> GeneratorTrainingResult:
        """Train to the end.

        Raises InputError for an unknown configuration or part, too few crystals, a foreign checkpoint.
        """
        chosen = _named(configuration, overrides)
        data = _prepared(crystals, chosen.architecture.max_atoms)
        training = Training(_description(chosen, data), seed=seed, device=self.device, folder=folder, minutes=minutes)
        training.resume()
        training.run(data.store("train"), data.store("validation", "train"), progress)
        training.swap()
        bank = _bank(training.network, data)
        sha256 = network.save(training.network, folder, bank.tensors())
        training.swap()
        write_crystals(data.kept, folder)
        card = _card(chosen, training, data, seed)
        (folder / CARD).write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n")
        return GeneratorTrainingResult(str(folder), sha256, card, read_curve(folder))


@dataclass(frozen=True, eq=False)
class Data:
    """Niggli-reduced crystals by part, and why others were left out."""

    kept: list[TrainingCrystal]
    species: tuple[str, ...]
    left_out: dict[str, int]

    def part(self, name: str) -> list[TrainingCrystal]:
        return [c for c in self.kept if c.part == name]

    def store(self, name: str, otherwise: str = "") -> Store:
        """The part, or another where it is empty."""
        chosen = self.part(name) or self.part(otherwise)
        return store([c.crystal for c in chosen], self.species)


def _named(name: str, overrides: dict[str, Any]) -> Configuration:
    return configuration(name, overrides)


def _prepared(crystals: Sequence[TrainingCrystal], max_atoms: int) -> Data:
    unknown = sorted({given.part for given in crystals} - set(PARTS))
    if unknown:
        raise InputError(f"there is no part {', '.join(map(repr, unknown))}; there are {', '.join(PARTS)}")
    left_out: Counter[str] = Counter()
    kept = []
    for given in crystals:
        if given.crystal.n_atoms > max_atoms:
            left_out[f"more than {max_atoms} atoms in the cell"] += 1
        else:
            kept.append(replace(given, crystal=niggli(given.crystal)))
    trained = sum(c.part == "train" for c in kept)
    if trained < FEWEST:
        why = "; ".join(f"{count} with {reason}" for reason, count in left_out.items())
        told = f" ({why} were left out)" if why else ""
        raise InputError(f"{trained} training crystals are too few to learn from, {FEWEST} are needed{told}")
    return Data(kept, tuple(sorted({s for c in kept for s in c.crystal.symbols})), dict(left_out))


def _description(chosen: Configuration, data: Data) -> network.Description:
    train = data.store("train")
    lengths, angles = parameters_of(train.cells)
    targets = torch.cat([lengths / train.counts[:, None].pow(1 / 3), angles], 1)
    mean, std = targets.mean(0), targets.std(0).clamp(min=SMALLEST_STD)
    some = train.batch(_some(train))
    neighbours = effective_neighbours(some.frac, some.cells, some.mask, chosen.architecture.cutoff)
    return network.Description(chosen, data.species, neighbours, tuple(mean.tolist()), tuple(std.tolist()))


def _some(crystals: Store) -> torch.Tensor:
    return torch.arange(0, len(crystals.counts), max(1, len(crystals.counts) // 256))


def _bank(trained: network.CrystalVae, data: Data) -> Bank:
    train = data.part("train")
    means, widths = encoded(trained, data.store("train").to(trained.lattice_mean.device))
    return Bank(means, widths, *symmetry_facts([c.crystal for c in train]))


def read_curve(folder: Path) -> tuple[GeneratorCurvePoint, ...]:
    """The points written so far."""
    path = folder / CURVE
    lines = path.read_text().splitlines() if path.exists() else []
    return tuple(GeneratorCurvePoint(**json.loads(line)) for line in lines)


def _card(chosen: Configuration, training: Training, data: Data, seed: int) -> dict[str, Any]:
    on_gpu = training.device.type == "cuda"
    return {
        "name": chosen.name,
        "engine": "cdvae",
        "version": VERSION,
        "configuration": chosen.as_dict(),
        "parameters": network.parameter_count(training.network),
        "seed": seed,
        "species": list(data.species),
        "data": {
            **{part: len(data.part(part)) for part in PARTS},
            "atoms": _span([c.crystal.n_atoms for c in data.part("train")]),
            "left_out": data.left_out,
        },
        "training": {
            "steps": training.state.step,
            "skipped_steps": training.state.skipped,
            "crystals_a_step": chosen.training.batch,
            "seconds": round(training.state.seconds, 1),
            "device": torch.cuda.get_device_name() if on_gpu else platform.processor() or platform.machine(),
        },
        "errors": {part: _errors(training, data, part) for part in PARTS if data.part(part)},
    }


def _span(values: Sequence[int]) -> list[int]:
    return [int(np.min(values)), int(np.max(values))]


def _errors(training: Training, data: Data, part: str) -> dict[str, float]:
    terms = training.validation_terms(data.store(part).to(training.device))
    return {name: round(value, 4) for name, value in terms.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line: train CONFIGURATION on the crystals.safetensors of DATA into FOLDER; run again to resume."""
    parser = argparse.ArgumentParser(description="Train a CDVAE without a database; run again to resume.")
    parser.add_argument("configuration")
    parser.add_argument("data", type=Path, help="folder with crystals.safetensors")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="")
    parser.add_argument("--minutes", type=float, default=0.0, help="end by the clock")
    parser.add_argument("--override", nargs="*", default=[], metavar="FIELD=VALUE")
    given = parser.parse_args(arguments)
    overrides = dict(item.split("=", 1) for item in given.override)
    result = CdvaeTrainer(given.device).train(
        read_crystals(given.data),
        configuration=given.configuration,
        overrides={k: v if k == "target" else float(v) for k, v in overrides.items()},
        seed=given.seed,
        minutes=given.minutes,
        folder=given.folder,
        progress=PrintedProgress(),
    )
    print(json.dumps({k: result.card[k] for k in ("parameters", "training", "errors")}))


if __name__ == "__main__":
    main()
