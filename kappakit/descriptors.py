"""SOAP: smooth overlap of atomic positions, one averaged vector a crystal, by dscribe.

Source: A. P. Bartók, R. Kondor, G. Csányi, Phys. Rev. B 87, 184115 (2013), doi 10.1103/PhysRevB.87.184115;
L. Himanen et al., Comput. Phys. Commun. 247, 106949 (2020), doi 10.1016/j.cpc.2019.106949.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from dscribe.descriptors import SOAP

from kappakit.crystals import Crystal
from kappakit.errors import InputError
from kappakit.writing import atoms_of


def soap(
    crystals: Sequence[Crystal],
    *,
    species: Sequence[str],
    r_cut: float,
    sigma: float,
    n_max: int,
    l_max: int,
    average: str,
    normalise: bool,
) -> np.ndarray:
    """(n, d) float32, one row a crystal, in the order given.

    r_cut and sigma in Å. `average`: 'inner' averages the expansion over the atoms before the power spectrum, 'outer'
    after it. `normalise` divides each row by its Euclidean norm. Raises InputError for a crystal with an element
    that is not among `species`.
    """
    _check_species(crystals, species)
    descriptor = SOAP(
        species=sorted(set(species)),
        r_cut=r_cut,
        n_max=n_max,
        l_max=l_max,
        sigma=sigma,
        average=average,
        periodic=True,
    )
    rows = np.zeros((len(crystals), descriptor.get_number_of_features()))
    for row, crystal in zip(rows, crystals, strict=True):
        row[:] = descriptor.create(atoms_of(crystal))
    return (_unit_rows(rows) if normalise else rows).astype(np.float32)


def species_of(crystals: Sequence[Crystal]) -> tuple[str, ...]:
    """All chemical symbols of the crystals, in alphabetical order."""
    return tuple(sorted({symbol for crystal in crystals for symbol in crystal.symbols}))


def _unit_rows(rows: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(norms > 0.0, norms, 1.0)


def _check_species(crystals: Sequence[Crystal], species: Sequence[str]) -> None:
    unknown = set(species_of(crystals)) - set(species)
    if unknown:
        raise InputError(
            f"SOAP was asked for {', '.join(species)}; the crystals also hold {', '.join(sorted(unknown))}"
        )
