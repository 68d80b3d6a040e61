"""A crystal: one immutable periodic geometry. Numpy only, so that every room may hold one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from kappakit.elements import ATOMIC_MASSES, SYMBOLS, number_of
from kappakit.errors import InputError
from kappakit.units import AMU_PER_A3_IN_G_PER_CM3

DIGEST_DECIMALS = 8


@dataclass(frozen=True, eq=False)
class Crystal:
    """cell (3, 3) Å, rows are lattice vectors; frac (n, 3) fractional positions; numbers (n,) atomic numbers.

    Arrays are float64 / int64, C-contiguous and read-only. Raises InputError for wrong shapes, values that are not
    finite, a cell without volume or an unknown element.
    """

    cell: np.ndarray
    frac: np.ndarray
    numbers: np.ndarray

    def __post_init__(self) -> None:
        cell = _frozen(self.cell, np.float64)
        frac = _frozen(self.frac, np.float64)
        numbers = _frozen(self.numbers, np.int64)
        _check(cell, frac, numbers)
        object.__setattr__(self, "cell", cell)
        object.__setattr__(self, "frac", frac)
        object.__setattr__(self, "numbers", numbers)

    @classmethod
    def from_symbols(cls, cell: Any, frac: Any, symbols: Sequence[str]) -> Crystal:
        """A crystal from chemical symbols; raises InputError for an unknown one."""
        return cls(np.asarray(cell, float), np.asarray(frac, float), np.array([number_of(s) for s in symbols]))

    @property
    def n_atoms(self) -> int:
        return len(self.numbers)

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(SYMBOLS[z] for z in self.numbers)

    @cached_property
    def volume(self) -> float:
        """Å³ per cell."""
        return float(abs(np.linalg.det(self.cell)))

    @property
    def positions(self) -> np.ndarray:
        """(n, 3) Cartesian positions in Å."""
        return self.frac @ self.cell

    @property
    def lengths(self) -> np.ndarray:
        """(3,) a, b, c in Å."""
        return np.linalg.norm(self.cell, axis=1)

    @property
    def angles(self) -> np.ndarray:
        """(3,) α, β, γ in degrees."""
        unit = self.cell / self.lengths[:, None]
        cosines = [unit[1] @ unit[2], unit[0] @ unit[2], unit[0] @ unit[1]]
        return np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)))

    @property
    def masses(self) -> np.ndarray:
        """(n,) standard atomic weights in amu."""
        return np.array([ATOMIC_MASSES[z] for z in self.numbers])

    @property
    def density(self) -> float:
        """g/cm³."""
        return float(self.masses.sum() / self.volume * AMU_PER_A3_IN_G_PER_CM3)

    @property
    def composition(self) -> dict[str, int]:
        """Symbol → count, in alphabetical order."""
        symbols = self.symbols
        return {s: symbols.count(s) for s in sorted(set(symbols))}

    @property
    def formula(self) -> str:
        """Full formula of the cell, e.g. 'B2 N2' as 'B2N2', alphabetical."""
        return "".join(f"{s}{n if n > 1 else ''}" for s, n in self.composition.items())

    @property
    def chemical_system(self) -> str:
        """E.g. 'B-N'."""
        return "-".join(self.composition)

    @cached_property
    def digest(self) -> str:
        """sha256 of the rounded cell, positions wrapped into the cell, and numbers: equal bytes, equal geometry."""
        wrapped = np.round(self.frac - np.floor(self.frac), DIGEST_DECIMALS) % 1.0 + 0.0
        hasher = hashlib.sha256()
        for array in (np.round(self.cell, DIGEST_DECIMALS) + 0.0, wrapped):
            hasher.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
        hasher.update(np.ascontiguousarray(self.numbers, dtype="<i8").tobytes())
        return hasher.hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: cell Å, frac, numbers."""
        return {"cell": self.cell.tolist(), "frac": self.frac.tolist(), "numbers": self.numbers.tolist()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Crystal:
        """The inverse of to_dict; raises InputError for what is not a crystal."""
        try:
            return cls(data["cell"], data["frac"], data["numbers"])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"not a crystal: {error}") from error


def _frozen(values: Any, dtype: type) -> np.ndarray:
    array: np.ndarray = np.array(values, dtype=dtype, order="C")
    array.setflags(write=False)
    return array


def _check(cell: np.ndarray, frac: np.ndarray, numbers: np.ndarray) -> None:
    if cell.shape != (3, 3):
        raise InputError(f"a cell is 3 × 3, not {cell.shape}")
    if frac.ndim != 2 or frac.shape[1:] != (3,) or len(frac) != len(numbers) or len(numbers) == 0:
        raise InputError(f"{len(numbers)} atoms do not fit positions of shape {frac.shape}")
    if not (np.isfinite(cell).all() and np.isfinite(frac).all()):
        raise InputError("a lattice vector or a position is not a finite number")
    if abs(np.linalg.det(cell)) < 1e-3:
        raise InputError("the lattice vectors span no volume")
    if numbers.min() < 1 or numbers.max() >= len(SYMBOLS):
        raise InputError("an atomic number is outside 1–118")
