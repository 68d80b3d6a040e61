"""What a κ_L may be believed for: the words beside it wherever it is shown, and the rule of ranking. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import stdev

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
SPREAD = re.compile(r"\d+ (of \d+ )?members: ")
"""How the words about a committee's spread begin."""


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


def completed(label: Sequence[str], *, uncertainty: float | None, members: int | None) -> tuple[str, ...]:
    """A stored label with 'uncertainty 12 meV/atom (8 members)', the words on convergence last.

    uncertainty: standard deviation over the members of the newest committee, meV/atom; None: nobody asked one.
    """
    doubt = [] if uncertainty is None else [f"uncertainty {uncertainty:.3g} meV/atom ({members} members)"]
    ends = [word for word in label if word == NOT_CONVERGED]
    return (*(word for word in label if word != NOT_CONVERGED), *doubt, *ends)


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


def spread_words(values: Sequence[float], members: int) -> str:
    """'8 members: 1580–1760, σ 62 W/(m·K)' of the κ_L that members have, W/(m·K); says so where some have none.

    σ with one degree of freedom taken off.
    """
    who = f"{members} members" if len(values) == members else f"{len(values)} of {members} members"
    if not values:
        return f"{who}: none has a κ_L"
    if len(values) == 1:
        return f"{who}: {_rounded(values[0])} W/(m·K)"
    return f"{who}: {_rounded(min(values))}–{_rounded(max(values))}, σ {_rounded(stdev(values))} W/(m·K)"


def _rounded(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2g}"


def with_spread(label: Sequence[str], words: str) -> list[str]:
    """The label's words with those of the spread at the end, in place of an earlier spread's."""
    return [*(word for word in label if not SPREAD.match(word)), words]
