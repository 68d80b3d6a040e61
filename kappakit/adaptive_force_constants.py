"""Force constants of one crystal from a potential: displaced, evaluated, solved or fitted.

Random supercells are added until a fit to three quarters of them foretells the even forces of the last quarter. What it
gets wrong of these forces is what it gets wrong of FC3: for random displacements the two relative errors are equal but
for the scatter (measured, see docs/conductivity.md), and a principal κ_L is off by no more than about as much.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from phono3py import Phono3py

from kappakit.crystals import Crystal
from kappakit.displacements import (
    RANDOM,
    counts,
    displaced,
    evaluate_displacements,
    forces_of_displacements,
    pair_displacements,
)
from kappakit.fitted_force_constants import ThirdOrderFit, pairs_of
from kappakit.force_constants import ForceConstantResiduals, produce, produce_paired_fc2, residuals
from kappakit.ports import Potential, Progress
from kappakit.protocol import ConductivitySettings

LEFT_OUT = 0.25
"""Share of the pairs of random supercells whose forces the fit to the others has to foretell."""
GROWTH = (1.2, 2.0)
"""Least and most by which the number of pairs grows where they did not."""


@dataclass(frozen=True)
class FitCheck:
    """A fit to `part` random supercells against one to all `supercells`: `error`, root mean square of what the part's
    fit gets wrong of the even forces of the others, relative to these; `passed`: it is within the tolerance; `change`
    of FC3 from part to all, relative, in the Frobenius norm, of the last check (0 of the others, not fitted to all)."""

    supercells: int
    part: int
    error: float
    passed: bool
    change: float = 0.0


@dataclass(frozen=True)
class ForceConstantFit:
    """What came out beside the force constants: FC3 supercells evaluated, atoms over all supercells evaluated,
    `unknowns` of FC3 (0: solved, not fitted) and every check of a fit, the last one that of the result."""

    residuals: ForceConstantResiduals
    supercells: int
    evaluations: int
    unknowns: int = 0
    checks: tuple[FitCheck, ...] = ()


def force_constants(
    primitive: Crystal, settings: ConductivitySettings, potential: Potential, progress: Progress
) -> tuple[Phono3py, ForceConstantFit]:
    """Displace, evaluate and solve or fit: (the calculation with forces, FC2 and FC3, what came out beside them).

    Random supercells are added until the check passes or there are settings.max_random of them. The force constants
    are in the calculation as `produce` leaves them.
    """
    calculation = displaced(primitive, settings)
    evaluate_displacements(calculation, potential, progress)
    if settings.displacements != RANDOM:
        left = produce(calculation)
        return calculation, ForceConstantFit(left, *_asked(calculation))
    fit = ThirdOrderFit(calculation, settings.fc3_cutoff)
    found, check = _foretold(fit, calculation, settings)
    checks = [check]
    while not check.passed and check.supercells // 2 < settings.max_random // 2:
        _add_pairs(calculation, primitive, settings, check, potential, progress)
        found, check = _foretold(fit, calculation, settings, start=found)
        checks.append(check)
    checks[-1] = replace(check, change=_fit_to_all(fit, found, calculation))
    produce_paired_fc2(calculation)
    supercells, evaluations = _asked(calculation)
    evaluations += (len(checks) - 1) * len(calculation.supercell)  # the perfect supercell goes with every round
    return calculation, ForceConstantFit(residuals(calculation), supercells, evaluations, fit.unknowns, tuple(checks))


def _asked(calculation: Phono3py) -> tuple[int, int]:
    asked = counts(calculation)
    return asked.fc3, asked.evaluations


def _foretold(
    fit: ThirdOrderFit, calculation: Phono3py, settings: ConductivitySettings, start: np.ndarray | None = None
) -> tuple[np.ndarray, FitCheck]:
    """(coordinates of the fit to a part, how it foretells the rest)."""
    pairs = pairs_of(calculation.dataset)
    part = max(1, len(pairs) - max(1, round(LEFT_OUT * len(pairs))))
    found = fit.solve(pairs[:part], start)
    error = fit.error(found, pairs[part:])
    return found, FitCheck(2 * len(pairs), 2 * part, error, error <= settings.fit_tolerance)


def _fit_to_all(fit: ThirdOrderFit, part: np.ndarray, calculation: Phono3py) -> float:
    """FC3 of all pairs into the calculation; how much it differs from that of the part."""
    before = fit.compact(part)
    fit.store(fit.solve(pairs_of(calculation.dataset), part), calculation)
    return float(np.linalg.norm(calculation.fc3 - before) / np.linalg.norm(calculation.fc3))


def _add_pairs(
    calculation: Phono3py,
    primitive: Crystal,
    settings: ConductivitySettings,
    check: FitCheck,
    potential: Potential,
    progress: Progress,
) -> None:
    """More pairs, by as much as the error exceeds the tolerance: it falls as one over their number."""
    known = check.supercells // 2
    factor = float(np.clip(check.error / settings.fit_tolerance, *GROWTH))
    number = min(int(np.ceil(known * factor)), settings.max_random // 2)
    new = pair_displacements(calculation, primitive, settings, known, number)
    forces = forces_of_displacements(calculation, new, potential, progress)
    before = calculation.dataset
    calculation.dataset = {
        "displacements": np.concatenate([before["displacements"], new]),
        "forces": np.concatenate([before["forces"], forces]),
    }
