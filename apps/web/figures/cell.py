"""The 3D viewer's input: what kappakit.display makes of a crystal, as plain JSON."""

from __future__ import annotations

from typing import Any

import numpy as np

from kappakit.crystals import Crystal
from kappakit.display import DisplayCell, colours_of, display_cell, radii_of

BALL = 0.42
"""Radius of a ball in units of the covalent radius."""

AXIS_COLOURS = ("#c2455e", "#2a9d63", "#3b7dd8")
MAX_ATOMS = 4000
"""A supercell of more atoms is not offered."""

SUPERCELLS = ((2, 2, 2), (3, 3, 3))


def cell_views(crystals: dict[str, Crystal]) -> dict[str, Any]:
    """name → view of each cell, then supercells of the first one, as large as a browser draws smoothly."""
    views = {name: view(crystal) for name, crystal in crystals.items()}
    first = next(iter(crystals.values()))
    for repeats in SUPERCELLS:
        if first.n_atoms * int(np.prod(repeats)) <= MAX_ATOMS:
            views["×".join(map(str, repeats))] = view(first, repeats)
    return views


def view(crystal: Crystal, repeats: tuple[int, int, int] = (1, 1, 1)) -> dict[str, Any]:
    """Balls, bonds, edges and the three lattice vectors, Å."""
    cell = display_cell(crystal, repeats)
    return {
        "positions": np.round(cell.positions, 4).tolist(),
        "radii": np.round(BALL * radii_of(cell.numbers), 3).tolist(),
        "colours": colours_of(cell.numbers),
        "labels": _labels(crystal, cell),
        "bonds": np.round(cell.positions[cell.bonds], 4).tolist(),
        "edges": np.round(cell.edges, 4).tolist(),
        "axes": _axes(crystal),
    }


def _labels(crystal: Crystal, cell: DisplayCell) -> list[str]:
    words = [
        f"{symbol}{i + 1} at ({x:.4f}, {y:.4f}, {z:.4f})"
        for i, (symbol, (x, y, z)) in enumerate(zip(crystal.symbols, crystal.frac.tolist(), strict=True))
    ]
    return [words[site] for site in cell.sites.tolist()]


def _axes(crystal: Crystal) -> list[dict[str, Any]]:
    """Short arrows from the origin along a, b, c."""
    length = 0.45 * float(crystal.lengths.min())
    units = crystal.cell / crystal.lengths[:, None]
    return [
        {"name": name, "start": [0, 0, 0], "end": np.round(length * unit, 4).tolist(), "colour": colour}
        for name, unit, colour in zip("abc", units, AXIS_COLOURS, strict=True)
    ]
