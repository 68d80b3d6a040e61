"""Fingerprints by which generated crystals are compared with known ones, by matminer.

Structure: the mean over sites of CrystalNNFingerprint, preset 'ops' (N. E. R. Zimmermann, A. Jain, RSC Adv. 10, 6063
(2020), doi 10.1039/C9RA07755C); composition: the Magpie statistics (L. Ward et al., npj Comput. Mater. 2, 16028 (2016),
doi 10.1038/npjcompumats.2016.28). Both as Xie et al. (ICLR 2022) define coverage.
"""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
from matminer.featurizers.composition import ElementProperty
from matminer.featurizers.site import CrystalNNFingerprint
from pymatgen.core import Composition, Lattice, Structure

from kappakit.crystals import Crystal

STRUCTURE_LENGTH, COMPOSITION_LENGTH = 61, 132


def structure_fingerprint(crystal: Crystal) -> np.ndarray | None:
    """(61,) without unit; None where a site has no neighbours that matminer can find."""
    structure = Structure(Lattice(crystal.cell), list(crystal.symbols), crystal.frac)
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
