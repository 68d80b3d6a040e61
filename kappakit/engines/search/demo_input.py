"""The input that ships with the demo; `python -m kappakit.engines.search.demo_input [FOLDER]` makes it again.

Carbon's reference crystals, strained and rattled so that relaxation has work to do, and crystals of the random
symmetric search. Deterministic: the same bytes each time.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from kappakit.crystals import Crystal
from kappakit.engines.search.generator import SearchGenerator
from kappakit.ports import SilentProgress
from kappakit.protocol import GenerateSettings
from kappakit.reference import DATA, reference_crystals
from kappakit.symmetry import find_symmetry
from kappakit.writing import extxyz

STRAIN = 0.015
"""Standard deviation of each strain component."""
RATTLE = 0.05
"""Standard deviation of each Cartesian displacement in Å."""
SEED = 20250101
SEARCHED = 7
TWICE = ("diamond", "lonsdaleite", "diamond-4H", "diamond-9R", "bct-C4", "Z-carbon", "M-carbon", "BCO-C16")
SMOKE = ("diamond", "diamond", "lonsdaleite", "bct-C4", "diamond-9R", "sodalite-C", "Z-carbon", "graphite")
BORON_NITRIDE = ("cubic-BN", "wurtzite-BN", "hexagonal-BN", "cubic-BN")


def perturbed(crystal: Crystal, *, strain: float, rattle: float, rng: np.random.Generator) -> Crystal:
    """The crystal under a random symmetric strain, every atom displaced; normal deviates, `rattle` in Å."""
    deformation = rng.normal(scale=strain, size=(3, 3))
    cell = crystal.cell @ (np.eye(3) + (deformation + deformation.T) / 2)
    displacements = rng.normal(scale=rattle, size=(crystal.n_atoms, 3))
    return Crystal(cell, crystal.frac + displacements @ np.linalg.inv(cell), crystal.numbers)


def demo_files() -> dict[str, str]:
    """File name → extended XYZ text of the demo, of the smoke campaign and of the boron-nitride tests."""
    carbon = tuple(reference_crystals(frozenset({"C"})))
    return {
        "demo_carbon.extxyz": _text([*_perturbed_copies((*carbon, *TWICE)), *_searched()]),
        "smoke_carbon.extxyz": _text(_perturbed_copies(SMOKE)),
        "boron_nitride.extxyz": _text(_perturbed_copies(BORON_NITRIDE)),
    }


def _perturbed_copies(names: Sequence[str]) -> list[tuple[str, Crystal]]:
    known = reference_crystals()
    rng = np.random.default_rng(SEED)
    copies = []
    for index, name in enumerate(names):
        primitive = find_symmetry(known[name].crystal, symprec=1e-3, angle_tolerance=-1.0).primitive
        copy = perturbed(primitive, strain=STRAIN, rattle=RATTLE, rng=rng)
        copies.append((f"perturbed-{name}-{names[: index + 1].count(name)}", copy))
    return copies


def _searched() -> list[tuple[str, Crystal]]:
    made = SearchGenerator().generate(
        seed=SEED, start=0, count=SEARCHED, settings=GenerateSettings(), progress=SilentProgress()
    )
    return [(f"search-{found.index}", found.crystal) for found in made]


def _text(crystals: Iterable[tuple[str, Crystal]]) -> str:
    return "".join(extxyz(crystal, {"name": name}) for name, crystal in crystals)


def main(folder: Path = DATA) -> None:
    """Write the files into a folder."""
    for name, text in demo_files().items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:2]))
