"""What a generator was measured to be worth, as rows of a table beside the published values."""

from __future__ import annotations

from dataclasses import dataclass

from apps.training.selectors import GeneratorQuality
from apps.web.templatetags.units import ABSENT, count, fixed, num, percent


@dataclass(frozen=True)
class QualityRow:
    """One figure: `what` with its unit, measured here, and published for CDVAE on Carbon-24 ('' where nothing is)."""

    what: str
    unit: str
    measured: str
    published: str
    meaning: str


PUBLISHED = {
    "match": 0.5522,
    "rmse": 0.1251,
    "valid": 1.0,
    "recall": 0.9980,
    "precision": 0.8308,
    "density_wasserstein": 0.1407,
    "energy_wasserstein": 0.2850,
}
"""Xie, Fu, Ganea, Barzilay, Jaakkola, ICLR 2022 (arXiv 2110.06197), CDVAE on Carbon-24; shares of 1, g/cm³, eV/atom."""


def quality_rows(quality: GeneratorQuality) -> list[QualityRow]:
    """The figures of an assessment, in the order of the published tables."""
    again, made = quality.reconstruction, quality.generation
    return [
        _share("Reconstruction: match", again.match, "match", "test crystals that come back when encoded and decoded"),
        _number(
            "Reconstruction: RMSE",
            "(V/N)^(1/3)",
            again.rmse,
            "rmse",
            "mean distance of the matched from their originals",
        ),
        _share("Validity", made.valid, "valid", "every distance above 0.5 Å, volume at least 0.1 Å³"),
        _share("Plausible", made.plausible, "", "every distance at least 1.15 Å, density 1.5 to 4 g/cm³"),
        _share("COV-R", made.recall, "recall", "test crystals with a generated one near"),
        _share("COV-P", made.precision, "precision", "generated crystals with a test crystal near"),
        _number("Density, Wasserstein distance", "g/cm³", made.density_wasserstein, "density_wasserstein", ""),
        _number("Energy, Wasserstein distance", "eV/atom", made.energy_wasserstein, "energy_wasserstein", ""),
        QualityRow("Time a crystal", "s", num(made.seconds_each), ABSENT, "on the machine that measured"),
    ]


def measured_how(quality: GeneratorQuality) -> str:
    """Numbers of crystals, sampler, and whose energies, in words."""
    facts = quality.settings
    tries = "one try" if facts.tries == 1 else f"{facts.tries} tries"
    energies = f" Energies by {quality.potential}." if quality.potential else ""
    return (
        f"{count(quality.generation.crystals)} generated and {count(quality.reconstruction.crystals)} reconstructed "
        f"crystals; sampler {facts.sampler}, {tries} a crystal, latent vectors from the prior “{facts.prior}”."
        f"{energies}"
    )


def _share(what: str, measured: float | None, published: str, meaning: str) -> QualityRow:
    value = PUBLISHED.get(published)
    return QualityRow(what, "%", _per_cent(measured), _per_cent(value), meaning)


def _number(what: str, unit: str, measured: float | None, published: str, meaning: str) -> QualityRow:
    return QualityRow(what, unit, fixed(measured, 4), fixed(PUBLISHED[published], 4), meaning)


def _per_cent(share: float | None) -> str:
    return percent(share, 2).removesuffix(" %")
