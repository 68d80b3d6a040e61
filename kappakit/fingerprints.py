"""Fingerprints by which generated crystals are compared with known ones, by matminer.

Structure: the mean over sites of CrystalNNFingerprint, preset 'ops' (N. E. R. Zimmermann, A. Jain, RSC Adv. 10, 6063
(2020), doi 10.1039/C9RA07755C); composition: the Magpie statistics (L. Ward et al., npj Comput. Mater. 2, 16028 (2016),
doi 10.1038/npjcompumats.2016.28). Both as Xie et al. (ICLR 2022) define coverage.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from matminer.featurizers.composition import ElementProperty
from matminer.featurizers.site import CrystalNNFingerprint
from pymatgen.core import Composition
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from kappakit.crystals import Crystal
from kappakit.errors import InputError
from kappakit.matching import structure_of

STRUCTURE_LENGTH, COMPOSITION_LENGTH = 61, 132
ALONE = 64
"""So many crystals are not worth starting other processes."""
CHUNK = 8


@dataclass(frozen=True, eq=False)
class Fingerprints:
    """structures (n, 61), a row of NaN where there is none; compositions (n, 132). No unit."""

    structures: np.ndarray
    compositions: np.ndarray

    def write(self, path: Path) -> None:
        """As safetensors, single precision; equal compositions once."""
        unique, place = np.unique(self.compositions, axis=0, return_inverse=True)
        tensors = {
            "structures": self.structures.astype(np.float32),
            "compositions": unique.astype(np.float32),
            "composition": place.reshape(-1).astype(np.int32),
        }
        save_file(tensors, str(path))

    @classmethod
    def read(cls, path: Path) -> Fingerprints:
        """The inverse of write; raises InputError for a damaged file."""
        try:
            stored = load_file(str(path))
            return cls(stored["structures"], stored["compositions"][stored["composition"]])
        except (OSError, KeyError, IndexError, SafetensorError) as error:
            raise InputError(f"{path} holds no readable fingerprints: {error}") from error


def fingerprints(crystals: Sequence[Crystal], progress: Callable[[int], None] = lambda done: None) -> Fingerprints:
    """Of each crystal, on as many cores as OMP_NUM_THREADS allows; `progress(done)` is told how many are done."""
    structures = np.full((len(crystals), STRUCTURE_LENGTH), np.nan)
    for index, found in enumerate(_structures(crystals)):
        if found is not None:
            structures[index] = found
        progress(index + 1)
    compositions = np.array([composition_fingerprint(c) for c in crystals]).reshape(-1, COMPOSITION_LENGTH)
    return Fingerprints(structures, compositions)


def _structures(crystals: Sequence[Crystal]) -> Iterator[np.ndarray | None]:
    workers = int(os.environ.get("OMP_NUM_THREADS") or 1)
    if workers < 2 or len(crystals) <= ALONE:
        yield from map(structure_fingerprint, crystals)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(structure_fingerprint, crystals, chunksize=CHUNK)


def structure_fingerprint(crystal: Crystal) -> np.ndarray | None:
    """(61,) without unit; None where a site has no neighbours that matminer can find."""
    structure = structure_of(crystal)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sites = [_sites().featurize(structure, index) for index in range(len(structure))]
    except (ValueError, RuntimeError, IndexError, KeyError, ZeroDivisionError):
        return None
    found = np.mean(sites, axis=0)
    return found if np.isfinite(found).all() else None


def composition_fingerprint(crystal: Crystal) -> np.ndarray:
    """(132,) Magpie statistics of the reduced composition."""
    return _composition(tuple(sorted(crystal.composition.items())))


@cache
def _composition(counts: tuple[tuple[str, int], ...]) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.array(_elements().featurize(Composition(dict(counts)).reduced_composition), dtype=float)


@cache
def _sites() -> CrystalNNFingerprint:
    return CrystalNNFingerprint.from_preset("ops")


@cache
def _elements() -> ElementProperty:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ElementProperty.from_preset("magpie")
