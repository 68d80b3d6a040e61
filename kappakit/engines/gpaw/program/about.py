"""Versions of what computes, and the PAW data sets by digest."""

from __future__ import annotations

import hashlib
from importlib import metadata
from pathlib import Path

from ase.data import chemical_symbols
from gpaw import get_libraries, setup_paths

PACKAGES = ("gpaw", "gpaw-data", "ase", "numpy", "scipy")


class NoDataSet(Exception):
    """GPAW has no PAW data set of an element."""


def versions() -> dict[str, str]:
    """Package → version, and that of libxc."""
    return {name: metadata.version(name) for name in PACKAGES} | {"libxc": get_libraries()["libxc"]}


def paw_digest(family: str) -> str:
    """sha256 over names and digests of all data sets of a family ('PBE', 'LDA').

    Of the whole family, not of the elements of one crystal: cells of B, of N and of BN share a method.
    """
    lines = {path.name: _sha256(path) for folder in reversed(_folders()) for path in folder.glob(f"*.{family}.gz")}
    text = "".join(f"{name} {digest}\n" for name, digest in sorted(lines.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def used(numbers: list[int], family: str) -> dict[str, str]:
    """File name → sha256 of the data sets of these elements; raises NoDataSet."""
    found = {}
    for number in sorted(set(numbers)):
        name = f"{chemical_symbols[number]}.{family}.gz"
        path = next((folder / name for folder in _folders() if (folder / name).is_file()), None)
        if path is None:
            raise NoDataSet(f"GPAW has no {family} data set of {chemical_symbols[number]}")
        found[name] = _sha256(path)
    return found


def _folders() -> list[Path]:
    return [Path(folder) for folder in setup_paths]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
