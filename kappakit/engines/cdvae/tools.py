"""The latent space by hand: `python -m kappakit.engines.cdvae.tools FOLDER {encode,around,between,search} …`."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from kappakit.engines.cdvae.bank import symmetry_facts
from kappakit.engines.cdvae.climbing import Surrogate, climb, simplicity
from kappakit.engines.cdvae.decoding import Numbers
from kappakit.engines.cdvae.generator import CdvaeGenerator
from kappakit.engines.cdvae.priors import POSTERIOR, LatentDraws, Prior
from kappakit.errors import InputError
from kappakit.ports import GeneratedCrystal, PrintedProgress
from kappakit.protocol import GenerateSettings, ScreenSettings
from kappakit.reading import ReadCrystal, read_files
from kappakit.seeds import crystal_seed
from kappakit.writing import extxyz

WIDE = GenerateSettings(generator="cdvae", min_atoms=1, max_atoms=200, min_volume=1.0, max_volume=1000.0)


@dataclass(frozen=True)
class Outcome:
    """Mean simplicity, predicted and of the decoded crystals; share of these that pass the paper's screen."""

    name: str
    predicted: float
    actual: float
    passing: float

    @classmethod
    def of(cls, name: str, surrogate: Surrogate, z: np.ndarray, made: Sequence[GeneratedCrystal]) -> Outcome:
        """Measured on the crystals that `z` became."""
        atoms, operations = symmetry_facts([m.crystal for m in made])
        limits = ScreenSettings()
        passing = (atoms <= limits.max_atoms) & (operations >= limits.min_operations)
        predicted = surrogate(torch.tensor(z, dtype=torch.float32)).mean()
        return cls(name, float(predicted), float(simplicity(atoms, operations).mean()), float(passing.mean()))


def encode(generator: CdvaeGenerator, given: argparse.Namespace) -> None:
    """A table of latent vectors, one row a crystal."""
    found = _read(given.files)
    means, _ = generator.encode([c.crystal for c in found])
    with given.output.open("w", newline="") as table:
        rows = csv.writer(table)
        rows.writerow(["source", "label", *(f"z{i}" for i in range(means.shape[1]))])
        rows.writerows([c.source, c.label, *map(float, z)] for c, z in zip(found, means, strict=True))


def about(generator: CdvaeGenerator, given: argparse.Namespace) -> None:
    """Crystals about one, or on the way between two."""
    centres = [c.crystal for c in _read(given.files)]
    wanted = {"around": 1, "between": 2}[given.command]
    if len(centres) != wanted:
        raise InputError(f"'{given.command}' takes {wanted} crystal(s), the files hold {len(centres)}")
    settings = replace(WIDE, count=given.count, temperature=given.temperature)
    asked = {"seed": given.seed, "start": 0, "count": given.count, "centres": centres}
    _write(generator.generate(**asked, settings=settings, progress=PrintedProgress()), given.output)


def search(generator: CdvaeGenerator, given: argparse.Namespace) -> list[Outcome]:
    """Posterior draws as they are and after a climb, decoded with the same random numbers and compared."""
    surrogate = Surrogate(generator.bank, given.seed)
    numbers = [Numbers.of(crystal_seed(given.seed, i), generator.bank.means.shape[1]) for i in range(given.count)]
    draws = LatentDraws(np.stack([n.prior for n in numbers]), np.stack([n.latent for n in numbers]))
    start = Prior(POSTERIOR, generator.bank, given.temperature).draw(draws)
    end = climb(surrogate, start, steps=given.steps, rate=given.rate, penalty=given.penalty)
    made = [generator.decode(z, seed=given.seed, settings=WIDE, progress=PrintedProgress()) for z in (start, end)]
    _write(made[1], given.output)
    outcomes = [
        Outcome.of(name, surrogate, z, crystals)
        for name, z, crystals in zip(("without search", "with search"), (start, end), made, strict=True)
    ]
    print("log2(operations / atoms)   predicted   decoded   pass the screen")
    for o in outcomes:
        print(f"{o.name:<24} {o.predicted:>11.2f} {o.actual:>9.2f} {o.passing:>16.0%}")
    return outcomes


def _read(files: Sequence[Path]) -> list[ReadCrystal]:
    found, refused = read_files([(path.name, path) for path in files])
    for refusal in refused:
        print(f"{refusal.source}: {refusal.detail}", file=sys.stderr)
    return found


def _write(made: Sequence[GeneratedCrystal], path: Path) -> None:
    path.write_text("".join(extxyz(m.crystal, {"name": f"generated-{m.index}", "seed": m.seed}) for m in made))


COMMANDS = {"encode": encode, "around": about, "between": about, "search": search}


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line; ends with a sentence for what cannot be done."""
    parser = argparse.ArgumentParser(description="Encode crystals, generate about and between them, search.")
    parser.add_argument("folder", type=Path, help="of a trained generator")
    parser.add_argument("--device", default="")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        options = commands.add_parser(name, help=command.__doc__)
        options.add_argument("--output", type=Path, default=Path("latents.csv" if name == "encode" else "made.xyz"))
        if name != "search":
            options.add_argument("files", type=Path, nargs="+")
        if name != "encode":
            options.add_argument("--count", type=int, default=16)
            options.add_argument("--seed", type=int, default=0)
            options.add_argument("--temperature", type=float, default=1.0)
    search_options = commands.choices["search"]
    search_options.add_argument("--steps", type=int, default=100)
    search_options.add_argument("--rate", type=float, default=0.01)
    search_options.add_argument("--penalty", type=float, default=10.0)
    given = parser.parse_args(arguments)
    try:
        COMMANDS[given.command](CdvaeGenerator(given.folder, device=given.device), given)
    except InputError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
