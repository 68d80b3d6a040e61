"""What a κ_L may be believed for: the words beside it wherever it is shown, and the rule of ranking. Pure."""

from __future__ import annotations

from collections.abc import Sequence

PHONON_WORDS = {"stable": "stable phonons", "borderline": "borderline phonons", "imaginary": "imaginary modes"}
DIMENSION_WORDS = {0: "molecular", 1: "chains", 2: "layered"}
SURROGATE = "surrogate in DFT's place"
VALIDATION_WORDS = {
    "confirmed": "{} confirms stable phonons",
    "borderline": "{}: borderline phonons",
    "unstable": "{}: imaginary modes",
    "different": "{}: relaxes to another structure",
}
NOT_CONVERGED = "not converged by test"


def rankable(*, dynamical: str, symmetry_kept: bool, dimensionality: int) -> bool:
    """Whether κ_L may stand in a ranked table: stable phonons, symmetry kept, three-dimensional."""
    return dynamical == "stable" and symmetry_kept and dimensionality == 3


def validation_word(verdict: str, engine: str) -> str:
    """What a validation adds to a label; a surrogate is never called DFT."""
    return VALIDATION_WORDS[verdict].format(SURROGATE if engine == "surrogate" else "DFT")


def with_validation(label: Sequence[str], word: str) -> tuple[str, ...]:
    """The label with the word of the newest validation behind that of the phonons, in the place of an older one."""
    known = {words.format(who) for words in VALIDATION_WORDS.values() for who in ("DFT", SURROGATE)}
    kept = [other for other in label if other not in known]
    phonons = [place for place, other in enumerate(kept, 1) if other in PHONON_WORDS.values()]
    place = phonons[0] if phonons else len(kept)
    return (*kept[:place], word, *kept[place:])


def trust_label(
    *,
    source: str,
    version: str,
    method: str,
    mesh: Sequence[int],
    temperature: float,
    dynamical: str,
    symmetry_kept: bool | None,
    dimensionality: int,
    supercell: str = "",
    pair_cutoff: float | None = None,
    nac: str = "not needed",
    force_noise: float = 0.0,
) -> tuple[str, ...]:
    """The words in the order in which a person asks: what forces, what method, what doubts.

    `source`, `version`: the potential's name and what fixes it, or 'force sets: …' and ''. temperature K, pair_cutoff Å
    (0 or None: all pairs), `supercell` like '3×3×3', force_noise eV/Å (0.0: forces in float64), `symmetry_kept` None
    where nobody screened a symmetry.
    """
    words = [f"{source} ({version})" if version else source, method, f"mesh {'×'.join(map(str, mesh))}"]
    words.append(f"{temperature:g} K")
    words.append(PHONON_WORDS[dynamical])
    if symmetry_kept is not None:
        words.append("symmetry kept" if symmetry_kept else "symmetry broken")
    words += [*_range(supercell, pair_cutoff), *_doubts(dimensionality, nac, force_noise), NOT_CONVERGED]
    return tuple(words)


def _range(supercell: str, pair_cutoff: float | None) -> list[str]:
    """How far the force constants reach."""
    if not supercell:
        return []
    return [f"supercell {supercell}, " + (f"pairs within {pair_cutoff:g} Å" if pair_cutoff else "all pairs")]


def _doubts(dimensionality: int, nac: str, force_noise: float) -> list[str]:
    doubts = [DIMENSION_WORDS[dimensionality]] if dimensionality in DIMENSION_WORDS else []
    if nac == "missing":
        doubts.append("NAC missing")
    if force_noise > 0:
        doubts.append(f"forces in float32, noise {force_noise:.0e} eV/Å")
    return doubts
