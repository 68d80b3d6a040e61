"""Reference crystals: known allotropes as controls and as names for what a campaign finds. Numpy only.

Diamond's polytypes are built by stacking, graphite and boron nitride from their published cells; the others are read
from `data/carbon_reference.json`, which states its origin and licence. Cells of the file are at 10 GPa, the built ones
at zero pressure: relax before comparing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kappakit.crystals import Crystal

DATA = Path(__file__).parent / "data"

DIAMOND_CONSTANT = 3.567
"""Å at room temperature; T. Hom, W. Kiszenik, B. Post, J. Appl. Cryst. 8, 457 (1975)."""

INYUSHKIN = "A. V. Inyushkin et al., Phys. Rev. B 97, 144305 (2018)"
WEI = f"L. Wei et al., Phys. Rev. Lett. 70, 3764 (1993); {INYUSHKIN}"
ANTHONY = "T. R. Anthony et al., Phys. Rev. B 42, 1104 (1990)"
HU = "M. Hu, Q. Wang, J. Mater. Chem. A 7, 6259 (2019)"
LIU = "Z. Liu et al., Nano Energy 45, 1 (2018)"
GUO = "L. Guo et al., npj Comput. Mater. 11 (2025), doi 10.1038/s41524-025-01592-8"
WEN = "B. Wen et al., Diam. Relat. Mater. 17, 356 (2008)"
EXPERIMENT, BTE, BTE_POTENTIAL = "experiment", "BTE, first principles", "BTE, machine-learned potential"
MEASURED = {"natural": "experiment, natural isotopes", "enriched": "experiment, enriched isotopes"}
"""Choice of isotopes in the protocol → method of the experiments that it may be compared with."""


@dataclass(frozen=True)
class LiteratureValue:
    """A published κ_L in W/(m·K) at `temperature` K; kappa_high equals kappa_low unless a range is reported."""

    kappa_low: float
    kappa_high: float
    temperature: float
    method: str
    citation: str


@dataclass(frozen=True, eq=False)
class ReferenceCrystal:
    """A known crystal. `space_group`: expected number; `symbol`: Hermann–Mauguin, as spglib writes it."""

    name: str
    crystal: Crystal
    space_group: int
    symbol: str
    citation: str
    note: str = ""
    literature: tuple[LiteratureValue, ...] = ()

    @property
    def kappa_known(self) -> bool:
        """Whether a literature value of κ_L hangs on it."""
        return bool(self.literature)


def reference_crystals(elements: frozenset[str] | None = None) -> dict[str, ReferenceCrystal]:
    """All reference crystals by name; with `elements`, those made of them only."""
    if elements is None:
        return dict(REFERENCES)
    return {name: known for name, known in REFERENCES.items() if set(known.crystal.symbols) <= elements}


def stacked_polytype(hexagonality: str, a_cubic: float, symbols: tuple[str, str] = ("C", "C")) -> Crystal:
    """The primitive cell of a tetrahedral polytype with ideal geometry.

    hexagonality: one letter a double layer, 'h' between two layers of the same kind (ABA), 'c' between different ones
    (ABC): 'c' is diamond, 'h' lonsdaleite, 'hc' 4H, 'hcc' 6H, 'hhc' 9R. a_cubic: cubic lattice constant in Å.
    Source: A. R. Verma, P. Krishna, Polymorphism and Polytypism in Crystals (Wiley, 1966).
    """
    shifts = _layer_shifts(hexagonality)
    a = a_cubic / np.sqrt(2.0)
    height = a_cubic / np.sqrt(3.0)
    lateral = np.array([[a, 0.0, 0.0], [-a / 2, a * np.sqrt(3.0) / 2, 0.0]])
    step = np.array([1 / 3, 2 / 3]) @ lateral
    up = np.array([0.0, 0.0, height])
    total = sum(shifts) % 3
    cell = np.vstack([lateral, len(shifts) * up + (total if total < 2 else -1) * step])
    corners = np.array([sum(shifts[:i]) * step + i * up for i in range(len(shifts))])
    positions = np.concatenate([corners, corners + 0.75 * up])
    frac = positions @ np.linalg.inv(cell)
    return Crystal.from_symbols(cell, frac - np.floor(frac + 1e-9), [s for s in symbols for _ in shifts])


def _layer_shifts(hexagonality: str) -> list[int]:
    sequence = hexagonality * (1 + hexagonality.count("h") % 2)
    shifts = [1]
    for kind in sequence[1:]:
        shifts.append(-shifts[-1] if kind == "h" else shifts[-1])
    return shifts


def _hexagonal(a: float, c: float) -> np.ndarray:
    return np.array([[a, 0.0, 0.0], [-a / 2, a * np.sqrt(3.0) / 2, 0.0], [0.0, 0.0, c]])


def _polytype(name: str, hexagonality: str, space_group: int, symbol: str, note: str = "") -> ReferenceCrystal:
    crystal = stacked_polytype(hexagonality, DIAMOND_CONSTANT)
    words = f"stacking {hexagonality}, {crystal.n_atoms} atoms in the primitive cell"
    return ReferenceCrystal(name, crystal, space_group, symbol, WEN, f"{words}; {note}" if note else words)


def _bte(kappa: float, citation: str) -> LiteratureValue:
    return LiteratureValue(kappa, kappa, 300.0, BTE, citation)


def _guo(kappa: float) -> LiteratureValue:
    return LiteratureValue(kappa, kappa, 300.0, BTE_POTENTIAL, GUO)


def _isotopes_of_diamond() -> tuple[LiteratureValue, ...]:
    """Single crystals at room temperature: natural ones (1.1 % ¹³C) and one enriched to 99.9 % ¹²C.

    The natural crystal beside the enriched one conducts two thirds of it; the best natural ones since then 2400.
    """
    enriched = f"{ANTHONY}: 99.9 % ¹²C; lower temperatures: L. Wei et al., Phys. Rev. Lett. 70, 3764 (1993)"
    return (
        LiteratureValue(2200.0, 2200.0, 300.0, MEASURED["natural"], ANTHONY),
        LiteratureValue(2400.0, 2400.0, 300.0, MEASURED["natural"], INYUSHKIN),
        LiteratureValue(3320.0, 3320.0, 300.0, MEASURED["enriched"], enriched),
    )


def _built() -> list[ReferenceCrystal]:
    layers = [[0.0, 0.0], [1 / 3, 2 / 3], [0.0, 0.0], [2 / 3, 1 / 3]]
    graphite = np.column_stack([layers, [0.25, 0.25, 0.75, 0.75]])
    thirds = np.array([[1 / 3, 2 / 3], [2 / 3, 1 / 3], [2 / 3, 1 / 3], [1 / 3, 2 / 3]])
    wurtzite = np.column_stack([thirds, [0.0, 0.5, 0.875, 0.375]])
    hexagonal_bn = np.column_stack([thirds, [0.25, 0.75, 0.25, 0.75]])
    return [
        ReferenceCrystal(
            "diamond",
            stacked_polytype("c", DIAMOND_CONSTANT),
            227,
            "Fd-3m",
            "T. Hom, W. Kiszenik, B. Post, J. Appl. Cryst. 8, 457 (1975)",
            "3C; isotopically purified crystals reach the upper values",
            (LiteratureValue(2000.0, 3500.0, 300.0, EXPERIMENT, WEI), *_isotopes_of_diamond(), _guo(2573.0)),
        ),
        ReferenceCrystal(
            "lonsdaleite",
            stacked_polytype("h", DIAMOND_CONSTANT),
            194,
            "P6_3/mmc",
            "F. P. Bundy, J. S. Kasper, J. Chem. Phys. 46, 3437 (1967)",
            "2H, hexagonal diamond; ideal geometry (experiment: a = 2.52 Å, c = 4.12 Å)",
            (_bte(1687.0, HU), _guo(1785.0)),
        ),
        _polytype("diamond-4H", "hc", 194, "P6_3/mmc"),
        _polytype("diamond-5T", "hhccc", 164, "P-3m1"),
        _polytype("diamond-6H", "hcc", 194, "P6_3/mmc"),
        _polytype("diamond-8H", "hccc", 194, "P6_3/mmc", "too large for the screen: its negative control"),
        _polytype("diamond-9R", "hhc", 166, "R-3m"),
        _polytype("diamond-12R", "hhcc", 166, "R-3m"),
        _polytype("diamond-15R", "hchcc", 166, "R-3m"),
        ReferenceCrystal(
            "graphite",
            Crystal.from_symbols(_hexagonal(2.464, 6.711), graphite, ["C"] * 4),
            194,
            "P6_3/mmc",
            "P. Trucano, R. Chen, Nature 258, 136 (1975)",
            "AB stacking; layered, so it has a list of its own",
        ),
        ReferenceCrystal(
            "cubic-BN",
            stacked_polytype("c", 3.6157, ("B", "N")),
            216,
            "F-43m",
            "E. Knittle, R. M. Wentzcovitch, R. Jeanloz, M. L. Cohen, Nature 337, 349 (1989)",
            "zinc blende",
        ),
        ReferenceCrystal(
            "wurtzite-BN",
            Crystal.from_symbols(_hexagonal(2.5505, 4.210), wurtzite, ["B", "B", "N", "N"]),
            186,
            "P6_3mc",
            "T. Soma, A. Sawaoka, S. Saito, Mater. Res. Bull. 9, 755 (1974)",
        ),
        ReferenceCrystal(
            "hexagonal-BN",
            Crystal.from_symbols(_hexagonal(2.504, 6.661), hexagonal_bn, ["B", "B", "N", "N"]),
            194,
            "P6_3/mmc",
            "R. S. Pease, Acta Cryst. 5, 356 (1952)",
            "AA' stacking; layered",
        ),
    ]


FROM_FILE: dict[str, tuple[str, tuple[LiteratureValue, ...]]] = {
    "bct-C4": ("K. Umemoto et al., Phys. Rev. Lett. 104, 125504 (2010)", (_bte(1411.0, HU), _guo(1672.0))),
    "Z-carbon": ("M. Amsler et al., Phys. Rev. Lett. 108, 065501 (2012)", (_bte(1262.0, HU), _guo(1412.0))),
    "M-carbon": ("Q. Li et al., Phys. Rev. Lett. 102, 175506 (2009)", ()),
    "T12-carbon": ("Z. Zhao et al., J. Am. Chem. Soc. 134, 12362 (2012)", ()),
    "AA-T12-carbon": (LIU, (_bte(1049.0, LIU), _guo(852.0))),
    "BCO-C16": ("J.-T. Wang et al., Phys. Rev. Lett. 116, 195501 (2016)", (_guo(462.0),)),
    "sodalite-C": ("R. Hoffmann et al., Angew. Chem. Int. Ed. 55, 10962 (2016)", ()),
}
"""Name in the data file → who described the crystal, and its literature values."""


def _read_file() -> list[ReferenceCrystal]:
    stored = json.loads((DATA / "carbon_reference.json").read_text())
    found = []
    for name, (citation, literature) in FROM_FILE.items():
        record = stored["crystals"][name]
        crystal = Crystal.from_dict(record)
        source = f"{citation}; cell: {stored['cite']}"
        note = f"{record['note']}; cell relaxed at 10 GPa"
        found.append(ReferenceCrystal(name, crystal, record["space_group"], record["symbol"], source, note, literature))
    return found


REFERENCES: dict[str, ReferenceCrystal] = {known.name: known for known in [*_built(), *_read_file()]}
