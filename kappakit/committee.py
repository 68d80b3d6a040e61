"""Query by committee in numbers: who leaves out what, how far members disagree, whether that tells the true error.

The committee: H. S. Seung, M. Opper, H. Sompolinsky, COLT 1992, doi 10.1145/130385.130417; of potentials, where the
energies' standard deviation chooses what to label: L. Guo et al., npj Comput. Mater. 11 (2025),
doi 10.1038/s41524-025-01592-8.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import spearmanr

from kappakit.errors import InputError
from kappakit.ports import Calibration, CommitteeEvaluation, LabelledCrystal

MEV = 1000.0


def left_out(groups: Sequence[str], *, size: int, share: float, seed: int) -> tuple[tuple[str, ...], ...]:
    """For each of `size` members the groups that it leaves out: `share` of them (one at least), sorted.

    The groups, in an order drawn from `seed`, form a ring on which the members' parts begin at equal distances: with
    size × share ≤ 1 no two members leave out the same. `share` 0: nobody leaves anything out. Raises InputError where
    a member would have nothing to learn from.
    """
    names = sorted(set(groups))
    count = max(1, round(share * len(names))) if share else 0
    if count >= len(names):
        raise InputError(f"of {len(names)} distinct crystals no member can leave out {count}")
    order = np.random.default_rng(seed).permutation(len(names))
    starts = [member * len(names) // size for member in range(size)]
    return tuple(tuple(sorted(names[order[(start + step) % len(names)]] for step in range(count))) for start in starts)


def drawn_groups(groups: Sequence[str], *, share: float, seed: int) -> frozenset[str]:
    """`share` of the distinct groups, one at least, drawn from `seed`; raises InputError for fewer than two groups."""
    names = sorted(set(groups))
    if len(names) < 2:
        raise InputError("a test set needs at least two distinct crystals")
    count = min(max(1, round(share * len(names))), len(names) - 1)
    return frozenset(names[i] for i in np.random.default_rng(seed).permutation(len(names))[:count])


def energy_std(energies: np.ndarray, n_atoms: int, ddof: int) -> float:
    """meV/atom: standard deviation over members of energies (m,) in eV per cell; 0 where m ≤ ddof."""
    return _std(energies, ddof) * MEV / n_atoms if len(energies) > ddof else 0.0


def force_spread(forces: np.ndarray, ddof: int) -> float:
    """eV/Å: of forces (m, n, 3), the largest norm over atoms of the members' standard deviation vector."""
    if len(forces) <= ddof:
        return 0.0
    return float(np.linalg.norm(np.std(forces, axis=0, ddof=ddof), axis=1).max())


def _std(values: np.ndarray, ddof: int) -> float:
    return float(np.std(values, ddof=ddof))


def calibrate(frames: Sequence[LabelledCrystal], found: Sequence[CommitteeEvaluation], ddof: int) -> Calibration:
    """What the committee says about `frames` against their labels; raises InputError for no frames."""
    if not frames:
        raise InputError("a calibration needs labelled frames that nobody trained on")
    atoms = np.array([frame.crystal.n_atoms for frame in frames])
    energy = energy_errors(frames, found)
    forces = force_errors(frames, found)
    spread_energy = np.array([energy_std(f.energies, n, ddof) for f, n in zip(found, atoms, strict=True)])
    spread_force = np.array([force_spread(f.forces, ddof) for f in found])
    error_energy = np.abs(energy.mean(axis=1))
    error_force = np.array([float(np.linalg.norm(e.mean(axis=0), axis=1).max()) for e in forces])
    joined = np.concatenate(forces, axis=1)
    return Calibration(
        spread_energy=spread_energy,
        error_energy=error_energy,
        spread_force=spread_force,
        error_force=error_force,
        groups=tuple(frame.group for frame in frames),
        energy_mae=float(error_energy.mean()),
        force_rmse=MEV * _rms(joined.mean(axis=0)),
        member_energy_mae=np.abs(energy).mean(axis=0),
        member_force_rmse=MEV * np.sqrt(np.square(joined).mean(axis=(1, 2))),
        rank_energy=_rank(spread_energy, error_energy),
        rank_force=_rank(spread_force, error_force),
        ratio_energy=_ratio(_rms(error_energy), _rms(spread_energy)),
    )


def energy_errors(frames: Sequence[LabelledCrystal], found: Sequence[CommitteeEvaluation]) -> np.ndarray:
    """(f, m) meV/atom: each member's energy less the label."""
    return np.array(
        [
            MEV * (f.energies - frame.evaluation.energy) / frame.crystal.n_atoms
            for frame, f in zip(frames, found, strict=True)
        ]
    )


def force_errors(frames: Sequence[LabelledCrystal], found: Sequence[CommitteeEvaluation]) -> list[np.ndarray]:
    """One (m, n_atoms, 3) array a frame, eV/Å: each member's forces less the labels."""
    return [f.forces - frame.evaluation.forces for frame, f in zip(frames, found, strict=True)]


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.square(values).mean()))


def _ratio(above: float, below: float) -> float:
    return above / below if below else 0.0


def _rank(spread: np.ndarray, error: np.ndarray) -> float:
    if len(spread) < 3 or np.ptp(spread) == 0.0 or np.ptp(error) == 0.0:
        return 0.0
    return float(spearmanr(spread, error).statistic)


@dataclass(frozen=True)
class MethodOffset:
    """Of the frames of one method: how many, mean of (label − reference) in eV/atom, and what was added to each
    energy, eV/atom, so that it stands on the common zero."""

    frames: int
    residual: float
    shift: float


def most_frequent(methods: Sequence[str]) -> str:
    """The method of most frames; ties go to the first in alphabetical order."""
    counts = Counter(methods)
    return min(counts, key=lambda method: (-counts[method], method))


def method_offsets(frames: Sequence[LabelledCrystal], reference: Sequence[float], base: str) -> dict[str, MethodOffset]:
    """By method digest, the offset of its zero against that of `base`.

    `reference`: energy of each frame by one and the same potential, eV per cell. Two methods differ by a constant per
    atom in this picture, which holds for one element; for several the mean is over their compositions. Raises
    InputError where no frame is of the method `base`.
    """
    residuals: dict[str, list[float]] = {}
    for frame, energy in zip(frames, reference, strict=True):
        residuals.setdefault(frame.method, []).append((frame.evaluation.energy - energy) / frame.crystal.n_atoms)
    if base not in residuals:
        raise InputError("no label is of the method whose zero is asked for")
    means = {method: float(np.mean(values)) for method, values in residuals.items()}
    return {
        method: MethodOffset(len(residuals[method]), mean, means[base] - mean) for method, mean in sorted(means.items())
    }


def on_one_zero(frames: Sequence[LabelledCrystal], offsets: Mapping[str, MethodOffset]) -> tuple[LabelledCrystal, ...]:
    """The frames with each energy moved by its method's shift; forces and stress stay."""
    return tuple(_shifted(frame, offsets[frame.method].shift) for frame in frames)


def _shifted(frame: LabelledCrystal, shift: float) -> LabelledCrystal:
    energy = frame.evaluation.energy + shift * frame.crystal.n_atoms
    return replace(frame, evaluation=replace(frame.evaluation, energy=energy))
