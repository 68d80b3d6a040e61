"""Mass variances of isotopes: what scatters beside three phonons."""

from __future__ import annotations

import pytest

from kappakit.conductivity import Scattering, mass_variances, scattering_of
from kappakit.errors import InputError
from kappakit.protocol import ConductivitySettings


def test_natural_carbon_has_the_published_mass_variance() -> None:
    """g₂ = 7.4e-5 to 7.5e-5 with 1.07 to 1.1 % of ¹³C: Tamura, Phys. Rev. B 27, 858 (1983); Morelli et al., Phys.
    Rev. B 66, 195304 (2002)."""
    (carbon,) = mass_variances(["C"], Scattering("natural")) or [0.0]
    assert carbon == pytest.approx(7.4e-5, rel=0.02)


def test_enriched_silicon_keeps_the_proportions_of_the_rest() -> None:
    """Two isotopes would give p (1 − p) (Δm/m̄)²; silicon's second ones weigh one and two units more."""
    natural, enriched = (mass_variances(["Si"], Scattering(kind, 0.999)) for kind in ("natural", "enriched"))
    assert natural is not None
    assert enriched is not None
    assert natural[0] == pytest.approx(2.01e-4, rel=0.01)
    assert 0.001 * (1 / 28) ** 2 < enriched[0] < 0.001 * (2 / 28) ** 2


def test_a_pure_isotope_scatters_nothing_and_one_isotope_alone_is_pure() -> None:
    assert mass_variances(["C"], Scattering("enriched", 1.0)) == [0.0]
    assert mass_variances(["P"], Scattering("natural")) == pytest.approx([0.0])


def test_without_isotope_scattering_there_are_no_variances() -> None:
    assert mass_variances(["C", "C"], scattering_of(ConductivitySettings())) is None


def test_an_element_without_known_abundances_is_named() -> None:
    with pytest.raises(InputError, match="of Tc"):
        mass_variances(["Tc"], Scattering("natural"))
