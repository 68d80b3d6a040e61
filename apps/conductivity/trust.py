"""What a κ_L may be believed for: the words beside it wherever it is shown, and the rule of ranking. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
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
NOT_TESTED = "not converged by test"
CONVERGENCE = ("converged: ", "not converged")
"""How the words about the mesh's convergence begin."""
PAPER_RULE = "mesh {} by the lengths of the cell's vectors (the paper's rule)"
THIN = "thin mesh: {:.3g} Å where {:g} Å is meant"
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
    mesh: MeshWords,
    temperature: float,
    dynamical: str,
    symmetry_kept: bool | None,
    dimensionality: int,
    supercell: str = "",
    pair_cutoff: float | None = None,
    nac: str = "not needed",
    force_noise: float = 0.0,
    scattering: str = "",
    fitted: str = "",
) -> tuple[str, ...]:
    """The words in the order in which a person asks: what forces, what method, what doubts.

    `source`, `version`: the potential's name and what fixes it, or 'force sets: …' and ''. temperature K, pair_cutoff Å
    (0 or None: all pairs), `supercell` like '3×3×3', force_noise eV/Å (0.0: forces in float64), `symmetry_kept` None
    where nobody screened a symmetry, `scattering` what scatters beside three phonons, `fitted` how force constants
    were fitted where they were.
    """
    words = [f"{source} ({version})" if version else source, method, mesh.words]
    words += [f"{temperature:g} K", *([scattering] if scattering else [])]
    words.append(PHONON_WORDS[dynamical])
    if symmetry_kept is not None:
        words.append("symmetry kept" if symmetry_kept else "symmetry broken")
    words += [*_range(supercell, pair_cutoff, fitted), *_doubts(dimensionality, nac, force_noise)]
    return (*words, *mesh.doubts, mesh.convergence)


@dataclass(frozen=True)
class MeshWords:
    """What a label says of the mesh: numbers, rule, length (Å) and the length that was meant, the convergence test.

    `change`, `error`: shares; `converged` None where nothing was tested. `lengths` of the last two meshes, Å.
    """

    numbers: Sequence[int]
    rule: str
    length: float | None
    meant: float | None = None
    change: float | None = None
    error: float | None = None
    converged: bool | None = None
    lengths: tuple[float, ...] = ()

    @property
    def words(self) -> str:
        """'mesh of 25.8 Å (7×7×7)', 'mesh 10×10×10'."""
        numbers = "×".join(map(str, self.numbers))
        if self.rule == "spacing" and self.length is not None:
            return f"mesh of {self.length:.3g} Å ({numbers})"
        return PAPER_RULE.format(numbers) if self.rule == "axes" else f"mesh {numbers}"

    @property
    def doubts(self) -> list[str]:
        """A direction that is sampled more coarsely than meant."""
        thin = self.length is not None and self.meant is not None and self.length < self.meant * (1 - 1e-6)
        return [THIN.format(self.length, self.meant)] if thin else []

    @property
    def convergence(self) -> str:
        """'converged: 1.8 % by the last step of the mesh, error about 6 %', or that it is not, or was not tested."""
        if self.change is None or self.error is None:
            return NOT_TESTED
        verdict = "converged" if self.converged else "not converged"
        between = " → ".join(f"{length:.3g}" for length in self.lengths)
        return (
            f"{verdict}: {self.change:.1%} by the mesh's last step ({between} Å), error about {self.error:.1%}".replace(
                "%", " %"
            )
        )


def completed(label: Sequence[str], *, uncertainty: float | None, members: int | None) -> tuple[str, ...]:
    """A stored label with 'uncertainty 12 meV/atom (8 members)', the words on convergence last.

    uncertainty: standard deviation over the members of the newest committee, meV/atom; None: nobody asked one.
    """
    doubt = [] if uncertainty is None else [f"uncertainty {uncertainty:.3g} meV/atom ({members} members)"]
    ends = [word for word in label if word.startswith(CONVERGENCE)]
    return (*(word for word in label if not word.startswith(CONVERGENCE)), *doubt, *ends)


def _range(supercell: str, pair_cutoff: float | None, fitted: str) -> list[str]:
    """How far the force constants reach, and whether they were fitted."""
    if not supercell:
        return []
    reach = fitted or (f"pairs within {pair_cutoff:g} Å" if pair_cutoff else "all pairs")
    return [f"supercell {supercell}, {reach}"]


def scattering_words(isotopes: str, purity: float, boundary: float) -> str:
    """'natural isotopes, boundary at 10 µm'; '' for three phonons alone."""
    known = {"natural": "natural isotopes", "enriched": f"isotopes enriched to {purity:.4g}"}
    words = [known[isotopes]] if isotopes in known else []
    return ", ".join([*words, *([f"boundary at {boundary:g} µm"] if boundary else [])])


def supercell_words(matrix: Sequence[Sequence[int]], repeats: int) -> str:
    """'3×3×3' of a diagonal matrix; else 'of 8 primitive cells' by its determinant; `repeats` where none is known."""
    if not matrix:
        return "×".join([str(repeats)] * 3)
    off = any(matrix[i][j] for i in range(3) for j in range(3) if i != j)
    (a, b, c), (d, e, f), (g, h, k) = matrix
    cells = abs(a * (e * k - f * h) - b * (d * k - f * g) + c * (d * h - e * g))
    return f"of {cells} primitive cells" if off else f"{a}×{e}×{k}"


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
