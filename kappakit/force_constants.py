"""FC2 and FC3 in compact form from the forces on displaced supercells; their symmetries, imposed and measured.

Systematic displacements are solved, pairs of opposite random ones fitted.

A pair cutoff leaves the forces of distant pair displacements unknown. Here each such displacement is given the
harmonic forces of its two single displacements, so its third-order row is zero, and an element of FC3 is averaged over
those of its index permutations whose first two atoms lie within the cutoff. An element none of whose pairs lies within
it is zero. This is what phono3py's own cutoff does on a full FC3, without ever building one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from phono3py import Phono3py
from phono3py.phonon3.fc3 import set_permutation_symmetry_compact_fc3
from phonopy import Phonopy
from phonopy.harmonic.force_constants import get_nsym_list_and_s2pp
from phonopy.interface.fc_calculator import get_fc2

from kappakit.fitted_force_constants import ThirdOrderFit, fitted_second_order, is_paired, pairs_of

MAX_TURNS = 200
SUM_RULE_TARGET = 1e-6
"""eV/Å³: what the sum rule of FC3 may still miss; far below what any force carries."""
FC2_LEVEL = "level=3"


@dataclass(frozen=True)
class ForceConstantResiduals:
    """Largest magnitudes left after symmetrisation: sum rules in eV/Å² and eV/Å³, index permutations in the same."""

    asr_fc2: float
    asr_fc3: float
    permutation_fc2: float
    permutation_fc3: float


def produce(calculation: Phono3py, fc3_cutoff: float = 0.0) -> ForceConstantResiduals:
    """Solve FC2 and compact FC3 from the forces in the calculation's data sets and symmetrise both explicitly.

    Afterwards `calculation.fc2` is (n, N2, 3, 3) eV/Å², `calculation.fc3` (n, N, N, 3, 3, 3) eV/Å³, and
    `calculation.fc3_nonzero_indices` (n, N, N) tells phono3py which triplets of atoms to visit. Random displacements
    are fitted, FC3 within fc3_cutoff (Å, 0: none).
    """
    if is_paired(calculation.dataset):
        fit = ThirdOrderFit(calculation, fc3_cutoff)
        fit.store(fit.solve(pairs_of(calculation.dataset)), calculation)
        produce_paired_fc2(calculation)
        return residuals(calculation)
    if "first_atoms" not in calculation.dataset:
        return _fitted(calculation)
    solve_third_order(calculation)
    if calculation.phonon_supercell_matrix is not None:
        calculation.produce_fc2(is_compact_fc=True, fc_calculator="traditional")
    calculation.symmetrize_fc2(use_symfc_projector=False, options=FC2_LEVEL)
    _symmetrise_fc3(calculation)
    return residuals(calculation)


def produce_paired_fc2(calculation: Phono3py) -> None:
    """FC2 from the odd forces of the pairs, or from its own supercell where there is one."""
    if calculation.phonon_supercell_matrix is None:
        calculation.fc2 = fitted_second_order(calculation, pairs_of(calculation.dataset))
        return
    calculation.produce_fc2(is_compact_fc=True, fc_calculator="traditional")
    calculation.symmetrize_fc2(use_symfc_projector=False, options=FC2_LEVEL)


def solve_second_order(phonons: Phonopy) -> None:
    """Compact FC2 (n, N, 3, 3) eV/Å² from the forces in phonopy's data set, symmetrised explicitly."""
    phonons.produce_force_constants(calculate_full_force_constants=False, fc_calculator="traditional")
    phonons.symmetrize_force_constants()


def solve_third_order(calculation: Phono3py) -> None:
    """FC3 (and FC2 of the same supercell) as the forces give them, averaged over the index permutations that the pair
    cutoff leaves known; the sum rule not yet imposed. The data set stays as it was."""
    original = calculation.dataset
    calculation.dataset = _completed(calculation, original)
    calculation.produce_fc3(is_compact_fc=True, fc_calculator="traditional")
    calculation.dataset = original
    _average_known_permutations(calculation)


def _fitted(calculation: Phono3py) -> ForceConstantResiduals:
    """Somebody else's random displacements, not in pairs: symfc fits force constants that obey every symmetry."""
    calculation.produce_fc3(is_compact_fc=True, fc_calculator="symfc")
    if calculation.phonon_supercell_matrix is not None:
        calculation.produce_fc2(is_compact_fc=True, fc_calculator="symfc")
    return residuals(calculation)


def residuals(calculation: Phono3py) -> ForceConstantResiduals:
    """Measure the sum rules and the index symmetry of the calculation's FC2 and compact FC3 as they stand."""
    fc2, fc3 = calculation.fc2, calculation.fc3
    harmonic = calculation.phonon_primitive
    return ForceConstantResiduals(
        asr_fc2=float(np.abs(fc2.sum(axis=1)).max()),
        asr_fc3=float(np.abs(fc3.sum(axis=2)).max()),
        permutation_fc2=_asymmetry_fc2(fc2, harmonic),
        permutation_fc3=_asymmetry_fc3(fc3, calculation.primitive),
    )


def harmonic_residuals(fc2: np.ndarray, primitive: Any) -> tuple[float, float]:
    """(sum rule, index permutation) of a compact FC2 alone, largest magnitudes in eV/Å²."""
    return float(np.abs(fc2.sum(axis=1)).max()), _asymmetry_fc2(fc2, primitive)


def nonzero_triplets(calculation: Phono3py) -> np.ndarray:
    """(n, N, N) bool: triplets of atoms of which at least one pair lies within the data set's pair cutoff."""
    cutoff = calculation.dataset.get("cutoff_distance")
    atoms = len(calculation.supercell)
    if cutoff is None:
        return np.ones((len(calculation.primitive), atoms, atoms), dtype=bool)
    return _pair_count(calculation, cutoff) > 0


def _completed(calculation: Phono3py, dataset: Any) -> Any:
    """The data set without its cutoff: every omitted pair carries the harmonic forces of its two displacements."""
    if "cutoff_distance" not in dataset:
        return dataset
    supercell, primitive = calculation.supercell, calculation.primitive
    fc2 = get_fc2(supercell, dataset, primitive=primitive, is_compact_fc=False, symmetry=calculation.symmetry)
    firsts = []
    for first in dataset["first_atoms"]:
        pairs = [_with_forces(pair, first["forces"], fc2) for pair in first["second_atoms"]]
        firsts.append({**first, "second_atoms": pairs})
    return {"natom": dataset["natom"], "first_atoms": firsts}


def _with_forces(pair: dict[str, Any], first_forces: np.ndarray, fc2: np.ndarray) -> dict[str, Any]:
    if pair["included"]:
        return pair
    return {**pair, "forces": first_forces - fc2[:, pair["number"]] @ pair["displacement"]}


def _symmetrise_fc3(calculation: Phono3py) -> None:
    """Sum rule and index symmetry by turns, inside the triplets that the cutoff leaves.

    Without a cutoff one turn satisfies both. With one the turns converge geometrically; MAX_TURNS bounds them and the
    residual is measured and stored whatever they reach.
    """
    fc3 = calculation.fc3
    kept = nonzero_triplets(calculation)
    number = np.maximum(kept.sum(axis=2), 1)
    for _ in range(MAX_TURNS):
        drift = fc3.sum(axis=2)
        if np.abs(drift).max() < SUM_RULE_TARGET:
            break
        share = drift / number[..., None, None, None]
        fc3 -= kept[..., None, None, None] * share[:, :, None]
        set_permutation_symmetry_compact_fc3(fc3, calculation.primitive)


def _average_known_permutations(calculation: Phono3py) -> None:
    """Average FC3 in place over the index permutations whose displaced pair lies within the cutoff."""
    fc3, cutoff = calculation.fc3, calculation.dataset.get("cutoff_distance")
    if cutoff is None:
        set_permutation_symmetry_compact_fc3(fc3, calculation.primitive)
        return
    count = _pair_count(calculation, cutoff)
    fc3 *= _near(calculation, cutoff)[calculation.primitive.p2s_map][:, :, None, None, None, None]
    set_permutation_symmetry_compact_fc3(fc3, calculation.primitive)
    fc3 *= np.where(count > 0, 3.0 / np.maximum(count, 1), 0.0)[..., None, None, None]
    calculation.fc3_nonzero_indices = np.array(count > 0, dtype="byte", order="C")


def _pair_count(calculation: Phono3py, cutoff: float) -> np.ndarray:
    """(n, N, N): how many of the three pairs of a triplet lie within the cutoff."""
    near = _near(calculation, cutoff).astype(np.int8)
    rows = near[calculation.primitive.p2s_map]
    return rows[:, :, None] + rows[:, None, :] + near[None]


def _near(calculation: Phono3py, cutoff: float) -> np.ndarray:
    """(N, N) bool: pairs of supercell atoms whose shortest distance is below the cutoff, as phono3py counts them."""
    primitive = calculation.primitive
    vectors, multiplicity = primitive.get_smallest_vectors()
    shortest = np.asarray(vectors)[multiplicity[:, :, 1]] @ primitive.cell
    distances = np.linalg.norm(shortest, axis=2).T
    home, shift = _homes(primitive)
    return np.stack([distances[home[i], shift[i]] for i in range(len(home))]) < cutoff


def _homes(primitive: Any) -> tuple[np.ndarray, np.ndarray]:
    """home (N,): primitive atom of each supercell atom; shift (N, N): where the translation that brings atom i home
    sends each supercell atom."""
    permutations = primitive.atomic_permutations
    home, translation = get_nsym_list_and_s2pp(primitive.s2p_map, primitive.p2p_map, permutations)
    return np.asarray(home), np.asarray(permutations)[translation]


def _asymmetry_fc2(fc2: np.ndarray, primitive: Any) -> float:
    """max |Φ_ij − Φ_jiᵀ| of a compact FC2."""
    home, shift = _homes(primitive)
    swapped = fc2[home[:, None], shift[:, primitive.p2s_map]]
    return float(np.abs(fc2 - swapped.transpose(1, 0, 3, 2)).max())


def _asymmetry_fc3(fc3: np.ndarray, primitive: Any) -> float:
    """max over the two generating transpositions of |Φ − Φ permuted| of a compact FC3, one first atom at a time."""
    home, shift = _homes(primitive)
    worst = 0.0
    for row, atom in enumerate(primitive.p2s_map):
        last = np.abs(fc3[row] - fc3[row].transpose(1, 0, 2, 4, 3)).max()
        swapped = fc3[home[:, None], shift[:, atom][:, None], shift]
        first = np.abs(fc3[row] - swapped.transpose(0, 1, 3, 2, 4)).max()
        worst = max(worst, float(last), float(first))
    return worst
