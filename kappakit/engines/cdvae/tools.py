"""The latent space by hand: `python -m kappakit.engines.cdvae.tools FOLDER {encode,around,between} …`."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kappakit.engines.cdvae.generator import CdvaeGenerator
from kappakit.errors import InputError
from kappakit.ports import GeneratedCrystal, PrintedProgress
from kappakit.protocol import GenerateSettings
from kappakit.reading import ReadCrystal, read_files
from kappakit.writing import extxyz

WIDE = GenerateSettings(generator="cdvae", min_atoms=1, max_atoms=200, min_volume=1.0, max_volume=1000.0)


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


def _read(files: Sequence[Path]) -> list[ReadCrystal]:
    found, refused = read_files([(path.name, path) for path in files])
    for refusal in refused:
        print(f"{refusal.source}: {refusal.detail}", file=sys.stderr)
    return found


def _write(made: Sequence[GeneratedCrystal], path: Path) -> None:
    path.write_text("".join(extxyz(m.crystal, {"name": f"generated-{m.index}", "seed": m.seed}) for m in made))


COMMANDS = {"encode": encode, "around": about, "between": about}


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line; ends with a sentence for what cannot be done."""
    parser = argparse.ArgumentParser(description="Encode crystals, generate about and between them.")
    parser.add_argument("folder", type=Path, help="of a trained generator")
    parser.add_argument("--device", default="")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        options = commands.add_parser(name, help=command.__doc__)
        options.add_argument("--output", type=Path, default=Path("latents.csv" if name == "encode" else "made.xyz"))
        options.add_argument("files", type=Path, nargs="+")
        if name != "encode":
            options.add_argument("--count", type=int, default=16)
            options.add_argument("--seed", type=int, default=0)
            options.add_argument("--temperature", type=float, default=1.0)
    given = parser.parse_args(arguments)
    try:
        COMMANDS[given.command](CdvaeGenerator(given.folder, device=given.device), given)
    except InputError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
