"""SOAP: invariant where physics is, one row a crystal, any element."""

from __future__ import annotations

import numpy as np
import pytest

from kappakit.crystals import Crystal
from kappakit.descriptors import soap, species_of
from kappakit.errors import InputError
from kappakit.protocol import EmbedSettings
from kappakit.reference import REFERENCES
from kappakit.symmetry import find_symmetry

PAPER = EmbedSettings()


def vectors(crystals, species=("C",), average="inner", normalise=True) -> np.ndarray:
    return soap(
        crystals,
        species=species,
        r_cut=PAPER.r_cut,
        sigma=PAPER.sigma,
        n_max=PAPER.n_max,
        l_max=PAPER.l_max,
        average=average,
        normalise=normalise,
    )


@pytest.mark.parametrize("average", ["inner", "outer"])
def test_cell_choice_rotation_and_translation_do_not_matter(average: str) -> None:
    crystal = REFERENCES["bct-C4"].crystal
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    moved = Crystal(crystal.cell @ rotation, crystal.frac + 0.123, crystal.numbers)
    primitive = find_symmetry(crystal, symprec=1e-4, angle_tolerance=-1.0).primitive
    first, *others = vectors([crystal, moved, primitive], average=average)
    for other in others:
        assert np.abs(first - other).max() < 1e-5


def test_different_crystals_differ_and_rows_are_normalised() -> None:
    rows = vectors([REFERENCES["diamond"].crystal, REFERENCES["graphite"].crystal])
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-6)
    assert np.linalg.norm(rows[0] - rows[1]) > 0.1


def test_species_are_a_choice_and_an_element_outside_them_is_named() -> None:
    boron_nitride = REFERENCES["cubic-BN"].crystal
    assert vectors([boron_nitride], species=("B", "N")).shape == (1, 546)
    with pytest.raises(InputError, match="B, N"):
        vectors([boron_nitride], species=("C",))
    assert species_of([boron_nitride, REFERENCES["diamond"].crystal]) == ("B", "C", "N")


def test_no_crystals_give_no_rows() -> None:
    assert vectors([]).shape == (0, 147)
