"""Cells that the tests of phonons and κ_L share; lattice constants in Å."""

from __future__ import annotations

import numpy as np

from kappakit.crystals import Crystal
from kappakit.reference import stacked_polytype
from kappakit.symmetry import find_symmetry

TERSOFF_DIAMOND = 3.56583
"""Å: diamond's lattice constant by Tersoff's 1989 carbon (literature 3.566)."""


def diamond(a: float = TERSOFF_DIAMOND, symbol: str = "C") -> Crystal:
    """Diamond structure, primitive cell as spglib standardises it."""
    return Crystal.from_symbols(a / 2 * (1 - np.eye(3)), [[0.0] * 3, [0.25] * 3], [symbol] * 2)


def lonsdaleite(a: float = 2.5214, c: float = 4.1174) -> Crystal:
    """Ideal wurtzite stacking of tetrahedra, P6_3/mmc, four atoms."""
    cell = [[a, 0, 0], [-a / 2, a * 3**0.5 / 2, 0], [0, 0, c]]
    return Crystal.from_symbols(
        cell, [[1 / 3, 2 / 3, 1 / 16], [2 / 3, 1 / 3, -1 / 16], [2 / 3, 1 / 3, 9 / 16], [1 / 3, 2 / 3, 7 / 16]], "CCCC"
    )


def simple_cubic(a: float) -> Crystal:
    """One carbon atom a cube: held by symmetry, wanting to leave it."""
    return Crystal.from_symbols(a * np.eye(3), [[0.0] * 3], ["C"])


def graphite(a: float = 2.461, c: float = 6.708) -> Crystal:
    """AB graphite, P6_3/mmc, layers c/2 apart."""
    cell = [[a, 0, 0], [-a / 2, a * 3**0.5 / 2, 0], [0, 0, c]]
    return Crystal.from_symbols(cell, [[0, 0, 0.25], [0, 0, 0.75], [1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]], "CCCC")


def rhombohedral(a_cubic: float = 3.57) -> Crystal:
    """The 9R polytype of diamond, spglib's primitive cell of six atoms: close lattice planes in an oblique cell."""
    return find_symmetry(stacked_polytype("hhc", a_cubic), symprec=1e-3, angle_tolerance=-1.0).primitive
