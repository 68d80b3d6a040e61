"""Random crystals of a random space group, by PyXtal, at a volume and with a shortest distance that were asked for.

Sources: C. J. Pickard, R. J. Needs, J. Phys.: Condens. Matter 23, 053201 (2011), doi 10.1088/0953-8984/23/5/053201
(random structure search); S. Fredericks et al., Comput. Phys. Commun. 261, 107810 (2021),
doi 10.1016/j.cpc.2020.107810 (PyXtal).
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
from pyxtal.crystal import random_crystal
from pyxtal.msg import Comp_CompatibilityError, VolumeError
from pyxtal.tolerance import Tol_matrix

from kappakit.crystals import Crystal
from kappakit.elements import number_of
from kappakit.errors import InputError, Rejected
from kappakit.ports import GeneratedCrystal, GeneratorRef, Progress, TrainingCrystal
from kappakit.protocol import GenerateSettings
from kappakit.seeds import crystal_seed
from kappakit.symmetry import find_symmetry, shortest_distance

ATTEMPTS = 100
"""Draws of space group, size and positions before a number of the sequence stays empty."""
LATTICES, COORDINATES = 2, 2
"""Lattices a draw, and sets of positions a lattice."""
FIRST_GROUP, LAST_GROUP = 2, 230
SYMPREC = 1e-3


class SearchGenerator:
    """Crystal number i of a campaign comes from its own seed, a hash of (campaign seed, i), and nothing else."""

    name = "search"
    version = f"search (pyxtal {version('pyxtal')})"
    sha256 = ""

    def generate(
        self,
        *,
        seed: int,
        start: int,
        count: int,
        settings: GenerateSettings,
        centres: Sequence[Crystal] = (),
        progress: Progress,
    ) -> list[GeneratedCrystal]:
        """Primitive cells within the limits of the settings; a number without one after 100 draws is left out.

        Raises InputError for centres, an unknown element and limits between which no crystal fits.
        """
        if centres:
            raise InputError("the random symmetric search knows no crystals to start from: choose a trained generator")
        formula = _formula(settings)
        made = []
        for done, index in enumerate(range(start, start + count), start=1):
            own_seed = crystal_seed(seed, index)
            crystal = _draw_until_valid(np.random.default_rng(own_seed), formula, settings)
            if crystal is not None:
                made.append(GeneratedCrystal(crystal, index, own_seed))
            progress(done, count, "random symmetric crystals")
        return made

    def training_set(self) -> list[TrainingCrystal]:
        """None: it learned from nothing."""
        return []

    def file(self, name: str) -> Path | None:
        """None: it has no files."""
        return None


def load(ref: GeneratorRef) -> SearchGenerator:
    """The search; it has no weights."""
    return SearchGenerator()


class _CrystalAtVolume(random_crystal):
    """PyXtal's random crystal, with the volume per atom drawn between two limits instead of from atomic radii.

    It gives up early: a new space group is worth more than the hundreds of lattices that PyXtal would try in this one.
    """

    lattice_attempts = property(lambda self: LATTICES, lambda self, value: None)
    coord_attempts = property(lambda self: COORDINATES, lambda self, value: None)

    def __init__(self, limits: tuple[float, float], **choices: object) -> None:
        self._limits = limits
        super().__init__(**choices)

    def set_volume(self) -> None:
        self.volume = self.rng.uniform(*self._limits) * sum(self.numIons)


def _formula(settings: GenerateSettings) -> dict[str, int]:
    formula = dict(Counter(settings.elements.split()))
    if not formula:
        raise InputError("name at least one element for the search")
    for symbol in formula:
        number_of(symbol)
    units = _formula_units(formula, settings)
    if len(units) == 0:
        size = sum(formula.values())
        raise InputError(f"no multiple of {size} atoms lies between {settings.min_atoms} and {settings.max_atoms}")
    if settings.min_volume > settings.max_volume:
        raise InputError("the smallest volume of a generated crystal is above the largest")
    densest = settings.min_distance**3 / np.sqrt(2.0)
    if densest > settings.max_volume:
        distance, volume = f"{settings.min_distance:g} Å", f"{settings.max_volume:g} Å³"
        raise InputError(f"atoms {distance} apart need {densest:.1f} Å³ each when packed closest; {volume} is allowed")
    return formula


def _formula_units(formula: dict[str, int], settings: GenerateSettings) -> range:
    size = sum(formula.values())
    return range(-(-settings.min_atoms // size), settings.max_atoms // size + 1)


def _draw_until_valid(rng: np.random.Generator, formula: dict[str, int], settings: GenerateSettings) -> Crystal | None:
    for _ in range(ATTEMPTS):
        crystal = _draw(rng, formula, settings)
        if crystal is not None and _is_within(crystal, settings):
            return crystal
    return None


def _draw(rng: np.random.Generator, formula: dict[str, int], settings: GenerateSettings) -> Crystal | None:
    group = int(rng.integers(FIRST_GROUP, LAST_GROUP + 1))
    units = int(rng.choice(_formula_units(formula, settings)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            drawn = _CrystalAtVolume(
                (settings.min_volume, settings.max_volume),
                dim=3,
                group=group,
                species=list(formula),
                numIons=[units * count for count in formula.values()],
                conventional=False,
                tm=_tolerances(formula, settings.min_distance),
                random_state=rng,
            )
        except (Comp_CompatibilityError, VolumeError, RuntimeError):
            return None
    return _primitive(drawn) if drawn.valid else None


def _tolerances(formula: dict[str, int], distance: float) -> Tol_matrix:
    numbers = [number_of(symbol) for symbol in formula]
    pairs = [(a, b, distance) for i, a in enumerate(numbers) for b in numbers[i:]]
    return Tol_matrix(*pairs, prototype="atomic")


def _primitive(drawn: random_crystal) -> Crystal | None:
    frac = np.concatenate([site.coords for site in drawn.atom_sites])
    symbols = [site.specie for site in drawn.atom_sites for _ in range(len(site.coords))]
    try:
        crystal = Crystal.from_symbols(drawn.lattice.matrix, frac, symbols)
        return find_symmetry(crystal, symprec=SYMPREC, angle_tolerance=-1.0).primitive
    except (InputError, Rejected):
        return None


def _is_within(crystal: Crystal, settings: GenerateSettings) -> bool:
    volume = crystal.volume / crystal.n_atoms
    return (
        settings.min_atoms <= crystal.n_atoms <= settings.max_atoms
        and settings.min_volume <= volume <= settings.max_volume
        and shortest_distance(crystal) >= settings.min_distance
    )
