"""Reference crystals: the known space groups, sources and literature values."""

from __future__ import annotations

import numpy as np
import pytest

from kappakit.engines.search.demo_input import demo_files
from kappakit.protocol import PROTOCOLS
from kappakit.reference import DATA, MEASURED, REFERENCES, reference_crystals, stacked_polytype
from kappakit.symmetry import find_symmetry, shortest_distance


@pytest.mark.parametrize("name", sorted(REFERENCES))
def test_each_reference_crystal_has_its_published_space_group(name: str) -> None:
    known = REFERENCES[name]
    found = find_symmetry(known.crystal, symprec=1e-3, angle_tolerance=-1.0)
    assert (found.number, found.symbol) == (known.space_group, known.symbol)
    assert known.citation


@pytest.mark.parametrize(
    ("hexagonality", "atoms"),
    [("c", 2), ("h", 4), ("hc", 8), ("hcc", 12), ("hccc", 16), ("hhc", 6), ("hhcc", 8), ("hchcc", 10), ("hhccc", 10)],
)
def test_every_atom_of_a_stacked_polytype_has_four_bonds_of_diamonds_length(hexagonality: str, atoms: int) -> None:
    crystal = stacked_polytype(hexagonality, 3.567)
    assert crystal.n_atoms == atoms
    lengths = neighbour_distances(crystal)
    assert np.allclose(lengths[:, :4], 3.567 * np.sqrt(3) / 4, atol=1e-6)
    assert (lengths[:, 4] > 2.4).all()


def neighbour_distances(crystal) -> np.ndarray:
    shifts = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 3), axis=-1).reshape(-1, 3)
    vectors = crystal.frac[None, :, None, :] + shifts - crystal.frac[:, None, None, :]
    distances = np.linalg.norm(vectors @ crystal.cell, axis=-1).reshape(crystal.n_atoms, -1)
    return np.sort(distances, axis=1)[:, 1:6]


def test_diamond_has_its_experimental_bond_and_density() -> None:
    """1.5445 Å and 3.515 g/cm³ at room temperature (Handbook of Chemistry and Physics)."""
    diamond = REFERENCES["diamond"].crystal
    assert shortest_distance(diamond) == pytest.approx(1.5445, abs=1e-3)
    assert diamond.density == pytest.approx(3.515, abs=0.01)


def test_the_literature_values_are_those_of_the_papers_table() -> None:
    """Guo et al., Table 1: reported elsewhere → theirs, W/(m·K) at 300 K."""
    table = {
        "diamond": (2000.0, 2573.0),
        "lonsdaleite": (1687.0, 1785.0),
        "bct-C4": (1411.0, 1672.0),
        "Z-carbon": (1262.0, 1412.0),
        "AA-T12-carbon": (1049.0, 852.0),
        "BCO-C16": (462.0,),
    }
    stored = {
        name: tuple(v.kappa_low for v in known.literature if v.method not in MEASURED.values())
        for name, known in REFERENCES.items()
        if known.literature
    }
    assert stored == table


def test_diamond_has_experiments_with_natural_and_with_enriched_isotopes() -> None:
    """Anthony et al. 1990: removing ¹³C down to 0.1 % raises κ_L by half; Inyushkin et al. 2018: 24 W/(cm·K)."""
    values = {
        isotopes: [v.kappa_high for v in REFERENCES["diamond"].literature if v.method == method]
        for isotopes, method in MEASURED.items()
    }
    assert values == {"natural": [2200.0, 2400.0], "enriched": [3320.0]}
    assert values["enriched"][0] / values["natural"][0] == pytest.approx(1.5, abs=0.05)


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_every_reference_that_a_protocol_names_exists(name: str) -> None:
    assert set(PROTOCOLS[name].sample.references.split()) <= set(REFERENCES)


def test_reference_crystals_can_be_had_by_element() -> None:
    assert set(reference_crystals(frozenset({"B", "N"}))) == {"cubic-BN", "wurtzite-BN", "hexagonal-BN"}


def test_the_demos_input_is_made_again_byte_for_byte() -> None:
    for name, text in demo_files().items():
        assert (DATA / name).read_text() == text
        assert len(text) < 1_000_000
