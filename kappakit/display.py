"""Geometry for the eye: boundary images, supercells, bonds and cell edges. Numpy only, made on request."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from kappakit.crystals import Crystal

BOND_MARGIN = 0.45
"""Two atoms are bonded when they are closer than the sum of their covalent radii plus this, in Å: the rule of Open
Babel (O'Boyle et al., J. Cheminform. 3:33 (2011), doi 10.1186/1758-2946-3-33) and of the Cambridge database."""

MAX_BONDED = 2500
"""Above so many displayed atoms no bonds are drawn: the picture would be a ball of wool, and slow."""

FACE = 1e-3
"""An atom whose fractional coordinate is within this of a face is shown on the opposite face too."""

UNKNOWN_RADIUS = 1.70
"""Å, for elements beyond curium, which the source does not list."""

_RADII = """
    0.20 0.31 0.28 1.28 0.96 0.84 0.76 0.71 0.66 0.57 0.58 1.66 1.41 1.21 1.11 1.07 1.05 1.02 1.06 2.03 1.76
    1.70 1.60 1.53 1.39 1.39 1.32 1.26 1.24 1.32 1.22 1.22 1.20 1.19 1.20 1.20 1.16 2.20 1.95 1.90 1.75 1.64
    1.54 1.47 1.46 1.42 1.39 1.45 1.44 1.42 1.39 1.39 1.38 1.39 1.40 2.44 2.15 2.07 2.04 2.03 2.01 1.99 1.98
    1.98 1.96 1.94 1.92 1.92 1.89 1.90 1.87 1.87 1.75 1.70 1.62 1.51 1.44 1.41 1.36 1.36 1.32 1.45 1.46 1.48
    1.40 1.50 1.50 2.60 2.21 2.15 2.06 2.00 1.96 1.90 1.87 1.80 1.69
"""
COVALENT_RADII = tuple(float(radius) for radius in _RADII.split())
"""Å by atomic number (entry 0 unused); Cordero et al., Dalton Trans. 2832 (2008), doi 10.1039/b801115j."""

_COLOURS = """
    FF0000 FFFFFF D9FFFF CC80FF C2FF00 FFB5B5 909090 3050F8 FF0D0D 90E050 B3E3F5 AB5CF2 8AFF00 BFA6A6 F0C8A0
    FF8000 FFFF30 1FF01F 80D1E3 8F40D4 3DFF00 E6E6E6 BFC2C7 A6A6AB 8A99C7 9C7AC7 E06633 F090A0 50D050 C88033
    7D80B0 C28F8F 668F8F BD80E3 FFA100 A62929 5CB8D1 702EB0 00FF00 94FFFF 94E0E0 73C2C9 54B5B5 3B9E9E 248F8F
    0A7D8C 006985 C0C0C0 FFD98F A67573 668080 9E63B5 D47A00 940094 429EB0 57178F 00C900 70D4FF FFFFC7 D9FFC7
    C7FFC7 A3FFC7 8FFFC7 61FFC7 45FFC7 30FFC7 1FFFC7 00FF9C 00E675 00D452 00BF38 00AB24 4DC2FF 4DA6FF 2194D6
    267DAB 266696 175487 D0D0E0 FFD123 B8B8D0 A6544D 575961 9E4FB5 AB5C00 754F45 428296 420066 007D00 70ABFA
    00BAFF 00A1FF 008FFF 0080FF 006BFF 545CF2 785CE3 8A4FE3 A136D4 B31FD4 B31FBA B30DA6 BD0D87 C70066 CC0059
    D1004F D90045 E00038 E6002E EB0026
"""
COLOURS = tuple(f"#{colour}" for colour in _COLOURS.split())
"""By atomic number (entry 0: unknown): Jmol's scheme, https://jmol.sourceforge.net/jscolors/."""


@dataclass(frozen=True, eq=False)
class DisplayCell:
    """positions (n, 3) Å; numbers (n,) atomic numbers; sites (n,) index of the atom in the crystal; bonds (m, 2) pairs
    of indices; edges (k, 2, 3) Å: both ends of each line of the unit cell and of the outline of its repetitions."""

    positions: np.ndarray
    numbers: np.ndarray
    sites: np.ndarray
    bonds: np.ndarray
    edges: np.ndarray


def display_cell(crystal: Crystal, repeats: tuple[int, int, int] = (1, 1, 1)) -> DisplayCell:
    """The crystal repeated along a, b, c, closed by the images of atoms on its faces."""
    frac, sites = closed_cell(crystal, repeats)
    positions = frac @ crystal.cell
    numbers = crystal.numbers[sites]
    outline = edges(crystal.cell)
    if repeats != (1, 1, 1):
        outline = np.concatenate([outline, edges(crystal.cell * np.array(repeats)[:, None])])
    return DisplayCell(positions, numbers, sites, bonds(positions, numbers), outline)


def closed_cell(crystal: Crystal, repeats: tuple[int, int, int] = (1, 1, 1)) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) fractional coordinates in units of the unit cell and (n,) site of each, faces closed.

    Positions are wrapped into the cell first; one on a face, edge or corner appears on every equivalent one.
    """
    wrapped = crystal.frac - np.floor(crystal.frac + FACE)
    shifts = np.array(list(product(*(range(n + 1) for n in repeats))), dtype=float)
    images = wrapped[None, :, :] + shifts[:, None, :]
    inside = (images <= np.array(repeats) + FACE).all(axis=2)
    sites = np.broadcast_to(np.arange(crystal.n_atoms), inside.shape)
    return images[inside], sites[inside]


def bonds(positions: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """(m, 2) index pairs i < j of atoms (n, 3) Å that are bonded by the covalent-radius rule; none above MAX_BONDED."""
    if not 1 < len(positions) <= MAX_BONDED:
        return np.empty((0, 2), dtype=np.int64)
    radii = radii_of(numbers)
    squared = (positions**2).sum(axis=1)
    distances = squared[:, None] + squared[None, :] - 2.0 * positions @ positions.T
    limit = (radii[:, None] + radii[None, :] + BOND_MARGIN) ** 2
    return np.argwhere(np.triu(distances < limit, k=1))


def edges(cell: np.ndarray) -> np.ndarray:
    """(12, 2, 3) Å: the lines of a cell (3, 3) from the origin."""
    corners = np.array(list(product((0.0, 1.0), repeat=3)))
    pairs = [(p, q) for p in corners for q in corners if (q - p).sum() == 1.0 and (q - p).min() == 0.0]
    return np.array(pairs) @ cell


def radii_of(numbers: np.ndarray) -> np.ndarray:
    """(n,) covalent radii in Å."""
    table = np.array(COVALENT_RADII)
    known = numbers < len(table)
    return np.where(known, table[np.where(known, numbers, 0)], UNKNOWN_RADIUS)


def colours_of(numbers: np.ndarray) -> list[str]:
    """'#RRGGBB' of each atom."""
    return [COLOURS[z] if z < len(COLOURS) else COLOURS[0] for z in numbers.tolist()]
