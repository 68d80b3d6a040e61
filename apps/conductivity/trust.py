"""What a κ_L may be believed for: the words beside it wherever it is shown, and the rule of ranking. Pure."""

from __future__ import annotations

from collections.abc import Sequence

PHONON_WORDS = {"stable": "stable phonons", "borderline": "borderline phonons", "imaginary": "imaginary modes"}
DIMENSION_WORDS = {0: "molecular", 1: "chains", 2: "layered"}
NOT_CONVERGED = "not converged by test"


def rankable(*, dynamical: str, symmetry_kept: bool, dimensionality: int) -> bool:
    """Whether κ_L may stand in a ranked table: stable phonons, symmetry kept, three-dimensional."""
    return dynamical == "stable" and symmetry_kept and dimensionality == 3


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


def completed(
    label: Sequence[str],
    *,
    uncertainty: float | None = None,
    members: int | None = None,
    interval: Sequence[float] | None = None,
) -> tuple[str, ...]:
    """A stored label with what the committee says by now, before the word on convergence.

    uncertainty: standard deviation over the members, meV/atom; interval: least and largest κ_L of a member, W/(m·K).
    """
    ends = [word for word in label if word == NOT_CONVERGED]
    words = [word for word in label if word != NOT_CONVERGED]
    return (*words, *committee_words(uncertainty, members, interval), *ends)


def committee_words(
    uncertainty: float | None, members: int | None, interval: Sequence[float] | None = None
) -> tuple[str, ...]:
    """('uncertainty 12 meV/atom (8 members)', 'members give 1800–2100 W/(m·K)'), what is not known left out."""
    said = [] if uncertainty is None else [f"uncertainty {uncertainty:.3g} meV/atom ({members} members)"]
    return (*said, *([f"members give {_whole(interval[0])}–{_whole(interval[1])} W/(m·K)"] if interval else ()))


def _whole(kappa: float) -> str:
    return f"{kappa:.0f}" if kappa >= 100 else f"{kappa:.3g}"


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
